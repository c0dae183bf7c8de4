import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BenchBroker } from './brokers/bench-broker.ts'
import { findEntry, tasksOf } from './contestants/roster.ts'
import { TASK_PLANS, type Task } from './jobs/task.ts'
import { runSize } from './run-size.ts'
import { runContestant } from './tournament.ts'

/** Where profiles and narrowed results go. */
export const OUT_FOLDER: string = fileURLToPath(new URL('../out/', import.meta.url))

/**
 * Records one CPU profile of the timed section for each task on a broker, to be opened with a browser's developer tools;
 * where the task has a server, one of its whole life too.
 */
export async function profileContestant(
  name: string,
  broker: BenchBroker,
  tasks: readonly Task[],
  quick: boolean,
): Promise<readonly string[]> {
  mkdirSync(OUT_FOLDER, { recursive: true })
  const entry = findEntry(name)
  if (entry.runtime !== 'node') throw new Error(`'${name}' does not run in Node, which records the profiles`)
  const files: string[] = []
  const taken = tasksOf(entry)
  for (const task of tasks.filter(
    (each) => taken.includes(each) && broker.kinds.includes(TASK_PLANS[each].kind),
  )) {
    const clientProfile = `${OUT_FOLDER}${name}-${broker.name}-${task}.cpuprofile`
    const serverProfile = `${OUT_FOLDER}${name}-${broker.name}-${task}-server.cpuprofile`
    const hasServer = ['oslo-call', 'oslo-cast'].includes(TASK_PLANS[task].kind)
    const profiles = { clientProfile, ...(hasServer && { serverProfile }) }
    await runContestant({ broker, task }, name, runSize({ broker, task, quick }), profiles)
    files.push(...Object.values(profiles))
  }
  return files
}

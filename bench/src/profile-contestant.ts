import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BenchBroker } from './brokers/bench-broker.ts'
import { findEntry, tasksOf } from './contestants/roster.ts'
import type { Task } from './jobs/task.ts'
import { runSize } from './run-size.ts'
import { runContestant } from './tournament.ts'

/** Where profiles and narrowed results go. */
export const OUT_FOLDER: string = fileURLToPath(new URL('../out/', import.meta.url))

/** Records one CPU profile of the timed section for each task on a broker, to be opened with a browser's developer tools. */
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
  for (const task of tasks.filter((each) => tasksOf(entry).includes(each))) {
    const profileFile = `${OUT_FOLDER}${name}-${broker.name}-${task}.cpuprofile`
    await runContestant({ broker, task }, name, runSize({ broker, task, quick }), { profileFile })
    files.push(profileFile)
  }
  return files
}

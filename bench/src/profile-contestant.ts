import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RunSize } from './brokers/bench-broker.ts'
import { NullBenchBroker } from './brokers/null-bench-broker.ts'
import { WINDOWS } from './tournament.ts'
import type { Task } from './jobs/job.ts'
import { runJob } from './jobs/run-job.ts'

/** Where profiles and narrowed results go. */
export const OUT_FOLDER: string = fileURLToPath(new URL('../out/', import.meta.url))

/** Records one CPU profile for each task on the null broker, to be opened with a browser's developer tools. */
export async function profileContestant(
  name: string,
  tasks: readonly Task[],
  size: RunSize,
): Promise<readonly string[]> {
  mkdirSync(OUT_FOLDER, { recursive: true })
  await using broker = await NullBenchBroker.start()
  const files: string[] = []
  for (const task of tasks) {
    const file = `${name}-${task}.cpuprofile`
    const share = await broker.prepare(task, size)
    await runJob({ ...share, ...size, contestant: name, task, window: WINDOWS[task] }, [
      '--cpu-prof',
      `--cpu-prof-dir=${OUT_FOLDER}`,
      `--cpu-prof-name=${file}`,
    ])
    await broker.verify(task, size)
    files.push(`${OUT_FOLDER}${file}`)
  }
  return files
}

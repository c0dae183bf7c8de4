import { fileURLToPath } from 'node:url'
import type { Job, Sample } from './job.ts'
import { runProgram } from './run-program.ts'

/** A run that takes longer hangs: the slowest library needs a tenth of it on a busy machine. */
const JOB_TIMEOUT_MS = 180_000

/** Runs one job in a process of its own. `execArgv` are flags for that process's Node. */
export async function runJob(job: Job, execArgv: readonly string[] = []): Promise<Sample> {
  const worker = fileURLToPath(new URL('job.worker.js', import.meta.url))
  try {
    const output = await runProgram(process.execPath, [...execArgv, worker, JSON.stringify(job)], {
      timeoutMs: JOB_TIMEOUT_MS,
    })
    return JSON.parse(output) as Sample
  } catch (error) {
    throw new Error(`${job.contestant} did not finish its ${job.task} run`, { cause: error })
  }
}

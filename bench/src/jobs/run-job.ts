import { fileURLToPath } from 'node:url'
import { findEntry } from '../contestants/roster.ts'
import type { Job, Sample } from './job.ts'
import { PYTHON } from './python.ts'
import { runProgram } from './run-program.ts'

/** A run that takes longer hangs: the slowest library needs a tenth of it on a busy machine. */
const JOB_TIMEOUT_MS = 180_000

const WORKER = fileURLToPath(new URL('job.worker.js', import.meta.url))

/** Runs one job in a process of its own. */
export async function runJob(job: Job): Promise<Sample> {
  const entry = findEntry(job.contestant)
  const [file, program] = entry.runtime === 'node' ? [process.execPath, WORKER] : [PYTHON, entry.program]
  try {
    const output = await runProgram(file, [program, JSON.stringify(job)], { timeoutMs: JOB_TIMEOUT_MS })
    return JSON.parse(output) as Sample
  } catch (error) {
    throw new Error(`${job.contestant} did not finish its ${job.task} run`, { cause: error })
  }
}

import { fileURLToPath } from 'node:url'
import { runProgram } from './jobs/run-program.ts'

const COMMAND = fileURLToPath(new URL('../../packages/hermod/bin/hermod.js', import.meta.url))

/** How long a process lives, best of several, in milliseconds. */
export interface StartupTimes {
  readonly bareNodeMs: number
  readonly hermodVersionMs: number
}

/** Times `node -e 0` and `hermod --version` in turn. Rejects when either ends with anything but 0. */
export async function measureStartup(times: number): Promise<StartupTimes> {
  let bareNodeMs = Infinity
  let hermodVersionMs = Infinity
  for (let i = 0; i < times; i++) {
    bareNodeMs = Math.min(bareNodeMs, await timeNode(['-e', '0']))
    hermodVersionMs = Math.min(hermodVersionMs, await timeNode([COMMAND, '--version']))
  }
  return { bareNodeMs, hermodVersionMs }
}

async function timeNode(args: readonly string[]): Promise<number> {
  const start = performance.now()
  await runProgram(process.execPath, args, { timeoutMs: 10_000 })
  return performance.now() - start
}

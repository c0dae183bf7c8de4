import { fileURLToPath } from 'node:url'
import { runProgram } from './jobs/run-program.ts'

const COMMAND = fileURLToPath(new URL('../../packages/hermod/bin/hermod.js', import.meta.url))

/** How long a process lives, best of several, in milliseconds. */
export interface StartupTimes {
  readonly bareNodeMs: number
  readonly hermodVersionMs: number
}

/** Times `node -e 0` and `hermod --version` in turn. Rejects unless both end with 0 and the second prints a version. */
export async function measureStartup(times: number): Promise<StartupTimes> {
  let bareNodeMs = Infinity
  let hermodVersionMs = Infinity
  for (let i = 0; i < times; i++) {
    bareNodeMs = Math.min(bareNodeMs, await timeNode(['-e', '0']))
    hermodVersionMs = Math.min(hermodVersionMs, await timeNode([COMMAND, '--version'], /\d+\.\d+\.\d+/))
  }
  return { bareNodeMs, hermodVersionMs }
}

async function timeNode(args: readonly string[], expected = /^$/): Promise<number> {
  const start = performance.now()
  const output = await runProgram(process.execPath, args, { timeoutMs: 10_000 })
  const ms = performance.now() - start
  if (!expected.test(output)) throw new Error('hermod --version printed no version')
  return ms
}

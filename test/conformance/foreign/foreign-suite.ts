import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Exclusion } from './exclusions.ts'

/** The virtual environment and the source distributions of `scripts/setup-services`. */
export const FOREIGN = fileURLToPath(new URL('../../../.services/foreign-suites', import.meta.url))
export const FOREIGN_PYTHON = `${FOREIGN}/bin/python`

/** What became of one test of somebody else's. */
export interface Outcome {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped, or the end of its trace. */
  readonly detail: string
}

/** How a runner of test/conformance/peers is started. */
export interface ForeignRun {
  readonly python: string
  /** The name of its file, without `.py`. */
  readonly runner: string
  readonly args: readonly string[]
  readonly folder?: string | undefined
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly timeoutMs: number
}

/** Runs a suite to its end. @throws {Error} with what it wrote last where it has not ended well in time. */
export async function runForeign(run: ForeignRun): Promise<readonly Outcome[]> {
  const program = fileURLToPath(new URL(`../peers/${run.runner}.py`, import.meta.url))
  const child = spawn(run.python, [program, ...run.args], {
    cwd: run.folder,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...run.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Some runners fork: the end of time is the end of all of them.
    detached: true,
  })
  const outcomes: Outcome[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4000)))
  createInterface({ input: child.stdout }).on('line', (line) => outcomes.push(JSON.parse(line) as Outcome))
  const timer = setTimeout(
    () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'),
    run.timeoutMs,
  )
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  if (status !== 0) throw new Error(`${run.runner} ended with ${status ?? signal}\n${stderr}`)
  return outcomes
}

/**
 * What is not as it is written down: tests that fail or are skipped and are not excluded, tests that are excluded and
 * pass, and exclusions of tests that are not there.
 */
export function surprises(outcomes: readonly Outcome[], exclusions: readonly Exclusion[]): readonly string[] {
  const excluded = new Set(exclusions.filter((one) => one.how === 'fails').flatMap(({ tests }) => tests))
  const seen = new Set(outcomes.map(({ name }) => name))
  return [
    ...outcomes.flatMap(({ name, outcome, detail }) => {
      if (excluded.has(name)) return outcome === 'passed' ? [`${name} is excluded, and passes`] : []
      return outcome === 'passed' ? [] : [`${name} ${outcome}: ${detail}`]
    }),
    ...[...excluded].filter((name) => !seen.has(name)).map((name) => `${name} is excluded, and is not there`),
  ]
}

/** "N of M passed", as the tables of docs/broker-conformance.md say it. */
export function count(outcomes: readonly Outcome[]): string {
  return `${outcomes.filter(({ outcome }) => outcome === 'passed').length} of ${outcomes.length} passed`
}

/** The tests that a runner must not start. */
export function leftOut(exclusions: readonly Exclusion[]): readonly string[] {
  return exclusions.filter((one) => one.how === 'left out').flatMap(({ tests }) => tests)
}

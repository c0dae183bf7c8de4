import { randomInt } from 'node:crypto'
import type { CliIo } from '../cli-io.ts'
import { rateOf } from '../flag-values.ts'
import { viewPlan, type ViewFlags, type ViewPlan } from './listen-plan.ts'

/** The flags of `hermod demo` as commander hands them over. */
export interface DemoFlags extends ViewFlags {
  readonly rate?: string
  readonly seed?: string
}

/** What `hermod demo` shall do: every flag checked. */
export interface DemoPlan extends ViewPlan {
  readonly seed: number
  readonly eventsPerSecond: number
}

const EVENTS_PER_SECOND = 4
/** Each is confirmed before the next one leaves. */
const MOST_EVENTS_PER_SECOND = 500

/** Seeds that the command makes up itself are short: somebody may want to type one. */
const MADE_UP_SEEDS = 10_000

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function demoPlan(
  patterns: readonly string[],
  flags: DemoFlags,
  io: Pick<CliIo, 'env' | 'isTty'>,
  issues: string[],
): DemoPlan | undefined {
  const eventsPerSecond = rateOf('--rate', flags.rate, MOST_EVENTS_PER_SECOND, issues) ?? EVENTS_PER_SECOND
  const seed = seedOf(flags.seed, issues)
  const view = viewPlan(patterns, flags, io, issues)
  return view === undefined ? undefined : { ...view, seed, eventsPerSecond }
}

function seedOf(text: string | undefined, issues: string[]): number {
  if (text === undefined) return randomInt(MADE_UP_SEEDS)
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  issues.push(`--seed '${text}' is not a whole number from 0 to ${2 ** 32 - 1}`)
  return 0
}

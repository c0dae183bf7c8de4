import { countOf, durationOf } from '../flag-values.ts'
import type { CliIo } from '../cli-io.ts'
import { targetOf, type TargetArgument } from '../target-argument.ts'
import { rpcPlan, type RpcFlags, type RpcPlan } from './rpc-plan.ts'

/** The flags of `hermod rpc ping`. */
export interface PingFlags extends RpcFlags {
  readonly count?: string
  readonly interval?: string
}

/** What `hermod rpc ping` shall do. */
export interface PingPlan extends RpcPlan {
  readonly targets: readonly TargetArgument[]
  /** How often each target is pinged. */
  readonly count: number
  /** From the beginning of one round to that of the next. */
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** How long an answer may take; a service that needs longer is in trouble, and that is what is asked for. */
const PING_TIMEOUT_MS = 5000

const PING_INTERVAL_MS = 1000

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function pingPlan(
  targets: readonly string[],
  flags: PingFlags,
  io: Pick<CliIo, 'env' | 'isTty'>,
  issues: string[],
): PingPlan | undefined {
  const plan = rpcPlan(flags, io, issues)
  const pinging = {
    ...plan,
    targets: targets.map((target) => targetOf(target, undefined, issues)),
    count: countOf('--count', flags.count, issues) ?? 1,
    intervalMs: durationOf('--interval', flags.interval, issues) ?? PING_INTERVAL_MS,
    timeoutMs: plan.timeoutMs ?? PING_TIMEOUT_MS,
  }
  return issues.length > 0 ? undefined : pinging
}

import type { ControlRequest } from '../broker/control-message.ts'
import type { CliIo } from '../cli-io.ts'
import { choiceOf, durationOf } from '../flag-values.ts'

/** The flags of `hermod broker stop` and `status` as commander hands them over. */
export interface BrokerControlFlags {
  readonly pidFile?: string
  readonly timeout?: string
  readonly output?: string
  readonly quiet?: boolean
}

/** What `hermod broker stop` or `status` shall do: every flag checked. */
export interface BrokerControlPlan {
  readonly request: ControlRequest
  readonly pidFile: string | undefined
  readonly timeoutMs: number
  readonly output: 'pretty' | 'json'
  readonly quiet: boolean
}

const TIMEOUT_MS: Readonly<Record<ControlRequest, number>> = { status: 5000, stop: 10_000 }

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function brokerControlPlan(
  request: ControlRequest,
  flags: BrokerControlFlags,
  io: Pick<CliIo, 'isTty'>,
  issues: string[],
): BrokerControlPlan | undefined {
  if (flags.pidFile === '') issues.push('--pid-file is empty; give the path that the broker was started with')
  const plan = {
    request,
    pidFile: flags.pidFile,
    timeoutMs: durationOf('--timeout', flags.timeout, issues) ?? TIMEOUT_MS[request],
    output: choiceOf('--output', flags.output, ['pretty', 'json'], issues) ?? (io.isTty ? 'pretty' : 'json'),
    quiet: flags.quiet === true,
  } as const
  return issues.length > 0 ? undefined : plan
}

import { serviceOfRpcTarget } from '@hermod/openstack'
import { membersOf, type MembersSource } from '../argument-members.ts'
import { transportRequest, type ConnectionFlags, type ConnectionRequest } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { choiceOf, durationOf } from '../flag-values.ts'
import { targetOf, targetText, type TargetArgument } from '../target-argument.ts'

/** The flags that all of `hermod rpc` shares, as commander hands them over. */
export interface RpcFlags extends ConnectionFlags {
  /** Of the target. */
  readonly version?: string
  readonly exchange?: string
  readonly output?: string
  readonly timeout?: string
  readonly quiet?: boolean
}

/** The flags of `hermod rpc call`, `cast` and `fanout`. */
export interface RpcRequestFlags extends RpcFlags {
  readonly namespace?: string
  readonly server?: string
  readonly callMonitor?: string
  readonly context?: string
  readonly yes?: boolean
  readonly verbose?: boolean
}

/** What goes for every command of `hermod rpc`: each flag checked. */
export interface RpcPlan {
  readonly connection: ConnectionRequest
  readonly exchange: string | undefined
  readonly version: string | undefined
  readonly timeoutMs: number | undefined
  readonly output: 'pretty' | 'json'
  readonly quiet: boolean
}

/** How a request is sent. */
export type RpcKind = 'call' | 'cast' | 'fanout'

/** What `hermod rpc call`, `cast` and `fanout` shall do. */
export interface RpcRequestPlan extends RpcPlan {
  readonly kind: RpcKind
  readonly target: TargetArgument
  readonly method: string
  readonly args: MembersSource
  readonly namespace: string | undefined
  readonly callMonitorMs: number | undefined
  readonly contextFile: string | undefined
  /** What to ask before it is sent; undefined: nothing. */
  readonly question: string | undefined
  /** Show the server's traceback. */
  readonly verbose: boolean
}

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function rpcRequestPlan(
  kind: RpcKind,
  [target, method, ...words]: readonly [target: string, method: string, ...words: string[]],
  flags: RpcRequestFlags,
  io: Pick<CliIo, 'env' | 'isTty' | 'ask'>,
  issues: string[],
): RpcRequestPlan | undefined {
  const addressee = targetOf(target, flags.server, issues)
  if (kind === 'fanout' && addressee.server !== undefined)
    issues.push(
      `fanout reaches every server of a topic, not '${addressee.server}' alone; where '@' belongs to the topic, end it with another '@'`,
    )
  if (kind !== 'call' && flags.callMonitor !== undefined)
    issues.push(`--call-monitor waits for signs of life of a call; ${kind} has no reply`)
  if (method === '') issues.push('the method is empty')
  const args = membersOf(words, issues)
  if (args.type === 'file' && args.path === '-' && flags.context === '-')
    issues.push('stdin cannot hold both the arguments and the context')
  const plan = {
    ...rpcPlan(flags, io, issues),
    kind,
    target: addressee,
    method,
    args,
    namespace: flags.namespace,
    callMonitorMs: durationOf('--call-monitor', flags.callMonitor, issues),
    contextFile: flags.context,
    verbose: flags.verbose === true,
  }
  const service = serviceOfRpcTarget(addressee.topic, flags.exchange)
  const asks = service !== undefined && flags.yes !== true
  if (asks && io.ask === undefined)
    issues.push(
      `'${addressee.topic}' is a topic of ${service}, and a stray ${kind} can do harm there; give --yes if you mean it`,
    )
  if (issues.length > 0) return undefined
  const question = `send ${kind} '${method}' to ${service} (${targetText(addressee)})?`
  return { ...plan, question: asks ? question : undefined }
}

/** What is common to all of `hermod rpc`; the problems go to `issues`. */
export function rpcPlan(flags: RpcFlags, io: Pick<CliIo, 'env' | 'isTty'>, issues: string[]): RpcPlan {
  if (flags.exchange === '') issues.push('--exchange is empty; give the exchange of the service')
  if (flags.version !== undefined && !/^\d+\.\d+(?:\.\d+)?$/.test(flags.version))
    issues.push(`--version '${flags.version}' is no version of a target; write major.minor, for example 1.0`)
  const output = choiceOf('--output', flags.output, ['pretty', 'json'], issues)
  return {
    connection: transportRequest(flags, io.env, issues),
    exchange: flags.exchange,
    version: flags.version,
    timeoutMs: durationOf('--timeout', flags.timeout, issues),
    output: output ?? (io.isTty ? 'pretty' : 'json'),
    quiet: flags.quiet === true,
  }
}

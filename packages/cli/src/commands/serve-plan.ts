import { hostname } from 'node:os'
import type { AccessPolicy } from '@hermod/messaging'
import { serviceOfRpcTarget } from '@hermod/openstack'
import { transportRequest, type ConnectionFlags, type ConnectionRequest } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { choiceOf, countOf, durationOf } from '../flag-values.ts'

/** The flags of `hermod serve` as commander hands them over. */
export interface ServeFlags extends ConnectionFlags {
  readonly topic?: string
  readonly server?: string
  readonly exchange?: string
  readonly namespace?: string
  readonly version?: string
  readonly echo?: boolean
  readonly exec?: boolean
  readonly concurrency?: string
  readonly timeout?: string
  readonly accessPolicy?: string
  readonly yes?: boolean
  readonly quiet?: boolean
}

/** What answers the requests. */
type ServeSource =
  | { readonly type: 'echo' }
  | { readonly type: 'handlers'; readonly path: string }
  | { readonly type: 'exec'; readonly argv: readonly [program: string, ...args: string[]] }

/** What `hermod serve` shall do: every flag checked. */
export interface ServePlan {
  readonly connection: ConnectionRequest
  readonly source: ServeSource
  readonly topic: string
  readonly server: string
  readonly exchange: string | undefined
  readonly namespace: string | undefined
  readonly version: string | undefined
  readonly concurrency: number
  /** For a program. */
  readonly timeoutMs: number
  readonly accessPolicy: AccessPolicy
  /** What to ask before anything is taken; undefined: nothing. */
  readonly question: string | undefined
  readonly quiet: boolean
}

const POLICIES: readonly AccessPolicy[] = ['default', 'legacy', 'explicit']

const CONCURRENCY = 64

/** Each is a process. */
const EXEC_CONCURRENCY = 8

const EXEC_TIMEOUT_MS = 60_000

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function servePlan(
  words: readonly string[],
  flags: ServeFlags,
  io: Pick<CliIo, 'env' | 'ask'>,
  issues: string[],
): ServePlan | undefined {
  const source = sourceOf(words, flags, issues)
  const { topic = '' } = flags
  if (topic === '') issues.push('no topic is given; give --topic, for example --topic demo')
  if (flags.server === '') issues.push('--server is empty; leave it out for the name of this host')
  if (flags.exchange === '') issues.push('--exchange is empty; give the exchange of the service')
  if (flags.version !== undefined && !/^\d+\.\d+(?:\.\d+)?$/.test(flags.version))
    issues.push(`--version '${flags.version}' is no version; write major.minor, for example 1.0`)
  if (flags.timeout !== undefined && source?.type !== 'exec')
    issues.push('--timeout is for the programs of --exec; handlers limit themselves')
  const accessPolicy = choiceOf('--access-policy', flags.accessPolicy, POLICIES, issues)
  if (accessPolicy === 'explicit' && source !== undefined && source.type !== 'handlers')
    issues.push(
      `--access-policy explicit is for handlers that list what they expose; --${source.type} has no list`,
    )
  const service = serviceOfRpcTarget(topic, flags.exchange)
  const asks = service !== undefined && flags.yes !== true
  if (asks && io.ask === undefined)
    issues.push(
      `'${topic}' is a topic of ${service}: a server there takes requests away from it; give --yes if you mean it`,
    )
  const plan = {
    connection: transportRequest(flags, io.env, issues),
    topic,
    server: flags.server ?? hostname(),
    exchange: flags.exchange,
    namespace: flags.namespace,
    version: flags.version,
    concurrency:
      countOf('--concurrency', flags.concurrency, issues) ??
      (source?.type === 'exec' ? EXEC_CONCURRENCY : CONCURRENCY),
    timeoutMs: durationOf('--timeout', flags.timeout, issues) ?? EXEC_TIMEOUT_MS,
    accessPolicy: accessPolicy ?? 'default',
    question: asks ? `take requests away from ${service} (topic ${topic})?` : undefined,
    quiet: flags.quiet === true,
  }
  return issues.length > 0 || source === undefined ? undefined : { ...plan, source }
}

function sourceOf(
  [first, ...rest]: readonly string[],
  { echo = false, exec = false }: ServeFlags,
  issues: string[],
): ServeSource | undefined {
  if (echo && exec) issues.push('--echo and --exec exclude each other; give one of them')
  if (exec) {
    if (first !== undefined && first !== '') return { type: 'exec', argv: [first, ...rest] }
    issues.push('--exec needs a program behind all flags, for example --exec ./answer.py')
    return undefined
  }
  if (echo) {
    if (first === undefined) return { type: 'echo' }
    issues.push(`--echo serves no '${first}'; give one of the two`)
    return undefined
  }
  if (first === undefined || first === '')
    issues.push('nothing to serve with; give a file with handlers, --echo, or --exec and a program')
  else if (rest.length > 0)
    issues.push(`one file with handlers is served, not also '${rest[0]}'; flags stand before the file`)
  else return { type: 'handlers', path: first }
  return undefined
}

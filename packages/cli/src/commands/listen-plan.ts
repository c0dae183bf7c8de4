import { compilePatterns } from '@hermod/events'
import { connectionRequest, type ConnectionFlags, type ConnectionRequest } from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import type { FilterRequest } from '../filters.ts'
import { choiceOf, countOf, durationOf, namesOf } from '../flag-values.ts'
import { priorityOf } from '../priority-flag.ts'

/** The flags of `hermod listen` as commander hands them over. */
export interface ListenFlags extends ConnectionFlags, ViewFlags {
  readonly exchange?: readonly string[]
  readonly topic?: readonly string[]
}

/** Those of them that say what is shown, how, and for how long. */
export interface ViewFlags {
  readonly service?: readonly string[]
  readonly priority?: readonly string[]
  readonly count?: string
  readonly for?: string
  readonly untilIdle?: string
  readonly output?: string
  readonly color: boolean
  readonly quiet?: boolean
}

/** What `hermod listen` shall do: every flag checked. */
export interface ListenPlan extends ViewPlan {
  readonly connection: ConnectionRequest
  /** Only these exchanges; undefined for all known ones. */
  readonly exchanges: readonly string[] | undefined
  readonly topics: readonly string[]
}

/** What is shown, how, and for how long. */
export interface ViewPlan {
  readonly filter: FilterRequest
  /** Whether the filter can reject anything. */
  readonly filtered: boolean
  readonly count: number | undefined
  readonly forMs: number | undefined
  readonly untilIdleMs: number | undefined
  readonly output: 'pretty' | 'ndjson'
  readonly colours: boolean
  readonly quiet: boolean
}

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function listenPlan(
  patternArguments: readonly string[],
  flags: ListenFlags,
  io: Pick<CliIo, 'env' | 'isTty'>,
  issues: string[],
): ListenPlan | undefined {
  const exchanges = flags.exchange === undefined ? undefined : namesOf('--exchange', flags.exchange, issues)
  const topics = flags.topic ?? []
  checkTopics('--topic', topics, issues)
  const connection = connectionRequest(flags, io.env, issues)
  const view = viewPlan(patternArguments, flags, io, issues)
  return view === undefined ? undefined : { ...view, connection, exchanges, topics }
}

/** The same for what is shown alone. */
export function viewPlan(
  patternArguments: readonly string[],
  flags: ViewFlags,
  io: Pick<CliIo, 'env' | 'isTty'>,
  issues: string[],
): ViewPlan | undefined {
  const patterns = patternArguments.flatMap((pattern) => pattern.split(',')).map((pattern) => pattern.trim())
  checkPatterns(patterns, issues)
  const services = namesOf('--service', flags.service ?? [], issues)
  const priorities = (flags.priority ?? []).map((name) => priorityOf(name, issues) ?? name)
  const output = choiceOf('--output', flags.output, ['pretty', 'ndjson'], issues)
  const plan = {
    filtered: patterns.length + services.length + priorities.length > 0,
    count: countOf('--count', flags.count, issues),
    forMs: durationOf('--for', flags.for, issues),
    untilIdleMs: durationOf('--until-idle', flags.untilIdle, issues),
    output: output ?? (io.isTty ? 'pretty' : 'ndjson'),
    colours: flags.color && io.isTty && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb',
    quiet: flags.quiet === true,
  }
  if (issues.length > 0) return undefined
  return { ...plan, filter: { matchesType: compilePatterns(patterns), services, priorities } }
}

/**
 * Topics become binding keys (`TOPIC.*`), and the exchanges of notifications also carry remote calls with tokens in
 * them: a wildcard in a topic would copy those. The problems go to `issues`.
 */
export function checkTopics(origin: string, topics: readonly string[], issues: string[]): void {
  for (const topic of topics) {
    if (topic === '')
      issues.push(`${origin} has an empty name; give a topic, for example ${origin} notifications`)
    else if (/[#*]/.test(topic))
      issues.push(
        `${origin} '${topic}' holds a wildcard; give a plain topic: a wildcard would copy remote calls, which carry tokens on the same exchanges`,
      )
    else if (Buffer.byteLength(topic) > LONGEST_TOPIC)
      issues.push(`${origin} is longer than ${LONGEST_TOPIC} bytes, more than a routing key can hold`)
  }
}

/** A routing key is a short string of at most 255 bytes, and `.*` is added. @source AMQP 0-9-1 §4.2.5.3 */
const LONGEST_TOPIC = 253

function checkPatterns(patterns: readonly string[], issues: string[]): void {
  for (const pattern of patterns) {
    if (pattern === '' || pattern === '!')
      issues.push(`pattern '${pattern}' is empty; use '*' for every event type`)
    // The text may hold a password, so it is not repeated.
    else if (pattern.includes('://')) issues.push('a pattern looks like a URL; give the broker with --url')
  }
}

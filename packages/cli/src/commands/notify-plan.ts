import { hostname } from 'node:os'
import type { Priority } from '@hermod/messaging'
import { eventSample, sampledEventTypes, type EventSample } from '@hermod/openstack'
import { membersOf, type MembersSource } from '../argument-members.ts'
import {
  namesBroker,
  transportRequest,
  type ConnectionFlags,
  type ConnectionRequest,
} from '../connection-flags.ts'
import type { CliIo } from '../cli-io.ts'
import { choiceOf, countOf, durationOf } from '../flag-values.ts'
import { priorityOf } from '../priority-flag.ts'
import { checkTopics } from './listen-plan.ts'

/** The flags of `hermod notify` as commander hands them over. */
export interface NotifyFlags extends ConnectionFlags {
  readonly priority?: string
  readonly publisherId?: string
  readonly exchange?: string
  readonly topic?: readonly string[]
  readonly envelope?: string
  readonly sample?: boolean
  readonly context?: string
  readonly count?: string
  readonly interval?: string
  readonly timeout?: string
  readonly dryRun?: boolean
  readonly quiet?: boolean
}

/** What `hermod notify` shall do: every flag checked. */
export type NotifyPlan = NotifyFacts &
  (
    | { readonly dryRun: false; readonly connection: ConnectionRequest }
    /** Needs no broker, but says where it would go where one is named. */
    | { readonly dryRun: true; readonly connection: ConnectionRequest | undefined }
  )

/** What is sent, and how. */
interface NotifyFacts {
  readonly eventType: string
  /** What the payload begins with, and what the flags leave open. */
  readonly sample: EventSample | undefined
  readonly payload: MembersSource
  readonly priority: Priority
  readonly publisherId: string
  /** Undefined: the conf file's, else `openstack`. */
  readonly exchange: string | undefined
  /** Undefined: the conf file's, else `notifications`. */
  readonly topics: readonly string[] | undefined
  readonly envelope: '1.0' | '2.0'
  readonly contextFile: string | undefined
  readonly count: number
  /** From the beginning of one to that of the next; undefined: at once. */
  readonly intervalMs: number | undefined
  /** For each. */
  readonly timeoutMs: number
  readonly quiet: boolean
}

const TIMEOUT_MS = 30_000

/** The flags as a plan; undefined when any of them cannot be used, each problem then being in `issues`. */
export function notifyPlan(
  eventType: string,
  words: readonly string[],
  flags: NotifyFlags,
  io: Pick<CliIo, 'env'>,
  issues: string[],
): NotifyPlan | undefined {
  if (eventType === '') issues.push('the event type is empty; give one, for example demo.order.created')
  else if (eventType.includes('://'))
    issues.push('the event type looks like a URL; give the broker with --url')
  else if (/^[^.]+=/.test(eventType)) issues.push(`the event type is missing before '${keyOf(eventType)}='`)
  if (flags.exchange === '') issues.push('--exchange is empty; give the exchange of the service')
  checkTopics('--topic', flags.topic ?? [], issues)
  const sample = flags.sample === true ? sampleOf(eventType, issues) : undefined
  const payload = membersOf(words, issues)
  if (payload.type === 'file' && payload.path === '-' && flags.context === '-')
    issues.push('stdin cannot hold both the payload and the context')
  const priority = priorityOf(flags.priority, issues) ?? sample?.priority ?? 'info'
  const facts: NotifyFacts = {
    eventType,
    sample,
    payload,
    priority,
    publisherId: flags.publisherId ?? sample?.publisherId ?? `hermod.${hostname()}`,
    exchange: flags.exchange ?? sample?.exchange,
    topics: flags.topic,
    envelope: choiceOf('--envelope', flags.envelope, ['v1', 'v2'], issues) === 'v1' ? '1.0' : '2.0',
    contextFile: flags.context,
    count: countOf('--count', flags.count, issues) ?? 1,
    intervalMs: durationOf('--interval', flags.interval, issues),
    timeoutMs: durationOf('--timeout', flags.timeout, issues) ?? TIMEOUT_MS,
    quiet: flags.quiet === true,
  }
  const unconnected = flags.dryRun === true && !namesBroker(flags, io.env)
  const connection = unconnected ? undefined : transportRequest(flags, io.env, issues)
  if (issues.length > 0) return undefined
  if (connection === undefined || flags.dryRun === true) return { ...facts, dryRun: true, connection }
  return { ...facts, dryRun: false, connection }
}

function keyOf(word: string): string {
  return word.slice(0, word.indexOf('=')).replace(/:$/, '')
}

const SHOWN_TYPES = 8

function sampleOf(eventType: string, issues: string[]): EventSample | undefined {
  const sample = eventSample(eventType)
  if (sample !== undefined) return sample
  const types = sampledEventTypes()
  const [family = ''] = eventType.split('.')
  const near = types.filter((type) => type.startsWith(`${family}.`))
  const shown = (near.length > 0 ? near : types.filter((_, at) => at % 15 === 0)).slice(0, SHOWN_TYPES)
  issues.push(
    `there is no sample of '${eventType}' among the ${types.length} of keystone, neutron and nova; there are for example ${shown.join(', ')}`,
  )
  return undefined
}

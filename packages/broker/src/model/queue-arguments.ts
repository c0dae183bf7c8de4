import { notImplemented, preconditionFailed } from '../amqp-error.ts'
import type { Profile } from '../profile.ts'
import { parseAge } from './age.ts'
import {
  atMost,
  bool,
  checkNames,
  checkValues,
  integer,
  lease,
  nonNegative,
  oneOf,
  positive,
  routingKey,
  text,
  timeToLive,
  type ArgumentCheck,
} from './argument-checks.ts'
import { erlangString, erlangTerm } from './erlang-text.ts'
import { NO_FIELDS, type Fields } from './field.ts'

export type QueueType = 'classic' | 'quorum' | 'stream'

const QUEUE_TYPES: readonly string[] = ['classic', 'quorum', 'stream']

/** @source rabbit_amqqueue:declare_args, in its order */
const CHECKS: ReadonlyMap<string, ArgumentCheck> = new Map([
  ['x-expires', lease],
  ['x-message-ttl', timeToLive],
  ['x-dead-letter-exchange', text],
  [
    'x-dead-letter-routing-key',
    (field, all) =>
      routingKey(field, all) ??
      (all.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined'),
  ],
  ['x-dead-letter-strategy', oneOf(['at-most-once', 'at-least-once'], () => 'invalid_dlx_strategy')],
  ['x-max-length', nonNegative],
  ['x-max-length-bytes', nonNegative],
  ['x-max-in-memory-length', nonNegative],
  ['x-max-in-memory-bytes', nonNegative],
  ['x-max-priority', atMost(255)],
  ['x-overflow', oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], () => 'invalid_overflow')],
  ['x-queue-mode', oneOf(['default', 'lazy'], (mode) => erlangString(`unsupported queue mode '${mode}'`))],
  [
    'x-queue-version',
    (field, all) =>
      nonNegative(field, all) ??
      ([1, 2].includes(Number(field.value))
        ? undefined
        : erlangString(`unsupported queue version '${erlangTerm(field)}'`)),
  ],
  ['x-single-active-consumer', bool],
  ['x-quorum-initial-group-size', positive],
  [
    'x-max-age',
    (field, all) =>
      text(field, all) ?? (parseAge(field.value as string) === undefined ? 'invalid_max_age' : undefined),
  ],
  ['x-stream-max-segment-size-bytes', nonNegative],
  ['x-initial-cluster-size', positive],
  ['x-queue-master-locator', text],
  [
    'x-queue-leader-locator',
    oneOf(['client-local', 'balanced', 'random', 'least-leaders'], () => 'invalid_queue_locator_arg'),
  ],
])

const TYPE_CHECK: ReadonlyMap<string, ArgumentCheck> = new Map([
  ['x-queue-type', oneOf(QUEUE_TYPES, (type) => erlangString(`unsupported queue type '${type}'`))],
])
const TYPE_KEY: ReadonlySet<string> = new Set(['x-queue-type'])

/** The arguments that each type of queue has. @source capabilities/0 of rabbit_classic_queue and its siblings */
const KNOWN: Readonly<Record<QueueType, ReadonlySet<string>>> = {
  classic: new Set([
    'x-expires',
    'x-message-ttl',
    'x-dead-letter-exchange',
    'x-dead-letter-routing-key',
    'x-max-length',
    'x-max-length-bytes',
    'x-max-priority',
    'x-overflow',
    'x-queue-mode',
    'x-queue-version',
    'x-single-active-consumer',
    'x-queue-type',
    'x-queue-master-locator',
  ]),
  quorum: new Set([
    'x-dead-letter-exchange',
    'x-dead-letter-routing-key',
    'x-dead-letter-strategy',
    'x-expires',
    'x-max-length',
    'x-max-length-bytes',
    'x-max-in-memory-length',
    'x-max-in-memory-bytes',
    'x-overflow',
    'x-single-active-consumer',
    'x-queue-type',
    'x-quorum-initial-group-size',
    'x-delivery-limit',
    'x-message-ttl',
    'x-queue-leader-locator',
  ]),
  stream: new Set([
    'x-max-length-bytes',
    'x-queue-type',
    'x-max-age',
    'x-stream-max-segment-size-bytes',
    'x-initial-cluster-size',
    'x-queue-leader-locator',
  ]),
}

const knownElsewhere =
  (type: QueueType) =>
  (key: string): boolean =>
    !KNOWN[type].has(key) && Object.values(KNOWN).some((known) => known.has(key))

/** @source rabbit_stream_queue:check_max_segment_size_bytes */
const LARGEST_SEGMENT = 3_000_000_000

/** The arguments of a type that a second declaration must repeat. */
export const comparedQueueArguments = (type: QueueType): readonly string[] => [...KNOWN[type]]

/** What the arguments of a queue say. Absent limits are `undefined`. */
export interface QueueSettings {
  readonly type: QueueType
  readonly expiresMs: number | undefined
  readonly messageTtlMs: number | undefined
  readonly deadLetterExchange: string | undefined
  readonly deadLetterKey: string | undefined
  /** Whether a message that died stays until other queues have it (`x-dead-letter-strategy: at-least-once`). */
  readonly keepsDeadLetters: boolean
  readonly maxLength: number
  readonly maxBytes: number
  readonly overflow: 'drop-head' | 'reject-publish' | 'reject-publish-dlx'
  readonly maxPriority: number
  readonly singleActiveConsumer: boolean
  readonly deliveryLimit: number
  readonly maxAgeMs: number
}

/** The type that a declaration asks for. @throws {AmqpError} 406 for one that does not exist */
function queueTypeOf(resource: string, args: Fields): QueueType {
  checkValues(resource, args, TYPE_CHECK, TYPE_KEY)
  return (args.get('x-queue-type')?.value ?? 'classic') as QueueType
}

/** Checks the arguments of a queue that does not exist yet. @throws {AmqpError} 406 */
export function readQueueArguments(resource: string, args: Fields, profile: Profile): QueueSettings {
  const type = queueTypeOf(resource, args)
  checkValues(resource, args, CHECKS, KNOWN[type])
  checkNames(resource, args, type, knownElsewhere(type))
  if (
    type === 'stream' &&
    Number(args.get('x-stream-max-segment-size-bytes')?.value ?? 0) > LARGEST_SEGMENT
  ) {
    throw preconditionFailed('Exceeded max value for x-stream-max-segment-size-bytes')
  }
  const refused = profile.refusedQueueArguments.find((key) => args.has(key))
  if (refused !== undefined) {
    throw preconditionFailed(`invalid arg '${refused}' for ${resource} of queue type rabbit_${type}_queue`)
  }
  const number = (key: string): number | undefined =>
    args.has(key) ? Number(args.get(key)?.value) : undefined
  const word = (key: string): string | undefined => args.get(key)?.value as string | undefined
  return {
    type,
    expiresMs: number('x-expires'),
    messageTtlMs: number('x-message-ttl'),
    deadLetterExchange: word('x-dead-letter-exchange'),
    deadLetterKey: word('x-dead-letter-routing-key'),
    // RabbitMQ falls back to at-most-once where what is too much is dropped.
    keepsDeadLetters:
      type === 'quorum' &&
      args.has('x-dead-letter-exchange') &&
      word('x-dead-letter-strategy') === 'at-least-once' &&
      word('x-overflow') === 'reject-publish',
    maxLength: number('x-max-length') ?? Infinity,
    maxBytes: number('x-max-length-bytes') ?? Infinity,
    overflow: overflowOf(type, word('x-overflow')),
    maxPriority: number('x-max-priority') ?? (type === 'quorum' ? profile.quorumPriorities : 0),
    singleActiveConsumer: args.get('x-single-active-consumer')?.value === true,
    deliveryLimit: type === 'quorum' ? deliveryLimit(number('x-delivery-limit'), profile) : Infinity,
    maxAgeMs: parseAge(word('x-max-age') ?? '') ?? Infinity,
  }
}

/** Quorum queues do not know the mode of dead letters, and take it for the default. @source rabbit_quorum_queue:overflow */
function overflowOf(type: QueueType, asked = 'drop-head'): QueueSettings['overflow'] {
  if (type === 'quorum' && asked === 'reject-publish-dlx') return 'drop-head'
  return asked as QueueSettings['overflow']
}

/** A negative limit is none. What is no number at all is none either, as in RabbitMQ 3.10, which does not check it. */
function deliveryLimit(limit: number | undefined, profile: Profile): number {
  if (limit === undefined) return profile.deliveryLimit ?? Infinity
  return limit >= 0 ? limit : Infinity
}

/** Properties that only classic queues may have. @throws {AmqpError} 406 @source rabbit_queue_type_util */
export function checkReplicatedProperties(
  resource: string,
  queue: { readonly durable: boolean; readonly exclusive: boolean; readonly autoDelete: boolean },
): void {
  const wrong = queue.autoDelete
    ? 'auto-delete'
    : queue.exclusive
      ? 'exclusive-owner'
      : queue.durable
        ? undefined
        : 'non-durable'
  if (wrong !== undefined) throw preconditionFailed(`invalid property '${wrong}' for ${resource}`)
}

const CONSUMER_CHECKS: ReadonlyMap<string, ArgumentCheck> = new Map([
  ['x-priority', integer],
  ['x-cancel-on-ha-failover', bool],
  ['x-stream-offset', streamOffset],
])

function streamOffset(field: Parameters<ArgumentCheck>[0]): string | undefined {
  const { type, value } = field
  if (type === 'timestamp' || integer(field, NO_FIELDS) === undefined) return undefined
  if (type !== 'longstr') return `{invalid_stream_offset_arg,{${type},${erlangTerm(field)}}}`
  if (['first', 'last', 'next'].includes(value as string)) return undefined
  if (parseAge(value as string) !== undefined) return undefined
  return `{invalid_stream_offset_arg,{longstr,<<${erlangString(value as string)}>>}}`
}

const CONSUMER_KNOWN: Readonly<Record<QueueType, ReadonlySet<string>>> = {
  classic: new Set(['x-cancel-on-ha-failover', 'x-priority', 'x-credit']),
  quorum: new Set(['x-priority', 'x-credit']),
  stream: new Set(['x-stream-offset', 'x-credit']),
}

/** Checks the arguments of basic.consume. @throws {AmqpError} 406 @source rabbit_amqqueue:check_consume_arguments */
export function checkConsumerArguments(resource: string, args: Fields, type: QueueType): void {
  if (args.size === 0) return
  checkValues(resource, args, CONSUMER_CHECKS, CONSUMER_KNOWN[type])
  checkNames(
    resource,
    args,
    type,
    (key) => !CONSUMER_KNOWN[type].has(key) && Object.values(CONSUMER_KNOWN).some((known) => known.has(key)),
  )
}

/** @throws {AmqpError} 540 for a consumer under a limit for its whole channel */
export function refuseGlobalPrefetch(resource: string, consumer: { readonly globalPrefetch: boolean }): void {
  if (consumer.globalPrefetch) throw notImplemented(`${resource} does not support global qos`)
}

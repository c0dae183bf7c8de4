import type { ProfileName } from '@hermod/broker'
import fc from 'fast-check'

/** How one of the queues of a case is declared, whenever it is. */
export interface QueueSpec {
  readonly kind: 'classic' | 'quorum'
  readonly single: boolean
  /** The highest priority; 0 for a queue without. */
  readonly priorities: number
  readonly length: number | undefined
  readonly bytes: number | undefined
  readonly overflow: 'drop-head' | 'reject-publish' | 'reject-publish-dlx'
  readonly ttlMs: number | undefined
  /** Never a whole second, as times to live are: what happens in the same moment has no order. */
  readonly expiresMs: number | undefined
  readonly dead: { readonly exchange: string; readonly key: string | undefined } | undefined
  readonly deliveryLimit: number | undefined
  readonly autoDelete: boolean
  readonly exclusive: boolean
  /** Whether the exchange `fan` leads to it. */
  readonly bound: boolean
}

/** What is done; where it names something by a number, this is taken modulo how many there are. */
export type Act =
  | {
      readonly do: 'publish'
      readonly to: Address
      readonly count: number
      readonly mandatory: boolean
      readonly priority: number | undefined
      readonly ttlMs: number | undefined
      readonly size: number
      readonly copy: string | undefined
    }
  | {
      readonly do: 'consume'
      readonly queue: string
      readonly noAck: boolean
      readonly exclusive: boolean
      readonly priority: number
    }
  | { readonly do: 'cancel'; readonly nth: number }
  | { readonly do: 'get'; readonly queue: string; readonly noAck: boolean }
  | { readonly do: 'ack'; readonly nth: number; readonly multiple: boolean }
  | { readonly do: 'nack'; readonly nth: number; readonly multiple: boolean; readonly requeue: boolean }
  | { readonly do: 'reject'; readonly nth: number; readonly requeue: boolean }
  | { readonly do: 'recover' }
  | { readonly do: 'qos'; readonly count: number; readonly global: boolean }
  | { readonly do: 'confirm' }
  | { readonly do: 'tx' }
  | { readonly do: 'commit' }
  | { readonly do: 'rollback' }
  | { readonly do: 'purge'; readonly queue: string }
  | {
      readonly do: 'delete'
      readonly queue: string
      readonly ifUnused: boolean
      readonly ifEmpty: boolean
    }
  | { readonly do: 'declare'; readonly queue: string }
  | { readonly do: 'look'; readonly queue: string }
  | { readonly do: 'close' }
  /** An ack of what is settled, and a consumer tag twice. */
  | { readonly do: 'settle twice' }
  | { readonly do: 'consume twice' }
  | { readonly do: 'hang up'; readonly how: 'drop' | 'close' }
  | { readonly do: 'wait'; readonly ms: number }

/** Where a message is sent to. */
interface Address {
  readonly exchange: string
  readonly key: string
}

/** One thing that a client does. */
export interface Step {
  readonly connection: number
  readonly channel: number
  /** Whether it leaves in one write with what the same connection did just before. */
  readonly joined: boolean
  readonly act: Act
}

/** A broker, its queues, and what clients do there. */
export interface ModelCase {
  readonly profile: ProfileName
  /** For each connection: whether it is a socket. */
  readonly sockets: readonly boolean[]
  readonly queues: Readonly<Record<string, QueueSpec>>
  readonly steps: readonly Step[]
}

export const QUEUES: readonly string[] = ['q0', 'q1', 'q2', 'q3']
/** An exchange that has its name and nothing else. */
export const MISSING = 'missing'
export const FAN = 'fan'

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const rarely = (weight: number): fc.Arbitrary<boolean> => fc.nat(weight).map((number) => number === weight)
/** There in one of so many cases and one, and absent in the simplest. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, absent = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: absent, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const queue = oneOf(...QUEUES)
const seconds = oneOf(0, 1000, 1000, 2000, 5000)

const deadLetters = fc.oneof(
  { weight: 4, arbitrary: queue.map((key) => ({ exchange: '', key })) },
  { weight: 1, arbitrary: fc.constant({ exchange: FAN, key: undefined }) },
  { weight: 1, arbitrary: fc.constant({ exchange: '', key: undefined }) },
  { weight: 1, arbitrary: fc.constant({ exchange: MISSING, key: undefined }) },
)

const classicQueue: fc.Arbitrary<QueueSpec> = fc.record({
  kind: fc.constant('classic' as const),
  single: rarely(5),
  priorities: oneOf(0, 0, 0, 2, 255),
  length: maybe(oneOf(0, 1, 2, 2, 3), 2),
  bytes: maybe(oneOf(0, 5, 12), 5),
  overflow: oneOf('drop-head', 'drop-head', 'reject-publish', 'reject-publish-dlx'),
  ttlMs: maybe(seconds, 3),
  expiresMs: maybe(oneOf(1500, 3500), 8),
  dead: maybe(deadLetters, 1),
  deliveryLimit: fc.constant(undefined),
  autoDelete: rarely(8),
  exclusive: rarely(8),
  bound: fc.boolean(),
})

const quorumQueue: fc.Arbitrary<QueueSpec> = fc.record({
  kind: fc.constant('quorum' as const),
  single: rarely(5),
  priorities: fc.constant(0),
  length: maybe(oneOf(0, 1, 2, 2, 3), 2),
  bytes: maybe(oneOf(0, 5, 12), 5),
  overflow: fc.constant('drop-head'),
  ttlMs: maybe(seconds, 3),
  expiresMs: maybe(oneOf(1500, 3500), 8),
  dead: maybe(deadLetters, 1),
  deliveryLimit: maybe(fc.nat(3), 1),
  autoDelete: fc.constant(false),
  exclusive: fc.constant(false),
  bound: fc.boolean(),
})

const someQueue = fc.oneof({ weight: 3, arbitrary: classicQueue }, { weight: 1, arbitrary: quorumQueue })

const address: fc.Arbitrary<Address> = fc.oneof(
  { weight: 8, arbitrary: queue.map((key) => ({ exchange: '', key })) },
  { weight: 2, arbitrary: fc.constant({ exchange: FAN, key: 'any' }) },
  { weight: 1, arbitrary: fc.constant({ exchange: '', key: 'nowhere' }) },
  { weight: 1, arbitrary: rarely(3).map((is) => ({ exchange: is ? MISSING : FAN, key: 'any' })) },
)

const act = <D extends Act['do']>(
  name: D,
  rest: { [K in keyof Omit<Extract<Act, { do: D }>, 'do'>]: fc.Arbitrary<Extract<Act, { do: D }>[K]> },
): fc.Arbitrary<Act> =>
  fc.record({ do: fc.constant(name), ...rest }, { noNullPrototype: true }) as unknown as fc.Arbitrary<Act>

const publish = act('publish', {
  to: address,
  count: oneOf(1, 1, 1, 2, 4),
  mandatory: rarely(3),
  priority: maybe(oneOf(0, 1, 2, 3, 9, 255), 1),
  ttlMs: maybe(seconds, 3),
  size: fc.oneof({ weight: 20, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: oneOf(4088, 4089, 9000) }),
  copy: maybe(queue, 8),
})
const settled = { nth: fc.nat(7), multiple: rarely(2) }

const someAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 24, arbitrary: publish },
  {
    weight: 12,
    arbitrary: act('consume', {
      queue,
      noAck: rarely(3),
      exclusive: rarely(9),
      priority: oneOf(0, 0, 1, -1),
    }),
  },
  { weight: 4, arbitrary: act('cancel', { nth: fc.nat(5) }) },
  { weight: 8, arbitrary: act('get', { queue, noAck: rarely(2) }) },
  { weight: 12, arbitrary: act('ack', settled) },
  { weight: 12, arbitrary: act('nack', { ...settled, requeue: fc.boolean() }) },
  { weight: 8, arbitrary: act('reject', { nth: fc.nat(7), requeue: fc.boolean() }) },
  { weight: 2, arbitrary: act('recover', {}) },
  { weight: 6, arbitrary: act('qos', { count: oneOf(1, 0, 2, 3), global: rarely(3) }) },
  { weight: 3, arbitrary: act('confirm', {}) },
  { weight: 3, arbitrary: act('tx', {}) },
  { weight: 5, arbitrary: act('commit', {}) },
  { weight: 2, arbitrary: act('rollback', {}) },
  { weight: 2, arbitrary: act('purge', { queue }) },
  { weight: 1, arbitrary: act('delete', { queue, ifUnused: rarely(3), ifEmpty: rarely(3) }) },
  { weight: 3, arbitrary: act('declare', { queue }) },
  { weight: 2, arbitrary: act('look', { queue }) },
  { weight: 3, arbitrary: act('close', {}) },
  { weight: 1, arbitrary: act('settle twice', {}) },
  { weight: 1, arbitrary: act('consume twice', {}) },
  { weight: 2, arbitrary: act('hang up', { how: oneOf('drop', 'close') }) },
  { weight: 6, arbitrary: act('wait', { ms: oneOf(1, 500, 1000, 2000, 6000) }) },
)

const step: fc.Arbitrary<Step> = fc.record(
  { connection: oneOf(0, 0, 0, 1, 1, 2), channel: oneOf(1, 1, 2), joined: rarely(2), act: someAct },
  { noNullPrototype: true },
)

/** Cases with `most` steps at most; `share` of them use sockets, one in so many. */
export const modelCase = (most: number, sockets: fc.Arbitrary<boolean>): fc.Arbitrary<ModelCase> =>
  fc.record({
    profile: oneOf('rabbitmq-4.2', 'rabbitmq-3.10', 'rabbitmq-4.3'),
    sockets: fc.tuple(sockets, sockets, sockets),
    queues: fc.record(
      Object.fromEntries(QUEUES.map((name) => [name, someQueue])) as Record<string, typeof someQueue>,
      { noNullPrototype: true },
    ),
    steps: fc.array(step, { maxLength: most, size: 'max' }),
  })

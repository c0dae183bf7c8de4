import type { Binding, Exchange, Queue } from '@hermod/amqp'
import type { NotificationSource } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { readRabbitOptions } from '../src/rabbit-options.ts'
import { RabbitTopology } from '../src/rabbit-topology.ts'
import type { RabbitOptions } from '../src/rabbit-settings.ts'

/** What the broker is told, in one line each. */
interface Declared {
  /** `type durable auto-delete` of the exchange. */
  readonly exchange: string
  /** `durable auto-delete` of the queue. */
  readonly queue: string
  readonly arguments: Record<string, unknown>
}

interface Mode {
  readonly name: string
  readonly options: RabbitOptions
  readonly shared: Declared
  readonly fanout: Declared
  /** Its exchange is the default one. */
  readonly reply: Omit<Declared, 'exchange'>
}

const EXPIRES = { 'x-expires': 1_800_000 }
const QUORUM = { 'x-queue-type': 'quorum' }
const HA = { 'x-ha-policy': 'all' }

const SHARED: Declared = { exchange: 'topic', queue: '', arguments: {} }
const FANOUT: Declared = { exchange: 'fanout auto-delete', queue: '', arguments: EXPIRES }
const REPLY = { queue: '', arguments: EXPIRES }
const DURABLE_QUORUM: Declared = { exchange: 'topic durable', queue: 'durable', arguments: QUORUM }
const TRANSIENT_QUORUM: Declared = {
  exchange: 'fanout durable auto-delete',
  queue: 'durable',
  arguments: { ...QUORUM, ...EXPIRES },
}
const LIMITS = { 'x-delivery-limit': 5, 'x-max-in-memory-length': 100, 'x-max-in-memory-bytes': 4096 }
const LIMIT_OPTIONS = { quorumDeliveryLimit: 5, quorumMaxMemoryLength: 100, quorumMaxMemoryBytes: 4096 }

/** Re-typed from what oslo.messaging's sources declare, mode by mode. */
const MODES: readonly Mode[] = [
  { name: 'default', options: {}, shared: SHARED, fanout: FANOUT, reply: REPLY },
  {
    name: 'durable',
    options: { durableQueues: true },
    shared: { exchange: 'topic durable', queue: 'durable', arguments: {} },
    fanout: FANOUT,
    reply: REPLY,
  },
  {
    name: 'auto-delete',
    options: { autoDeleteQueues: true },
    shared: { exchange: 'topic auto-delete', queue: 'auto-delete', arguments: {} },
    fanout: FANOUT,
    reply: REPLY,
  },
  {
    name: 'durable and auto-delete',
    options: { durableQueues: true, autoDeleteQueues: true },
    shared: { exchange: 'topic durable auto-delete', queue: 'durable auto-delete', arguments: {} },
    fanout: FANOUT,
    reply: REPLY,
  },
  {
    name: 'mirrored',
    options: { haQueues: true },
    shared: { ...SHARED, arguments: HA },
    fanout: { ...FANOUT, arguments: { ...HA, ...EXPIRES } },
    reply: { ...REPLY, arguments: { ...HA, ...EXPIRES } },
  },
  {
    name: 'quorum',
    options: { quorumQueues: true },
    shared: DURABLE_QUORUM,
    fanout: FANOUT,
    reply: REPLY,
  },
  {
    name: 'quorum with limits',
    options: { quorumQueues: true, ...LIMIT_OPTIONS },
    shared: { ...DURABLE_QUORUM, arguments: { ...QUORUM, ...LIMITS } },
    fanout: FANOUT,
    reply: REPLY,
  },
  {
    name: 'transient quorum',
    options: { transientQuorumQueues: true },
    shared: SHARED,
    fanout: TRANSIENT_QUORUM,
    reply: { queue: 'durable', arguments: { ...QUORUM, ...EXPIRES } },
  },
  {
    name: 'quorum and transient quorum',
    options: { quorumQueues: true, transientQuorumQueues: true },
    shared: DURABLE_QUORUM,
    fanout: TRANSIENT_QUORUM,
    reply: { queue: 'durable', arguments: { ...QUORUM, ...EXPIRES } },
  },
  {
    name: 'transient quorum with limits',
    options: { transientQuorumQueues: true, ...LIMIT_OPTIONS },
    shared: SHARED,
    fanout: { ...TRANSIENT_QUORUM, arguments: { ...QUORUM, ...LIMITS, ...EXPIRES } },
    reply: { queue: 'durable', arguments: { ...QUORUM, ...LIMITS, ...EXPIRES } },
  },
  {
    name: 'quorum, transient quorum and streams',
    options: { quorumQueues: true, transientQuorumQueues: true, streamFanout: true, prefetchCount: 10 },
    shared: DURABLE_QUORUM,
    fanout: {
      exchange: 'fanout durable auto-delete',
      queue: 'durable',
      arguments: { 'x-queue-type': 'stream', 'x-max-age': '1800s' },
    },
    reply: { queue: 'durable', arguments: { ...QUORUM, ...EXPIRES } },
  },
  {
    name: 'streams without a limit of time',
    options: {
      transientQuorumQueues: true,
      streamFanout: true,
      prefetchCount: 10,
      transientQueuesTtlMs: 0,
    },
    shared: SHARED,
    fanout: {
      exchange: 'fanout durable auto-delete',
      queue: 'durable',
      arguments: { 'x-queue-type': 'stream' },
    },
    reply: { queue: 'durable', arguments: QUORUM },
  },
  {
    name: 'no time to live',
    options: { transientQueuesTtlMs: 0 },
    shared: SHARED,
    fanout: { ...FANOUT, arguments: {} },
    reply: { ...REPLY, arguments: {} },
  },
  {
    name: 'another time to live',
    options: { transientQueuesTtlMs: 60_000 },
    shared: SHARED,
    fanout: { ...FANOUT, arguments: { 'x-expires': 60_000 } },
    reply: { ...REPLY, arguments: { 'x-expires': 60_000 } },
  },
  { name: 'queue manager', options: { useQueueManager: true }, shared: SHARED, fanout: FANOUT, reply: REPLY },
]

const words = (...flags: readonly (string | false)[]): string => flags.filter(Boolean).join(' ')

function shownExchange({ type, durable, autoDelete, internal, passive, arguments: args }: Exchange): string {
  expect({ internal, passive, args }).toEqual({ internal: false, passive: false, args: {} })
  return words(type, durable && 'durable', autoDelete && 'auto-delete')
}

function shownQueue({ durable, autoDelete, exclusive, noAck, noDeclare, arguments: args }: Queue): object {
  expect({ exclusive, noAck, noDeclare }).toEqual({ exclusive: false, noAck: false, noDeclare: false })
  return { queue: words(durable && 'durable', autoDelete && 'auto-delete'), arguments: args }
}

function shown(queue: Queue): object {
  const exchanges = new Set(queue.bindings.map(({ exchange }) => shownExchange(exchange)))
  return { exchange: [...exchanges].join(' | '), ...shownQueue(queue) }
}

const bound = (bindings: readonly Binding[]): readonly string[] =>
  bindings.map(({ exchange, routingKey }) => `${exchange.name} ${routingKey}`)

const topologyOf = (options: RabbitOptions): RabbitTopology =>
  new RabbitTopology(readRabbitOptions({ options }).settings)

const INFO: NotificationSource = { exchange: 'nova', topic: 'notifications', priority: 'info' }

describe.each(MODES)('in the mode $name', ({ options, shared, fanout, reply }) => {
  const topology = topologyOf(options)

  it('declares the queues of requests and of notifications', () => {
    expect(shown(topology.requestQueue('nova', 'compute'))).toEqual(shared)
    expect(shown(topology.requestQueue('nova', 'compute', 'host1'))).toEqual(shared)
    expect(shown(topology.notificationQueue(INFO))).toEqual(shared)
    expect(shown(topology.poolQueue('billing', [INFO]))).toEqual(shared)
  })

  it('declares the queue of requests to all', () => {
    expect(shown(topology.fanoutQueue('compute', 'suffix'))).toEqual(fanout)
  })

  it('declares the queue of replies, and binds it to nothing', () => {
    const queue = topology.replyQueue('suffix')
    expect(queue.bindings).toEqual([])
    expect(shownQueue(queue)).toEqual(reply)
  })

  it('declares for a publisher the exchange that a listener declares', () => {
    expect(shownExchange(topology.topicExchange('nova'))).toBe(shared.exchange)
    expect(shownExchange(topology.fanoutExchange('compute'))).toBe(fanout.exchange)
  })
})

describe('names and bindings', () => {
  const topology = topologyOf({})

  it('are those of oslo.messaging', () => {
    const named = ({ name, bindings }: Queue): object => ({ name, bound: bound(bindings) })
    expect(named(topology.requestQueue('nova', 'compute'))).toEqual({
      name: 'compute',
      bound: ['nova compute'],
    })
    expect(named(topology.requestQueue('nova', 'compute', 'host1.example'))).toEqual({
      name: 'compute.host1.example',
      bound: ['nova compute.host1.example'],
    })
    expect(named(topology.fanoutQueue('compute', '0a'))).toEqual({
      name: 'compute_fanout_0a',
      bound: ['compute_fanout compute'],
    })
    expect(named(topology.replyQueue('host1:nova-api:7'))).toEqual({
      name: 'reply_host1:nova-api:7',
      bound: [],
    })
    expect(named(topology.notificationQueue(INFO))).toEqual({
      name: 'notifications.info',
      bound: ['nova notifications.info'],
    })
  })

  it('of a pool are one queue for every exchange, topic and priority', () => {
    const sources: readonly NotificationSource[] = [
      INFO,
      { ...INFO, priority: 'error' },
      { exchange: 'cinder', topic: 'versioned', priority: 'info' },
    ]
    const queue = topology.poolQueue('billing', sources)
    expect(queue.name).toBe('billing')
    expect(bound(queue.bindings)).toEqual([
      'nova notifications.info',
      'nova notifications.error',
      'cinder versioned.info',
    ])
    // One object for each exchange: it is declared once.
    expect(new Set(queue.bindings.map(({ exchange }) => exchange)).size).toBe(2)
  })

  it('of a stream are the same for all servers', () => {
    const streams = topologyOf({ transientQuorumQueues: true, streamFanout: true, prefetchCount: 1 })
    expect(streams.fanoutQueue('compute', '0a').name).toBe('compute_fanout')
  })
})

describe('consumers', () => {
  const all = (topology: RabbitTopology): readonly Queue[] => [
    topology.requestQueue('nova', 'compute'),
    topology.fanoutQueue('compute', '0a'),
    topology.replyQueue('0a'),
    topology.notificationQueue(INFO),
    topology.poolQueue('billing', [INFO]),
  ]

  it('have no arguments by default', () => {
    expect(all(topologyOf({})).map((queue) => queue.consumerArguments)).toEqual([{}, {}, {}, {}, {}])
  })

  it('are cancelled when their queue fails over, if asked for', () => {
    const argumentsOf = all(topologyOf({ cancelOnFailover: true })).map((queue) => queue.consumerArguments)
    expect(argumentsOf).toEqual(Array.from({ length: 5 }, () => ({ 'x-cancel-on-ha-failover': true })))
  })

  it('of a stream begin with what comes next, or where they stood', () => {
    const topology = topologyOf({
      cancelOnFailover: true,
      transientQuorumQueues: true,
      streamFanout: true,
      prefetchCount: 1,
    })
    expect(topology.fanoutQueue('compute', '0a').consumerArguments).toEqual({ 'x-stream-offset': 'last' })
    expect(topology.fanoutQueue('compute', '0a', 43).consumerArguments).toEqual({ 'x-stream-offset': 43 })
    expect(topology.replyQueue('0a').consumerArguments).toEqual({ 'x-cancel-on-ha-failover': true })
  })
})

it('says when a fanout queue is deleted with its server', () => {
  expect(topologyOf({}).deletesFanoutQueue).toBe(true)
  expect(topologyOf({ useQueueManager: true }).deletesFanoutQueue).toBe(false)
  expect(
    topologyOf({ transientQuorumQueues: true, streamFanout: true, prefetchCount: 1 }).deletesFanoutQueue,
  ).toBe(false)
})

it('writes the age of a stream in whole seconds', () => {
  const topology = topologyOf({
    transientQuorumQueues: true,
    streamFanout: true,
    prefetchCount: 1,
    transientQueuesTtlMs: 1_500,
  })
  expect(topology.fanoutQueue('compute', '0a').arguments['x-max-age']).toBe('2s')
})

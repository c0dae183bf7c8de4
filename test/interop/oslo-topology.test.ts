import { readFileSync, rmSync } from 'node:fs'
import { Connection, type Exchange, type Queue } from '@hermod/amqp'
import { readRabbitOptions, RabbitTopology } from '@hermod/driver-rabbit'
import { nextProcessNumber, parseTransportUrl } from '@hermod/messaging'
import { findBroker, needs, startBroker, type BrokerFixture, type PythonPeer } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'
import { QUEUE_MODES } from './queue-modes.ts'

/** One for each entity: everything that the broker knows of it. */
type Facts = readonly string[]

const fact = (...parts: readonly unknown[]): string => parts.map((part) => JSON.stringify(part)).join(' ')

/** An object with its keys in order. */
const sorted = (table: object): object =>
  Object.fromEntries(Object.entries(table).toSorted(([one], [other]) => (one < other ? -1 : 1)))

interface ExchangeLike {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: object
}

interface QueueLike {
  readonly name: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly exclusive: boolean
  readonly arguments: object
}

function exchangeFact(exchange: ExchangeLike): string {
  const { name, type, durable, autoDelete, internal, arguments: args } = exchange
  return fact('exchange', name, type, { durable, autoDelete, internal }, sorted(args))
}

function queueFact(queue: QueueLike): string {
  const { name, durable, autoDelete, exclusive, arguments: args } = queue
  return fact('queue', name, { durable, autoDelete, exclusive }, sorted(args))
}

const bindingFact = (exchange: string, queue: string, routingKey: string): string =>
  fact('binding', exchange, queue, routingKey)

/** What there is in a virtual host, except what every one has. */
async function found(broker: BrokerFixture, vhost: string): Promise<Facts> {
  const [exchanges, queues, bindings] = [
    await broker.exchanges(vhost),
    await broker.queues(vhost),
    await broker.bindings(vhost),
  ]
  return [
    ...exchanges.filter(({ name }) => name !== '' && !name.startsWith('amq.')).map(exchangeFact),
    ...queues.map(queueFact),
    ...bindings.map(({ source, destination, routingKey }) => bindingFact(source, destination, routingKey)),
  ].toSorted()
}

function expectedOf(queues: readonly Queue[], exchanges: readonly Exchange[]): Facts {
  const bound = queues.flatMap((queue) => queue.bindings.map(({ exchange }) => exchange))
  const bindings = queues.flatMap(({ name, bindings: made }) =>
    made.map(({ exchange, routingKey }) => bindingFact(exchange.name, name, routingKey)),
  )
  const facts = [...[...bound, ...exchanges].map(exchangeFact), ...queues.map(queueFact), ...bindings]
  return [...new Set(facts)].toSorted()
}

/** The end of the only queue of these whose name begins with `prefix`. */
function suffixAfter(prefix: string, names: readonly string[]): string {
  const ends = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  expect(ends).toHaveLength(1)
  return ends[0] ?? ''
}

/** What the peer declares, by our account. */
function declaredByPeer(
  query: string,
  names: readonly string[],
): { readonly queues: readonly Queue[]; readonly exchanges: readonly Exchange[] } {
  const { settings } = readRabbitOptions({ url: parseTransportUrl(`rabbit://h/?${query}`) })
  const topology = new RabbitTopology(settings)
  const fanout = settings.streamFanout ? '' : suffixAfter('test_fanout_', names)
  const priorities = ['info', 'error'] as const
  const source = (exchange: string, topic: string) =>
    priorities.map((priority) => ({ exchange, topic, priority }))
  const queues = [
    topology.requestQueue('peer', 'test'),
    topology.requestQueue('peer', 'test', 'server1'),
    topology.fanoutQueue('test', fanout),
    topology.replyQueue(suffixAfter('reply_', names)),
    ...source('peer', 'listened').map((one) => topology.notificationQueue(one)),
    topology.poolQueue('pool1', [...source('peer', 'pooled'), ...source('other', 'pooled')]),
    topology.notificationQueue({ exchange: 'peer', topic: 'unheard', priority: 'warn' }),
  ]
  // Declared by the one who publishes: no server has bound a queue to it.
  return { queues, exchanges: [topology.fanoutExchange('nobody')] }
}

const rabbit = findBroker('administer', 'inspect')

describe.each(OSLO_PYTHONS)('oslo.messaging $release', ({ release, python, availability }) => {
  const gate = needs(rabbit, availability)
  const modes = QUEUE_MODES.filter(({ old }) => old || release === 'newest')

  describe.skipIf(gate.skip)(`leaves on RabbitMQ what the rabbit driver declares${gate.note}`, () => {
    let broker: BrokerFixture
    let peer: PythonPeer | undefined
    let vhost: string
    let created = 0
    beforeAll(async () => void (broker = await startBroker()))
    afterAll(() => broker?.[Symbol.asyncDispose]())
    beforeEach(async () => {
      vhost = `mode-${created++}`
      await broker.createVhost(vhost)
    })
    afterEach(async () => {
      await peer?.[Symbol.asyncDispose]()
      peer = undefined
    })

    async function startMode(query: string): Promise<readonly string[]> {
      peer = startPeer('oslo_topology', { url: `${broker.urlFor({ vhost })}?${query}` }, python)
      expect(await peer.next()).toMatchObject({ ready: true })
      return (await broker.queues(vhost)).map(({ name }) => name)
    }

    it.each(modes)('in the mode $name', async ({ query }) => {
      const names = await startMode(query)
      const { queues, exchanges } = declaredByPeer(query, names)
      expect(await found(broker, vhost)).toEqual(expectedOf(queues, exchanges))

      // And to declare the same again is no error, which it would be if anything differed on the wire.
      const connection = await Connection.connect(broker.urlFor({ vhost }), { reconnect: false })
      try {
        const channel = await connection.openChannel()
        for (const queue of queues) await queue.declare(channel)
        for (const exchange of exchanges) await exchange.declare(channel)
      } finally {
        await connection.close()
      }
    })

    // 14.0.3 has none.
    const managed = release === 'newest' ? ['use_queue_manager=true'] : []
    it.each(managed)('with names that both count, with %s', async (query) => {
      const hostname = `topology-${process.pid}`
      const file = `/dev/shm/${hostname}_peer_qmanager`
      try {
        const names = await startMode(`${query}&hostname=${hostname}&processname=peer`)
        const own = names.filter((name) => name.includes(hostname))
        expect(own.toSorted()).toEqual([`reply_${hostname}:peer:2`, `test_fanout_${hostname}:peer:1`])
        expect(await nextProcessNumber({ hostname, processName: 'peer' })).toBe(3)
        expect(readFileSync(file, 'utf8')).toMatch(/^\d+:3:\d+/)
      } finally {
        rmSync(file, { force: true })
      }
    })

    it('and not what it declares in another mode', async () => {
      const query = 'amqp_durable_queues=true'
      const names = await startMode(query)
      const actual = await found(broker, vhost)
      // That mode differs in its consumers alone.
      const others = QUEUE_MODES.filter(
        (mode) => mode.query !== query && !mode.query.includes('prefetch_count=7'),
      )
      const same = others.filter((mode) => {
        const { queues, exchanges } = declaredByPeer(mode.query, names)
        return expectedOf(queues, exchanges).join() === actual.join()
      })
      expect(same.map(({ name }) => name)).toEqual([])
    })
  })
})

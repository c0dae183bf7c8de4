import {
  Connection,
  Consumer,
  Exchange,
  Queue,
  broadcastQueue,
  matchesTopic,
  type Channel,
  type ReceivedMessage,
} from '@hermod/amqp'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu']))
const pluggable = findBroker('plugins')
const SHORT_LIVED = { durable: false, autoDelete: true } as const

describe.skipIf(gate.skip)(`entities on RabbitMQ, and beside kombu${gate.note}`, () => {
  let broker: BrokerFixture
  let kombu: PythonPeer
  let connection: Connection
  let channel: Channel
  beforeAll(async () => {
    broker = await startBroker(pluggable.available ? { plugins: ['rabbitmq_consistent_hash_exchange'] } : {})
    kombu = startPeer('kombu_entities', { url: broker.url })
  })
  afterAll(async () => {
    await kombu?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
  })
  afterEach(() => connection?.close())

  const json = { properties: { contentType: 'application/json' } }
  const publish = (exchange: string, routingKey: string, headers = {}): Promise<void> =>
    channel.publish(exchange, routingKey, Buffer.from(JSON.stringify(routingKey)), {
      properties: { ...json.properties, headers },
    })
  const countOf = async (queue: Queue): Promise<number> =>
    (await queue.status(connection))?.messageCount ?? -1
  const counts = (...queues: Queue[]): Promise<number[]> => Promise.all(queues.map(countOf))
  const mine = (name: string, exchange: Exchange, routingKey: string, bindingArguments = {}): Queue =>
    new Queue(name, { exchange, routingKey, bindingArguments, exclusive: true, durable: false })

  describe('topic exchanges', () => {
    it('take hello.muzixing.info for *.muzixing.#, and not muzixing.info', async () => {
      const exchange = new Exchange('vector', 'topic', SHORT_LIVED)
      const queue = mine('vector', exchange, '*.muzixing.#')
      await queue.declare(channel)
      await publish('vector', 'muzixing.info')
      expect(await countOf(queue)).toBe(0)
      await publish('vector', 'hello.muzixing.info')
      expect(await countOf(queue)).toBe(1)
      await publish('vector', 'hello.muzixing')
      expect(await countOf(queue)).toBe(2)
    })

    it('match as matchesTopic says', async () => {
      const word = fc.constantFrom('a', 'b', 'ab', '')
      const key = (words: readonly string[]): string => words.join('.')
      const bindings = fc.sample(
        fc.array(fc.oneof(word, fc.constantFrom('*', '#')), { maxLength: 5 }).map(key),
        60,
      )
      const routingKeys = fc.sample(fc.array(word, { maxLength: 5 }).map(key), 60)
      const exchange = new Exchange('pattern', 'topic', SHORT_LIVED)
      const queues = [...new Set(bindings)].map((pattern, at) => mine(`pattern.${at}`, exchange, pattern))
      for (const queue of queues) await queue.declare(channel)
      await Promise.all([...new Set(routingKeys)].map((routingKey) => publish('pattern', routingKey)))
      for (const queue of queues) {
        const taken: string[] = []
        for (;;) {
          const message = await channel.get(queue.name, { noAck: true })
          if (message === undefined) break
          taken.push(message.routingKey)
        }
        const pattern = queue.bindings[0]?.routingKey as string
        const expected = [...new Set(routingKeys)].filter((routingKey) => matchesTopic(pattern, routingKey))
        expect([pattern, taken.length, new Set(taken)]).toEqual([pattern, expected.length, new Set(expected)])
      }
    })
  })

  it('headers exchanges take what has all headers, or any', async () => {
    const exchange = new Exchange('by-header', 'headers', SHORT_LIVED)
    const all = mine('all', exchange, '', { 'x-match': 'all', kind: 'a', size: 1 })
    const any = mine('any', exchange, '', { 'x-match': 'any', kind: 'a', size: 1 })
    await all.declare(channel)
    await any.declare(channel)
    await publish('by-header', 'x', { kind: 'a' })
    expect(await counts(all, any)).toEqual([0, 1])
    await publish('by-header', 'x', { kind: 'a', size: 1, more: true })
    await publish('by-header', 'x', { kind: 'b' })
    expect(await counts(all, any)).toEqual([1, 2])
    const sent = { do: 'publish', exchange: { name: 'by-header', type: 'headers', no_declare: true } }
    await kombu.ask({ ...sent, routing_key: 'x', body: {}, headers: { kind: 'a', size: 1 } })
    expect(await counts(all, any)).toEqual([2, 3])
  })

  it('exchanges are bound to exchanges, and unbound', async () => {
    const [source, destination] = [
      new Exchange('source', 'topic', SHORT_LIVED),
      new Exchange('destination', 'fanout', SHORT_LIVED),
    ]
    const queue = mine('behind', destination, '')
    await queue.declare(channel)
    await source.declare(channel)
    await destination.bindTo(channel, source, 'a.#')
    await publish('source', 'a.b')
    await publish('source', 'b')
    expect(await countOf(queue)).toBe(1)
    await destination.bindTo(channel, source, 'kept')
    await destination.unbindFrom(channel, source, 'a.#')
    await publish('source', 'a.b')
    expect(await countOf(queue)).toBe(1)
  })

  it('what no binding takes goes to the alternate exchange', async () => {
    const other = new Exchange('other', 'fanout', SHORT_LIVED)
    const main = new Exchange('main', 'direct', { ...SHORT_LIVED, alternateExchange: 'other' })
    const [taken, rest] = [mine('taken', main, 'known'), mine('rest', other, '')]
    await rest.declare(channel)
    await taken.declare(channel)
    await publish('main', 'known')
    await publish('main', 'unknown')
    expect(await counts(taken, rest)).toEqual([1, 1])
  })

  it.skipIf(needs(pluggable).skip)('types of plug-ins go to the broker as they are', async () => {
    const exchange = new Exchange('spread', 'x-consistent-hash', SHORT_LIVED)
    const queues = ['1', '1'].map((weight, at) => mine(`spread.${at}`, exchange, weight))
    for (const queue of queues) await queue.declare(channel)
    expect((await broker.exchanges()).find(({ name }) => name === 'spread')?.type).toBe('x-consistent-hash')
    for (let n = 0; n < 100; n++) await publish('spread', `key ${n}`)
    const [one = 0, two = 0] = await counts(...queues)
    expect(one + two).toBe(100)
    expect(Math.min(one, two)).toBeGreaterThan(0)
  })

  it('a type that the broker does not know costs the connection once, and says why', async () => {
    const exchange = new Exchange('strange', 'x-nobody-knows')
    const restored = new Promise((resolve) => connection.on('restored', resolve))
    await expect(exchange.declare(channel)).rejects.toMatchObject({
      code: 'E_CONN_LOST',
      message: expect.stringContaining("unknown exchange type 'x-nobody-knows'"),
      details: { replyCode: 503 },
    })
    await restored
    await new Exchange('plain', 'topic', SHORT_LIVED).declare(channel)
    expect(connection.state).toBe('open')
    expect(connection.stats().reconnects).toBe(1)
  })

  it('a passive exchange must be there, and asking disturbs nobody', async () => {
    await new Exchange('there', 'fanout', SHORT_LIVED).declare(channel)
    const { number } = channel
    await new Exchange('there', 'topic', { passive: true }).declare(channel)
    await expect(new Exchange('gone', 'topic', { passive: true }).declare(channel)).rejects.toMatchObject({
      code: 'E_CHANNEL',
      replyCode: 404,
    })
    expect(channel.number).toBe(number)
    await new Exchange('there').delete(channel)
  })

  it('a queue gives one message at a time, decoded, and rejects what it cannot read', async () => {
    const dead = new Queue('dead-letters', SHORT_LIVED)
    await dead.declare(channel)
    const queue = new Queue('read-one', {
      durable: false,
      deadLetterExchange: '',
      deadLetterRoutingKey: 'dead-letters',
    })
    await queue.declare(channel)
    expect(await queue.get(channel)).toBeUndefined()
    await channel.publish('', 'read-one', Buffer.from('{"id": 7}'), json)
    await channel.publish('', 'read-one', Buffer.from('{"id": '), json)
    const found = await queue.get(channel)
    expect(found?.body).toEqual({ id: 7 })
    found?.message.ack()
    await expect(queue.get(channel)).rejects.toMatchObject({ code: 'E_DECODE' })
    await eventually(async () => (await dead.status(connection))?.messageCount === 1)
    expect(await queue.delete(channel)).toBe(0)
    await dead.delete(channel)
  })

  it('deletes only what is unused or empty where told so', async () => {
    const exchange = new Exchange('kept', 'fanout', { durable: false })
    const queue = new Queue('kept', { exchange, durable: false })
    await queue.declare(channel)
    await publish('kept', '')
    await expect(exchange.delete(channel, { ifUnused: true })).rejects.toMatchObject({ replyCode: 406 })
    await expect(queue.delete(channel, { ifEmpty: true })).rejects.toMatchObject({ replyCode: 406 })
    expect(await queue.purge(channel)).toBe(1)
    expect(await queue.delete(channel, { ifEmpty: true })).toBe(0)
    await exchange.delete(channel, { ifUnused: true })
    expect(await queue.status(connection)).toBeUndefined()
    expect(await connection.exchangeExists('kept')).toBe(false)
  })

  it.each([
    new Queue('args.classic', {
      expiresMs: 60_000,
      messageTtlMs: 30_000,
      maxLength: 10,
      maxLengthBytes: 1000,
      overflow: 'reject-publish',
      deadLetterExchange: 'dead',
      deadLetterRoutingKey: 'letters',
      maxPriority: 5,
      queueType: 'classic',
      queueMode: 'lazy',
      queueVersion: 2,
      singleActiveConsumer: true,
      consumerTimeoutMs: 60_000,
    }),
    new Queue('args.quorum', {
      queueType: 'quorum',
      deliveryLimit: 3,
      overflow: 'reject-publish',
      deadLetterExchange: 'dead',
      deadLetterStrategy: 'at-least-once',
      quorumInitialGroupSize: 1,
      maxInMemoryLength: 10,
      maxInMemoryBytes: 1000,
      queueLeaderLocator: 'client-local',
    }),
    new Queue('args.stream', {
      queueType: 'stream',
      maxLengthBytes: 1_000_000,
      maxAgeMs: 60_000,
      streamMaxSegmentSizeBytes: 500_000,
      initialClusterSize: 1,
      queueLeaderLocator: 'client-local',
    }),
  ])('the arguments of $name reach the broker as they are meant', async (queue) => {
    await queue.declare(channel)
    const found = (await broker.queues()).find(({ name }) => name === queue.name)
    expect(found?.arguments).toEqual(queue.arguments)
    await Queue.fromJSON(JSON.parse(JSON.stringify(queue))).declare(channel)
    await queue.delete(channel)
  })

  describe('beside kombu', () => {
    const exchange = new Exchange('shared', 'topic')
    const theirs = { name: 'shared', type: 'topic' }
    it.each([
      [new Queue('same', { exchange, routingKey: '#' }), { exchange: theirs, routing_key: '#' }],
      [new Queue('same'), {}],
      [new Queue('same', { durable: false, autoDelete: true }), { durable: false, auto_delete: true }],
      [
        new Queue('same', {
          expiresMs: 60_500,
          messageTtlMs: 1_500,
          maxLength: 5,
          maxLengthBytes: 500,
          maxPriority: 3,
        }),
        { expires: 60.5, message_ttl: 1.5, max_length: 5, max_length_bytes: 500, max_priority: 3 },
      ],
      [
        new Queue('same', { deadLetterExchange: 'dead', overflow: 'reject-publish', queueType: 'quorum' }),
        {
          queue_arguments: {
            'x-dead-letter-exchange': 'dead',
            'x-overflow': 'reject-publish',
            'x-queue-type': 'quorum',
          },
        },
      ],
    ])('the same queue is declared by either side first (%#)', async (queue, keywords) => {
      const command = { do: 'declare', queue: { name: 'same', ...keywords } }
      await queue.declare(channel)
      await expect(kombu.ask(command)).resolves.toEqual({ name: 'same' })
      await queue.delete(channel)
      await kombu.ask(command)
      await queue.declare(channel)
      await queue.delete(channel)
    })

    it('the same difference is refused on either side', async () => {
      await kombu.ask({ do: 'declare', queue: { name: 'differs', max_length: 5 } })
      await expect(new Queue('differs', { maxLength: 6 }).declare(channel)).rejects.toMatchObject({
        replyCode: 406,
      })
      await expect(kombu.ask({ do: 'declare', queue: { name: 'differs', max_length: 6 } })).rejects.toThrow(
        /PreconditionFailed/,
      )
      await new Queue('differs').delete(channel)
    })

    it('broadcast queues of both get every message once', async () => {
      const { name } = await kombu.ask({ do: 'broadcast', name: 'news', options: {} })
      const named = await kombu.ask({ do: 'broadcast', name: 'news', options: { queue: 'named' } })
      expect(name).toMatch(/^bcast\./)
      expect(named).toEqual({ name: 'named' })
      const same = broadcastQueue('news', { queue: 'named' })
      const [one, two] = [broadcastQueue('news'), broadcastQueue('news')]
      for (const queue of [same, one, two]) await queue.declare(channel)
      await kombu.ask({ do: 'publish', exchange: { name: 'news', type: 'fanout' }, routing_key: '', body: 1 })
      await publish('news', 'ours')
      expect(await counts(new Queue(name as string), same, one, two)).toEqual([2, 2, 2, 2])
      const received: ReceivedMessage[] = []
      await using consumer = new Consumer(connection, [one, two], (body, message) => {
        received.push({ body, message })
        message.ack()
      })
      await consumer.start()
      await eventually(() => received.length === 4)
      for (const body of [1, 'ours']) expect(received.filter((got) => got.body === body)).toHaveLength(2)
      await consumer.drain()
      // They vanish with their last consumer, and the exchange stays.
      await eventually(async () => (await one.status(connection)) === undefined)
      expect(await connection.exchangeExists('news')).toBe(true)
      await channel.deleteQueue(name as string)
      await same.delete(channel)
      await new Exchange('news').delete(channel)
    })
  })
})

import { Connection, Consumer, Exchange, Queue, type Channel, type Message } from '@hermod/amqp'
import { createDeferred, type Deferred } from '@hermod/kernel'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type QueueFacts,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu']))
const keeping = needs(findBroker('durable'))

describe.skipIf(gate.skip)(`Consumer on RabbitMQ, and beside kombu${gate.note}`, () => {
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
  })
  afterEach(() => connection?.close())

  const publish = (queue: Queue, ...bodies: unknown[]): Promise<unknown> =>
    Promise.all(
      bodies.map((body) =>
        channel.publish('', queue.name, Buffer.from(JSON.stringify(body)), {
          properties: { contentType: 'application/json' },
        }),
      ),
    )
  const factsOf = async (queue: Queue): Promise<QueueFacts> => {
    const found = (await broker.queues()).find(({ name }) => name === queue.name)
    if (found === undefined) throw new Error(`there is no queue ${queue.name}`)
    return found
  }
  const numbers = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, n) => from + n)

  it('reads what kombu publishes, in its serialisations and compressions', async () => {
    await using kombu = startPeer('kombu_emit')
    const exchange = { name: 'mixed', type: 'topic', durable: true }
    const queue = new Queue('mixed', { exchange: new Exchange('mixed', 'topic'), routingKey: '#' })
    const seen: unknown[] = []
    const codes: string[] = []
    await using consumer = new Consumer(connection, queue, (body) => void seen.push(body), { settle: 'auto' })
    consumer.on('decode-error', ({ error }) => codes.push(error.code))
    await consumer.start()
    const emit = { url: broker.url, exchange, routing_key: 'any' }
    await kombu.ask({ ...emit, body: { plain: [1, 'ä'] } })
    await kombu.ask({ ...emit, body: { packed: 'x'.repeat(1000) }, compression: 'zlib' })
    await kombu.ask({ ...emit, body: { never: 'run' }, serializer: 'pickle' })
    await kombu.ask({ ...emit, body: { last: null } })
    await eventually(() => seen.length === 3 && codes.length === 1)
    expect(seen).toEqual([{ plain: [1, 'ä'] }, { packed: 'x'.repeat(1000) }, { last: null }])
    expect(codes).toEqual(['E_CONTENT'])
    await eventually(async () => (await factsOf(queue)).messages === 0)
  })

  it("shares a queue with kombu's ConsumerMixin", async () => {
    const exchange = new Exchange('shared', 'topic')
    const queue = new Queue('shared', { exchange, routingKey: '#' })
    const theirs = {
      name: 'shared',
      exchange: { name: 'shared', durable: true },
      durable: true,
      routing_key: '#',
    }
    await using kombu = startPeer('kombu_listen', { url: broker.url, queues: [theirs] })
    await expect(kombu.next()).resolves.toEqual({ ready: true })
    const seen: unknown[] = []
    await using consumer = new Consumer(connection, queue, (body) => void seen.push(body), { settle: 'auto' })
    await consumer.start()
    await publish(queue, ...numbers(0, 20))
    for (let n = 0; n < 10; n++) seen.push(Number(((await kombu.next())['body'] as { json: string }).json))
    await eventually(() => seen.length === 20)
    expect(new Set(seen)).toEqual(new Set(numbers(0, 20)))
  })

  it('changes its prefetch while it consumes', async () => {
    const queue = new Queue('prefetched')
    const held: Message[] = []
    await using consumer = new Consumer(connection, queue, (_, message) => void held.push(message), {
      prefetchCount: 2,
    })
    await consumer.start()
    await publish(queue, ...numbers(0, 20))
    await eventually(async () => (await factsOf(queue)).messagesUnacknowledged === 2)
    // What the broker has sent is not here at once.
    await eventually(() => held.length === 2)
    for (const message of held.splice(0)) message.ack()
    await eventually(async () => (await factsOf(queue)).messages === 18)
    await consumer.setPrefetch(5)
    // Those of the old consumer are still held beside those of the new.
    await eventually(async () => (await factsOf(queue)).messagesUnacknowledged === 7)
    await eventually(() => held.length === 7)
    expect((await factsOf(queue)).consumers).toBe(1)
    for (const message of held.splice(0)) message.ack()
    await eventually(async () => (await factsOf(queue)).messagesUnacknowledged === 5)
    for (const message of held.splice(0)) message.requeue()
    await consumer.close()
    await eventually(async () => (await factsOf(queue)).messagesReady === 11)
  })

  it('has one handler after the other with concurrency 1, in order', async () => {
    const queue = new Queue('one-by-one')
    const seen: unknown[] = []
    let [now, most] = [0, 0]
    const handler = async (body: unknown): Promise<void> => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(body)
      now--
    }
    await using consumer = new Consumer(connection, queue, handler, { settle: 'auto', concurrency: 1 })
    await consumer.start()
    await publish(queue, ...numbers(0, 500))
    await eventually(() => seen.length === 500)
    expect(seen).toEqual(numbers(0, 500))
    expect(most).toBe(1)
    await eventually(async () => (await factsOf(queue)).messages === 0)
  })

  it('requeues once what fails, and dead-letters it then', async () => {
    const dead = new Queue('dead')
    await dead.declare(channel)
    const queue = new Queue('failing', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' })
    const redelivered: boolean[] = []
    await using consumer = new Consumer(
      connection,
      queue,
      (_, message) => {
        redelivered.push(message.redelivered)
        throw new Error('no good')
      },
      { settle: 'auto', onHandlerError: 'requeue-once' },
    )
    await consumer.start()
    await publish(queue, 'poison')
    await eventually(async () => (await factsOf(dead)).messages === 1)
    expect(redelivered).toEqual([false, true])
    expect(consumer.stats()).toMatchObject({ received: 2, failed: 2 })
  })

  it('leaves in its queue what a loop has not taken', async () => {
    const queue = new Queue('looped')
    await queue.declare(channel)
    await publish(queue, ...numbers(0, 50))
    const consumer = new Consumer(connection, queue, undefined, { prefetchCount: 20 })
    const seen: unknown[] = []
    for await (const { body, message } of consumer.messages()) {
      seen.push(body)
      message.ack()
      if (seen.length === 5) break
    }
    await eventually(async () => (await factsOf(queue)).messagesReady === 45)
    await using again = new Consumer(connection, queue, undefined)
    for await (const { body, message } of again.messages()) {
      seen.push(body)
      message.ack()
      if (seen.length === 50) break
    }
    expect(seen).toEqual(numbers(0, 50))
    await consumer.close()
  })

  it('drains: what is being worked on is done and acked, the rest stays', async () => {
    const queue = new Queue('drained')
    const jobs: Deferred<void>[] = []
    const handler = (): Promise<void> => {
      const job = createDeferred<void>()
      jobs.push(job)
      return job.promise
    }
    const consumer = new Consumer(connection, queue, handler, { settle: 'auto', concurrency: 3 })
    await consumer.start()
    await publish(queue, ...numbers(0, 10))
    await eventually(() => consumer.stats().waiting === 7)
    const draining = consumer.drain()
    await eventually(async () => (await factsOf(queue)).messagesReady === 7)
    expect((await factsOf(queue)).messagesUnacknowledged).toBe(3)
    for (const job of jobs) job.resolve()
    await draining
    await consumer.close()
    await eventually(async () => (await factsOf(queue)).messages === 7)
    expect(jobs).toHaveLength(3)
  })

  it('takes queues in and out, and prefers the consumer with the higher priority', async () => {
    const [one, two] = [new Queue('first'), new Queue('second')]
    const [low, high]: [unknown[], unknown[]] = [[], []]
    await using lazy = new Consumer(connection, one, (body) => void low.push(body), { settle: 'auto' })
    await lazy.start()
    const preferred = new Queue('first', { consumerArguments: { 'x-priority': 10 } })
    await using eager = new Consumer(connection, [], (body) => void high.push(body), { settle: 'auto' })
    await eager.start()
    await eager.addQueue(preferred)
    await eager.addQueue(two)
    await publish(one, 1, 2, 3)
    await publish(two, 4)
    await eventually(() => high.length === 4)
    await eager.cancelQueue(preferred)
    await publish(one, 5)
    await eventually(() => low.length === 1)
    expect(low).toEqual([5])
    expect(new Set(high)).toEqual(new Set([1, 2, 3, 4]))
    expect(eager.queues).toEqual([two])
  })

  it('has delivered anew on request', async () => {
    const queue = new Queue('again')
    const seen: boolean[] = []
    let first: Message | undefined
    await using consumer = new Consumer(connection, queue, (_, message) => {
      seen.push(message.redelivered)
      if (message.redelivered) message.ack()
      else first = message
    })
    await consumer.start()
    await publish(queue, 'x')
    await eventually(() => first !== undefined)
    await consumer.recover()
    await eventually(() => seen.length === 2)
    expect(seen).toEqual([false, true])
    expect(first?.ack()).toBe(false)
    await eventually(async () => (await factsOf(queue)).messages === 0)
  })

  it.skipIf(keeping.skip)(
    'survives the broker, with every message and none settled on the wrong channel',
    async () => {
      const queue = new Queue('lasting', { queueType: 'quorum' })
      const seen = new Set<unknown>()
      const handler = async (body: unknown): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve))
        seen.add(body)
      }
      const lasting = await Connection.connect(broker.url, { reconnect: { initialMs: 50, maxMs: 500 } })
      await using consumer = new Consumer(lasting, queue, handler, { settle: 'auto', concurrency: 10 })
      const errors: string[] = []
      lasting.on('channel-error', ({ error }) => errors.push(error.message))
      await consumer.start()
      await publish(queue, ...numbers(0, 2000))
      await broker.restart()
      await eventually(() => lasting.state === 'open', { timeoutMs: 60_000 })
      await using after = await Connection.connect(broker.url)
      channel = await after.openChannel()
      await publish(queue, ...numbers(2000, 3000))
      await eventually(() => seen.size === 3000, { timeoutMs: 60_000 })
      await eventually(async () => (await factsOf(queue)).messages === 0, { timeoutMs: 30_000 })
      expect(errors).toEqual([])
      await consumer.close()
      await lasting.close()
    },
  )
})

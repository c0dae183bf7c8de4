import { Connection, Exchange, Queue, Runner, type Consumer, type RunnerOptions } from '@hermod/amqp'
import {
  eventually,
  findPython,
  findBroker,
  freePort,
  needs,
  startBroker,
  type BrokerFixture,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu']))
const lasting = needs(findBroker('durable'))
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe.skipIf(gate.skip)(`Runner on RabbitMQ, and beside kombu${gate.note}`, () => {
  let broker: BrokerFixture
  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
  })

  const connection = { reconnect: { initialMs: 50, maxMs: 500 } }
  /** What became of the runs that a test has begun is asked at its end. */
  const begin = async (runner: Runner, ready: () => boolean): Promise<ReturnType<Runner['run']>[]> => {
    const run = runner.run()
    run.catch(() => {})
    await eventually(ready)
    return [run]
  }
  const messagesIn = async (name: string): Promise<number> =>
    (await broker.queues()).find((queue) => queue.name === name)?.messages ?? -1

  /** Answers requests as the kombu worker does. */
  const echo = (queue: string, log: string[], options: Partial<RunnerOptions> = {}): Runner => {
    const runner: Runner = new Runner(broker.url, {
      connection,
      consumers: [
        {
          queues: new Queue(queue),
          prefetchCount: 10,
          settle: 'auto',
          handler: async (body, message) => (await runner.producer()).reply(message, { echo: body }),
        },
      ],
      onConsumeReady: () => void log.push('ready'),
      onConnectionError: (error) => void log.push(error.code),
      ...options,
    })
    return runner
  }

  it('answers a kombu program as ConsumerProducerMixin does', async () => {
    const log: string[] = []
    const runner = echo('echo.ours', log)
    const [run] = await begin(runner, () => log.includes('ready'))
    await using kombu = startPeer('kombu_request')
    const request = { url: broker.url, routing_key: 'echo.ours' }
    for (const body of [{ n: 1 }, {}, [1, null]]) {
      const answer = await kombu.ask({ ...request, body })
      expect(answer).toEqual({
        reply: { echo: body },
        content_type: 'application/json',
        correlated: true,
      })
    }
    expect((await broker.connections()).length).toBeGreaterThanOrEqual(2)
    await runner.stop()
    await expect(run).resolves.toMatchObject({ reason: 'stopped', received: 3, drained: true })
    await eventually(async () => (await broker.connections()).length === 0)
  })

  it('answers and is answered through a restart of the broker', async () => {
    const log: string[] = []
    const runner = echo('echo.lasting', log)
    const [run] = await begin(runner, () => log.includes('ready'))
    await using worker = startPeer('kombu_worker', { url: broker.url, queue: 'echo.theirs' })
    await worker.until((line) => line['ready'] === true)

    const replies: unknown[] = []
    const asking: Runner = new Runner(broker.url, {
      connection,
      consumers: [
        { queues: new Queue('replies'), settle: 'auto', handler: (body) => void replies.push(body) },
      ],
      onConsumeReady: () => void log.push('asking'),
    })
    const [askingRun] = await begin(asking, () => log.includes('asking'))
    const ask = async (count: number): Promise<void> => {
      const producer = await asking.producer()
      for (const routingKey of ['echo.lasting', 'echo.theirs'])
        await Promise.all(
          numbers(count).map((n) =>
            producer.publish({ n }, { routingKey, replyTo: 'replies', correlationId: `${n}` }),
          ),
        )
    }
    await ask(20)
    await eventually(() => replies.length === 40)

    await broker.restart()
    await worker.until((line) => line['ready'] === true)
    await eventually(() => log.filter((line) => line === 'ready').length === 2, { timeoutMs: 30_000 })
    expect(log.some((line) => line.startsWith('E_CONN'))).toBe(true)
    await ask(20)
    await eventually(() => replies.length >= 80, { timeoutMs: 30_000 })
    await runner.stop()
    await asking.stop()
    await expect(run).resolves.toMatchObject({ drained: true })
    await expect(askingRun).resolves.toMatchObject({ drained: true })
  })

  it('waits for a broker that is not there yet, and for ever only if told so', async () => {
    const port = await freePort()
    const errors: (number | undefined)[] = []
    const onConnectionError = (_: unknown, delayMs: number | undefined): void => void errors.push(delayMs)
    const nobody = `amqp://guest:guest@127.0.0.1:${port}/`
    const few = new Runner(nobody, { connection, consumers: [], connectMaxRetries: 3, onConnectionError })
    await expect(few.run()).rejects.toMatchObject({ code: 'E_CONN' })
    expect(errors.map((delayMs) => delayMs !== undefined)).toEqual([true, true, true, false])
    errors.length = 0
    const endless = new Runner(nobody, { connection, consumers: [], onConnectionError })
    const aborting = new AbortController()
    const run = endless.run({ signal: aborting.signal })
    await eventually(() => errors.length >= 5)
    aborting.abort()
    await expect(run).resolves.toMatchObject({ reason: 'aborted' })
  })

  it.skipIf(lasting.skip)(
    'moves 20 000 messages from one queue to another through the death of the broker, without a loss',
    async () => {
      const count = 20_000
      const [from, to] = ['in', 'out'].map((name) => new Queue(`moved.${name}`, { queueType: 'quorum' })) as [
        Queue,
        Queue,
      ]
      const setup = await Connection.connect(broker.url)
      const channel = await setup.openChannel()
      await from.declare(channel)
      await to.declare(channel)
      await Promise.all(
        numbers(count).map((n) =>
          channel.publish('', from.name, Buffer.from(String(n)), {
            properties: { contentType: 'application/json', deliveryMode: 2 },
          }),
        ),
      )
      await setup.close()

      const log: string[] = []
      const failures: unknown[] = []
      const mover: Runner = new Runner(broker.url, {
        connection,
        onConsumeReady: () => void log.push('ready'),
        consumers: [
          {
            queues: from,
            prefetchCount: 500,
            // Acked when the other queue has it: what is lost on the way comes again.
            handler: async (body, message) => {
              await (await mover.producer()).publish(body, { routingKey: to.name, serializer: 'json' })
              message.ack()
            },
          },
        ],
      })
      const moving = mover.run()
      moving.catch((error: unknown) => failures.push(error))
      await eventually(async () => (await messagesIn(to.name)) > 2000, { timeoutMs: 30_000 })
      await broker.kill()
      await broker.start()

      const seen = new Set<unknown>()
      let doubles = 0
      const sink = new Runner(broker.url, {
        connection,
        consumers: [
          {
            queues: to,
            settle: 'auto',
            handler: (body) => {
              if (seen.has(body)) doubles++
              seen.add(body)
            },
          },
        ],
      })
      const sinking = sink.run()
      await eventually(() => seen.size === count, { timeoutMs: 90_000 })
      await mover.stop()
      await expect(moving).resolves.toMatchObject({ reason: 'stopped', drained: true })
      // Of quorum queues RabbitMQ counts the messages every five seconds.
      for (const { name } of [from, to])
        await eventually(async () => (await messagesIn(name)) === 0, { timeoutMs: 30_000 })
      await sink.stop()
      await expect(sinking).resolves.toMatchObject({
        reason: 'stopped',
        drained: true,
        received: count + doubles,
      })
      await expect(sink.run({ idleTimeoutMs: 1_000 })).resolves.toMatchObject({ reason: 'idle', received: 0 })
      expect(failures).toEqual([])
      expect(log.length).toBeGreaterThanOrEqual(2)
    },
  )

  it('stops while much is on its way: all of it is either done or still in its queue', async () => {
    const queue = new Queue('stopped')
    const setup = await Connection.connect(broker.url)
    const channel = await setup.openChannel()
    await queue.declare(channel)
    await Promise.all(numbers(5000).map((n) => channel.publish('', 'stopped', Buffer.from(String(n)))))
    await setup.close()
    const done = new Set<string>()
    const runner = new Runner(broker.url, {
      connection,
      consumers: [
        {
          queues: queue,
          concurrency: 20,
          settle: 'auto',
          onMessage: async (message) => {
            await new Promise((resolve) => setImmediate(resolve))
            done.add(message.body.toString())
          },
        },
      ],
    })
    const run = runner.run()
    await eventually(() => done.size > 500)
    await runner.stop()
    const { received, drained } = await run
    expect([received, drained]).toEqual([done.size, true])
    await eventually(async () => (await messagesIn('stopped')) === 5000 - done.size)
    const again = new Runner(broker.url, {
      connection,
      consumers: [
        { queues: queue, settle: 'auto', onMessage: (message) => void done.add(message.body.toString()) },
      ],
    })
    await expect(again.run({ limit: 5000 - received })).resolves.toMatchObject({ reason: 'limit' })
    expect(done.size).toBe(5000)
  })

  it('ends with the first thing that cannot pass, and says it', async () => {
    let consumers: readonly Consumer[] = []
    const runner = new Runner(broker.url, {
      connection,
      consumers: [
        { queues: new Queue('fine'), handler: () => {} },
        {
          queues: new Queue('typed', { exchange: new Exchange('typed', 'x-nobody-knows') }),
          handler: () => {},
        },
      ],
      onConsumeEnd: (context) => void (consumers = context.consumers),
    })
    await expect(runner.run()).rejects.toThrow(/unknown exchange type/)
    expect(consumers.map((consumer) => consumer.isConsumingFrom('fine'))).toEqual([false, false])
    await eventually(async () => (await broker.connections()).length === 0)
  })
})

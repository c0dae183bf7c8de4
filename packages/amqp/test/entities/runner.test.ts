import { ConnectionError, createDeferred, type HermodError } from '@hermod/kernel'
import { contentBytes, eventually, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import {
  Exchange,
  Queue,
  Runner,
  type ConnectionOptions,
  type Message,
  type RunnerOptions,
} from '../../src/index.ts'

const url = 'amqp://user:sesame@broker'
const queue = new Queue('jobs')

/** A connection to a scripted broker that comes back within milliseconds. */
function to(broker: ScriptedBroker): ConnectionOptions {
  return { dial: broker.dial, heartbeatMs: 0, reconnect: { initialMs: 1, maxMs: 5 } }
}

function deliver(broker: ScriptedBroker, bodies: readonly unknown[], firstTag = 1): void {
  const consume = broker.link.all('basic.consume').at(-1)
  const consumerTag = consume?.args.consumerTag ?? ''
  const parts = bodies.map((body, at) => {
    const args = {
      consumerTag,
      deliveryTag: firstTag + at,
      redelivered: false,
      exchange: '',
      routingKey: 'jobs',
    }
    const properties = { contentType: 'application/json' }
    return contentBytes(consume?.channel as number, 'basic.deliver', args, properties, JSON.stringify(body))
  })
  broker.link.raw(Buffer.concat(parts))
}

/** A runner with one consumer whose hooks keep a log. */
class Watched {
  readonly log: string[] = []
  readonly bodies: unknown[] = []
  readonly broker = new ScriptedBroker()
  readonly runner: Runner

  constructor(options: Partial<RunnerOptions> = {}) {
    this.runner = new Runner(url, {
      connection: to(this.broker),
      consumers: [{ queues: queue, settle: 'auto', handler: (body) => void this.bodies.push(body) }],
      onConnectionRevived: () => void this.log.push('revived'),
      onConnectionError: (error, delayMs) =>
        void this.log.push(`${error.code} ${delayMs === undefined ? 'last' : 'again'}`),
      onConsumeReady: () => void this.log.push('ready'),
      onConsumeEnd: () => void this.log.push('end'),
      ...options,
    })
  }

  async ready(): Promise<void> {
    await eventually(() => this.log.includes('ready'))
  }
}

describe('Runner', () => {
  it('says everything that is wrong with its options at once', () => {
    const wrong = { consumers: [], connectMaxRetries: -1, drainTimeoutMs: -1, iterationMs: 0 }
    expect(() => new Runner(url, wrong)).toThrow(
      /connectMaxRetries is -1.*drainTimeoutMs is -1.*iterationMs is 0/,
    )
  })

  it('connects, consumes, and ends in order when it is stopped', async () => {
    const watched = new Watched()
    const run = watched.runner.run()
    await watched.ready()
    deliver(watched.broker, [1, 2])
    await eventually(() => watched.bodies.length === 2)
    await watched.runner.stop()
    await expect(run).resolves.toEqual({ reason: 'stopped', received: 2, drained: true })
    expect(watched.bodies).toEqual([1, 2])
    expect(watched.log).toEqual(['revived', 'ready', 'end'])
    const sent = watched.broker.link.methods.map(({ name }) => name)
    const ending = sent.filter((name) => /basic.(?:cancel|ack)|connection.close/.test(name))
    expect(ending).toEqual(['basic.ack', 'basic.cancel', 'connection.close'])
  })

  it('can be run again, but not twice at once', async () => {
    const watched = new Watched()
    const run = watched.runner.run()
    await expect(watched.runner.run()).rejects.toMatchObject({ code: 'E_CONFIG' })
    await watched.ready()
    await watched.runner.stop()
    await run
    const again = watched.runner.run()
    await eventually(() => watched.log.filter((line) => line === 'ready').length === 2)
    await watched.runner.stop()
    await expect(again).resolves.toMatchObject({ reason: 'stopped' })
    await watched.runner.stop()
  })

  it('finishes what is being worked on, and takes nothing more', async () => {
    const job = createDeferred<void>()
    const begun: Message[] = []
    const watched = new Watched({
      consumers: [
        {
          queues: queue,
          concurrency: 1,
          handler: async (_, message) => {
            begun.push(message)
            await job.promise
            message.ack()
          },
        },
      ],
    })
    const run = watched.runner.run()
    await watched.ready()
    deliver(watched.broker, [1, 2])
    await eventually(() => begun.length === 1)
    const stopping = watched.runner.stop()
    await watched.broker.link.method('basic.reject')
    job.resolve()
    await stopping
    await expect(run).resolves.toEqual({ reason: 'stopped', received: 1, drained: true })
    expect(watched.broker.link.all('basic.ack').map(({ args }) => args.deliveryTag)).toEqual([1])
    expect(watched.broker.link.all('basic.reject').map(({ args }) => args)).toEqual([
      { deliveryTag: 2, requeue: true },
    ])
  })

  it('does not wait for ever for a handler that hangs', async () => {
    const begun = createDeferred<void>()
    const watched = new Watched({
      drainTimeoutMs: 20,
      consumers: [{ queues: queue, handler: (): Promise<void> => (begun.resolve(), new Promise(() => {})) }],
    })
    const run = watched.runner.run()
    await watched.ready()
    deliver(watched.broker, [1])
    await begun.promise
    await watched.runner.stop()
    await expect(run).resolves.toEqual({ reason: 'stopped', received: 1, drained: false })
    expect(watched.broker.link.all('basic.ack')).toEqual([])
  })

  describe('while the broker is away at the start', () => {
    const awayFor = (broker: ScriptedBroker, attempts: number): ConnectionOptions => {
      let left = attempts
      const dial: typeof broker.dial = (...args) =>
        left-- > 0 ? Promise.reject(new ConnectionError('tcp', 'refused')) : broker.dial(...args)
      return { ...to(broker), dial }
    }

    it('tries again and tells each failure', async () => {
      const broker = new ScriptedBroker()
      const watched = new Watched({ connection: awayFor(broker, 3) })
      const run = watched.runner.run()
      await watched.ready()
      await watched.runner.stop()
      await run
      expect(watched.log).toEqual(['E_CONN again', 'E_CONN again', 'E_CONN again', 'revived', 'ready', 'end'])
    })

    it('rejects when it has tried often enough', async () => {
      const broker = new ScriptedBroker()
      const watched = new Watched({ connection: awayFor(broker, Infinity), connectMaxRetries: 2 })
      await expect(watched.runner.run()).rejects.toMatchObject({ code: 'E_CONN' })
      expect(watched.log).toEqual(['E_CONN again', 'E_CONN again', 'E_CONN last'])
    })

    it('ends at once with its signal', async () => {
      const broker = new ScriptedBroker()
      const aborting = new AbortController()
      const reconnect = { initialMs: 3_600_000, maxMs: 3_600_000 }
      const watched = new Watched({ connection: { ...awayFor(broker, Infinity), reconnect } })
      const run = watched.runner.run({ signal: aborting.signal })
      await eventually(() => watched.log.length === 1)
      aborting.abort()
      await expect(run).resolves.toEqual({ reason: 'aborted', received: 0, drained: true })
      await expect(watched.runner.run({ signal: aborting.signal })).resolves.toMatchObject({
        reason: 'aborted',
      })
      expect(watched.log).toEqual(['E_CONN again'])
    })

    it('gives up at once over a refused password', async () => {
      const watched = new Watched()
      watched.broker.on('connection.start-ok', (_, link) => {
        link.closeConnection(403, 'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN')
        return SILENT
      })
      await expect(watched.runner.run()).rejects.toMatchObject({ code: 'E_AUTH' })
      expect(watched.log).toEqual(['E_AUTH last'])
    })
  })

  it('tells that the connection was lost and is back', async () => {
    const watched = new Watched()
    const run = watched.runner.run()
    await watched.ready()
    watched.broker.link.drop()
    await eventually(() => watched.log.length === 5)
    deliver(watched.broker, ['after'])
    await eventually(() => watched.bodies.length === 1)
    await watched.runner.stop()
    await run
    expect(watched.log).toEqual(['revived', 'ready', 'E_CONN_LOST again', 'revived', 'ready', 'end'])
  })

  it('rejects when the connection does not come back often enough', async () => {
    const watched = new Watched({ connectMaxRetries: 2 })
    const run = watched.runner.run()
    await watched.ready()
    watched.broker.onLink = (link) => void setImmediate(() => link.drop())
    watched.broker.link.drop()
    await expect(run).rejects.toMatchObject({ retryable: true })
    expect(watched.log.slice(2)).toEqual([
      'E_CONN_LOST again',
      expect.stringMatching(/again$/),
      expect.stringMatching(/last$/),
      'end',
    ])
  })

  it('rejects over what cannot pass: a queue that exists otherwise', async () => {
    const watched = new Watched()
    watched.broker.on('queue.declare', ({ channel }, link) => {
      link.closeChannel(channel, 406, "PRECONDITION_FAILED - inequivalent arg 'durable'", 50, 10)
      return SILENT
    })
    await expect(watched.runner.run()).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
    expect(watched.log).toEqual(['revived', 'end'])
    expect(watched.broker.link.all('connection.close')).toHaveLength(1)
  })

  it('waits for an exclusive queue that a dead connection still holds', async () => {
    const watched = new Watched()
    let refusals = 2
    watched.broker.on('queue.declare', ({ channel }, link) => {
      if (refusals-- <= 0) return undefined
      link.closeChannel(
        channel,
        405,
        'RESOURCE_LOCKED - cannot obtain exclusive access to locked queue',
        50,
        10,
      )
      return SILENT
    })
    const run = watched.runner.run()
    await watched.ready()
    await watched.runner.stop()
    await run
    expect(watched.log).toEqual(['revived', 'E_CHANNEL again', 'E_CHANNEL again', 'ready', 'end'])
  })

  it('does not go round over an exchange type that the broker closes the connection over', async () => {
    const exchange = new Exchange('spread', 'x-unknown')
    const watched = new Watched({
      consumers: [{ queues: new Queue('jobs', { exchange }), handler: () => {} }],
    })
    watched.broker.on('exchange.declare', (_, link) => {
      link.closeConnection(503, "COMMAND_INVALID - unknown exchange type 'x-unknown'")
      return SILENT
    })
    await expect(watched.runner.run()).rejects.toThrow(/unknown exchange type 'x-unknown'/)
    const asked = watched.broker.links.reduce((sum, link) => sum + link.all('exchange.declare').length, 0)
    expect(asked).toBe(1)
  })

  it('gives up when the broker does not know the exchange type any more after a reconnect', async () => {
    const exchange = new Exchange('spread', 'x-plugged')
    const watched = new Watched({
      consumers: [{ queues: new Queue('jobs', { exchange }), handler: () => {} }],
    })
    const run = watched.runner.run()
    await watched.ready()
    watched.broker.on('exchange.declare', (_, link) => {
      link.closeConnection(503, "COMMAND_INVALID - unknown exchange type 'x-plugged'")
      return SILENT
    })
    watched.broker.link.drop()
    await expect(run).rejects.toThrow(/unknown exchange type 'x-plugged'/)
    expect(watched.broker.links).toHaveLength(3)
    expect(watched.log.slice(-2)).toEqual(['E_CONN_LOST last', 'end'])
  })

  it('rejects when a queue may not be consumed any more', async () => {
    const watched = new Watched()
    const run = watched.runner.run()
    await watched.ready()
    watched.broker.on('basic.consume', ({ channel }, link) => {
      link.closeChannel(channel, 403, "ACCESS_REFUSED - access to queue 'jobs' refused", 60, 20)
      return SILENT
    })
    watched.broker.link.drop()
    await expect(run).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 403 })
    expect(watched.log.at(-1)).toBe('end')
  })

  it('ends after so many messages, and gives back the others', async () => {
    const watched = new Watched()
    const run = watched.runner.run({ limit: 2 })
    await watched.ready()
    deliver(watched.broker, [1, 2, 3, 4])
    await expect(run).resolves.toEqual({ reason: 'limit', received: 2, drained: true })
    expect(watched.bodies).toEqual([1, 2])
    expect(watched.broker.link.all('basic.reject').map(({ args }) => args)).toEqual([
      { deliveryTag: 3, requeue: true },
      { deliveryTag: 4, requeue: true },
    ])
  })

  it('ends when nothing has come for so long, but not over work', async () => {
    const job = createDeferred<void>()
    const watched = new Watched({
      consumers: [{ queues: queue, settle: 'auto', handler: () => job.promise }],
    })
    const run = watched.runner.run({ idleTimeoutMs: 2000 })
    await watched.ready()
    deliver(watched.broker, [1])
    const beganMs = performance.now()
    await eventually(() => performance.now() - beganMs > 3000)
    expect(watched.log).not.toContain('end')
    job.resolve()
    await expect(run).resolves.toEqual({ reason: 'idle', received: 1, drained: true })
  })

  it('ticks, one call after the other', async () => {
    let [calls, at, most] = [0, 0, 0]
    const watched = new Watched({
      iterationMs: 1,
      onIteration: async () => {
        most = Math.max(most, ++at)
        await new Promise((resolve) => setTimeout(resolve, 5))
        at--
        calls++
      },
    })
    const run = watched.runner.run()
    await eventually(() => calls >= 3)
    await watched.runner.stop()
    await run
    expect(most).toBe(1)
  })

  it.each(['onConnectionRevived', 'onConsumeReady', 'onConsumeEnd', 'onIteration', 'extraContext'] as const)(
    'ends in order with the error of %s',
    async (hook) => {
      const error = new Error('hook')
      const watched = new Watched({ iterationMs: 1, [hook]: () => Promise.reject(error) })
      const run = watched.runner.run()
      if (hook === 'onConsumeEnd') {
        await watched.ready()
        watched.runner.stop().catch(() => {})
      }
      await expect(run).rejects.toBe(error)
      expect(watched.broker.link.all('connection.close')).toHaveLength(1)
      expect(watched.log.includes('end')).toBe(hook !== 'onConsumeEnd')
    },
  )

  it('makes its consumers and its context once connected, before the first message, and disposes after the last', async () => {
    const job = createDeferred<void>()
    const watched = new Watched({
      consumers: ({ connection, consumers }) => {
        watched.log.push(`consumers ${connection.state} ${consumers.length}`)
        return [
          {
            queues: queue,
            settle: 'auto',
            handler: () => job.promise.then(() => watched.log.push('handled')),
          },
        ]
      },
      extraContext: ({ consumers }) => {
        watched.log.push(`extra ${consumers.length} ${consumers[0]?.isConsumingFrom(queue)}`)
        return { [Symbol.dispose]: () => void watched.log.push('disposed') }
      },
    })
    const run = watched.runner.run()
    await watched.ready()
    expect(watched.runner.context?.consumers[0]?.isConsumingFrom('jobs')).toBe(true)
    deliver(watched.broker, [1])
    await eventually(() => watched.runner.context?.consumers[0]?.stats().running === 1)
    const stopping = watched.runner.stop()
    job.resolve()
    await stopping
    await run
    expect(watched.log).toEqual([
      'revived',
      'consumers open 0',
      'extra 1 false',
      'ready',
      'handled',
      'disposed',
      'end',
    ])
    expect(watched.runner.context).toBeUndefined()
  })

  it('applies its onDecodeError where a consumer has none', async () => {
    const errors: HermodError[] = []
    const watched = new Watched({
      consumers: [{ queues: queue, handler: () => {}, accept: ['text'] }],
      onDecodeError: (error, message) => {
        errors.push(error)
        message.ack()
      },
    })
    const run = watched.runner.run()
    await watched.ready()
    deliver(watched.broker, [1])
    await watched.broker.link.method('basic.ack')
    await watched.runner.stop()
    await run
    expect(errors.map(({ code }) => code)).toEqual(['E_CONTENT'])
  })

  describe('its producer', () => {
    it('has a connection of its own, sends again what is uncertain, and ends with the run', async () => {
      const watched = new Watched()
      await expect(watched.runner.producer()).rejects.toMatchObject({ code: 'E_CONFIG' })
      const run = watched.runner.run()
      await watched.ready()
      const [consuming] = watched.broker.links
      const [producer, same] = await Promise.all([watched.runner.producer(), watched.runner.producer()])
      expect(same).toBe(producer)
      expect(watched.broker.links).toHaveLength(2)
      watched.broker.onPublish = () => SILENT
      const published = producer.publish({ n: 1 }, { routingKey: 'out' })
      await watched.broker.links[1]?.published(1)
      watched.broker.onPublish = () => {}
      watched.broker.links[1]?.drop()
      await published
      expect(watched.broker.links).toHaveLength(3)
      expect(watched.log).toEqual(['revived', 'ready', 'E_CONN_LOST again'])
      expect(consuming?.gone).toBe(false)
      await watched.runner.stop()
      await run
      expect(watched.broker.links[2]?.all('connection.close')).toHaveLength(1)
      await expect(producer.publish(1)).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
    })

    it('is there for the handlers that the end waits for', async () => {
      const watched: Watched = new Watched({
        consumers: [
          {
            queues: queue,
            settle: 'auto',
            handler: async () => {
              watched.log.push('begun')
              await watched.broker.link.method('basic.cancel')
              await (await watched.runner.producer()).publish('late', { routingKey: 'out' })
            },
          },
        ],
      })
      const run = watched.runner.run()
      await watched.ready()
      deliver(watched.broker, [1])
      await eventually(() => watched.log.includes('begun'))
      await watched.runner.stop()
      await expect(run).resolves.toMatchObject({ drained: true })
      expect(watched.broker.links[1]?.publishes.map(({ body }) => body.toString())).toEqual(['late'])
    })
  })
})

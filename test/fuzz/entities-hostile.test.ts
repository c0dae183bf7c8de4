import { inspect } from 'node:util'
import {
  ChannelPool,
  Connection,
  ConnectionPool,
  Consumer,
  Exchange,
  Producer,
  ProducerPool,
  Queue,
  Runner,
  SimpleQueue,
  type ConnectionOptions,
  type Message,
} from '@hermod/amqp'
import { isHermodError, sleep } from '@hermod/kernel'
import { eventually, ScriptedBroker } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hastyClock, heapBytes, HOSTILE_URL, PASSWORD, strayErrors } from './hostile-broker.ts'
import { applyMoods, mood, type Mood } from './moody-broker.ts'
import { OpenTimers } from './open-timers.ts'
import { search, TIMEOUT_MS } from './search.ts'

/** When nothing holds it up any more, everything ends within this time. */
const PATIENCE_MS = 20_000

const HASTY: ConnectionOptions = {
  clock: hastyClock,
  connectTimeoutMs: 4000,
  operationTimeoutMs: 4000,
  blockedTimeoutMs: 2000,
  heartbeatMs: 0,
  reconnect: { initialMs: 20, maxMs: 200 },
}
const SOON = { timeoutMs: 300 }

/** How a program ends. */
type Ending = 'close' | 'drain' | 'abort' | 'dispose' | 'broker gone'

/** Everything that was begun, with its name, so that what never settles can be named. */
class Begun {
  readonly #open = new Map<Promise<unknown>, string>()
  readonly wrong: unknown[] = []

  /** Takes note of a promise. It may reject, but with an error of ours only. */
  note<T>(name: string, promise: Promise<T>): Promise<T | undefined> {
    const settling = promise.then(
      (value) => value,
      (error: unknown) => {
        if (!isHermodError(error) || inspect(error, { depth: 9 }).includes(PASSWORD))
          this.wrong.push([name, error])
        return undefined
      },
    )
    this.#open.set(settling, name)
    void settling.then(() => this.#open.delete(settling))
    return settling
  }

  get open(): readonly string[] {
    return [...this.#open.values()]
  }
}

/** One part of a program, which runs until its connection ends. */
type Part = (connection: Connection, begun: Begun, broker: ScriptedBroker) => void

const orders = new Queue('q', { exchange: new Exchange('x', 'topic'), routingKey: '#' })

const connected = (broker: ScriptedBroker): ConnectionOptions => ({ ...HASTY, dial: broker.dial })

const later = (ms: number): Promise<void> => sleep(ms)

const PARTS: { readonly [name: string]: Part } = {
  producer: (connection, begun) => {
    const producer = new Producer(connection, { exchange: new Exchange('x', 'topic'), declare: [orders] })
    for (let n = 0; n < 6; n++) {
      const options = { routingKey: 'k', mandatory: n % 2 === 0, resend: n % 3 === 0 }
      void begun.note('publish', producer.publish({ n }, options))
    }
    void begun.note('publish soon', producer.publish('x', SOON))
    void later(60).then(() => begun.note('producer.close', producer.close(SOON)))
  },
  handler: (connection, begun) => {
    const consumer = new Consumer(connection, orders, async () => later(3), {
      settle: 'auto',
      concurrency: 2,
      prefetchCount: 5,
    })
    void begun.note('consumer.closed', consumer.closed)
    void begun.note('consumer.start', consumer.start())
    void begun.note('consumer.addQueue', consumer.addQueue(new Queue('r')))
    void later(40).then(async () => {
      await begun.note('consumer.setPrefetch', consumer.setPrefetch(3))
      void begun.note('consumer.recover', consumer.recover())
      void begun.note('consumer.purge', consumer.purge())
      await begun.note('consumer.cancelQueue', consumer.cancelQueue('r'))
      await begun.note('consumer.drain', consumer.drain(SOON))
      return begun.note('consumer.close', consumer.close())
    })
  },
  failing: (connection, begun) => {
    const consumer = new Consumer(
      connection,
      orders,
      () => {
        throw new Error('of the handler')
      },
      { settle: 'auto', onHandlerError: 'requeue-once' },
    )
    void begun.note('consumer.closed', consumer.closed)
    // One that never had a channel is over when it is closed, and not before.
    void begun
      .note('consumer.start', consumer.start(SOON))
      .then(() => later(50))
      .then(() => begun.note('consumer.close', consumer.close()))
  },
  raw: (connection, begun) => {
    const onMessage = (message: Message): void => {
      message.ack({ multiple: message.deliveryTag % 2 === 0 })
    }
    const consumer = new Consumer(connection, orders, undefined, { onMessage })
    consumer.on('handler-error', ({ error }) => {
      if (!isHermodError(error)) begun.wrong.push(error)
    })
    void begun.note('consumer.start', consumer.start())
    void later(50).then(() => begun.note('consumer dispose', consumer.close()))
  },
  loop: (connection, begun) => {
    const consumer = new Consumer(connection, orders)
    const read = async (): Promise<void> => {
      let left = 20
      for await (const { message } of consumer.messages({ signal: AbortSignal.timeout(400) })) {
        message.ack()
        if (--left === 0) break
      }
    }
    void begun.note(
      'loop',
      read().catch((error: unknown) => {
        if (!(error instanceof DOMException)) throw error
      }),
    )
  },
  'simple queue': (connection, begun) => {
    const jobs = new SimpleQueue(connection, 'q', { ackOnGet: true })
    void begun.note('put', jobs.put({ n: 1 }))
    void begun.note('get', jobs.get())
    void begun.note('get soon', jobs.get(SOON))
    void begun.note('getNow', jobs.getNow())
    void begun.note('size', jobs.size())
    void begun.note('clear', jobs.clear())
    const read = async (): Promise<void> => {
      for await (const { body } of jobs) void body
    }
    void begun.note('for await', read())
    void later(80).then(() => begun.note('simple queue, close', jobs.close(SOON)))
  },
  transactions: (connection, begun) => {
    const work = async (): Promise<void> => {
      const channel = await connection.openChannel({ transactional: true })
      await channel.consume('q', {}, (message) => {
        message.ack()
      })
      for (const how of ['commit', 'rollback', 'commit'] as const) {
        void begun.note('publish', channel.publish('', 'q', Buffer.from('x'), { mandatory: true }))
        void begun.note('recover', channel.recover())
        await later(5)
        await begun.note(how, channel[how]())
      }
      await channel.settle(SOON)
      await channel.close()
    }
    void begun.note('transactions', work())
  },
  plain: (connection, begun) => {
    const work = async (): Promise<void> => {
      const channel = await connection.openChannel({ recover: false })
      void begun.note('flow', channel.flow(true))
      void begun.note('get', channel.get('q'))
      void begun.note('get noAck', channel.get('q', { noAck: true }))
      void begun.note('queueStatus', connection.queueStatus('q'))
      void begun.note('exchangeExists', channel.exchangeExists('x'))
      void begun.note('updateSecret', connection.updateSecret('s3'))
      void begun.note('publish', channel.publish('', 'q', Buffer.alloc(40_000)))
      await channel.drain(SOON)
      await channel.close()
    }
    void begun.note('plain', work())
  },
  status: (connection, begun) => {
    const read = async (): Promise<void> => {
      for await (const status of connection.status()) inspect(status)
    }
    void begun.note('status', read())
  },
  runner: (_, begun, broker) => {
    const { clock, ...options } = connected(broker)
    const runner = new Runner(HOSTILE_URL, {
      consumers: [{ queues: orders, handler: (__, message) => void message.ack() }],
      connection: { ...options, clock, operationTimeoutMs: 4000 },
      drainTimeoutMs: 300,
      connectMaxRetries: 3,
      onIteration: () => {},
      iterationMs: 100,
    })
    void begun.note('run', runner.run({ limit: 5, idleTimeoutMs: 2000 }))
    void begun.note(
      'runner.producer',
      runner.producer().then((producer) => producer.publish('x', SOON)),
    )
    void later(120).then(() => begun.note('runner.stop', runner.stop()))
  },
  pools: (connection, begun, broker) => {
    const channels = new ChannelPool(connection, { limit: 2 })
    for (let n = 0; n < 4; n++) {
      void begun.note(
        'channel pool',
        channels.use((channel) => channel.publish('', 'q', Buffer.from('x'), SOON)),
      )
    }
    const connections = new ConnectionPool(HOSTILE_URL, { ...connected(broker), limit: 2 })
    const producers = new ProducerPool(connections, { limit: 3 })
    for (let n = 0; n < 4; n++) {
      void begun.note(
        'producer pool',
        producers.use((producer) => producer.publish('x', SOON), { timeoutMs: 1000 }),
      )
    }
    void later(100).then(async () => {
      void begun.note('channel pool, close', channels.close(SOON))
      await begun.note('producer pool, close', producers.close(SOON))
      return begun.note('connection pool, close', connections.close(SOON))
    })
  },
}

interface Program {
  readonly parts: readonly string[]
  readonly moods: readonly Mood[]
  readonly runsForMs: number
  readonly ending: Ending
  readonly reconnects: boolean
}

const program: fc.Arbitrary<Program> = fc.record({
  parts: fc.uniqueArray(fc.constantFrom(...Object.keys(PARTS)), { minLength: 1, maxLength: 4 }),
  moods: fc.array(mood, { minLength: 1, maxLength: 8 }),
  runsForMs: fc.integer({ min: 0, max: 250 }),
  ending: fc.constantFrom<Ending>('close', 'close', 'drain', 'abort', 'dispose', 'broker gone'),
  reconnects: fc.boolean(),
})

async function end(
  connection: Connection,
  ending: Ending,
  begun: Begun,
  broker: ScriptedBroker,
): Promise<void> {
  switch (ending) {
    case 'close':
      await begun.note('close', connection.close())
      break
    case 'drain':
      await begun.note('drain', connection.drain(SOON))
      break
    case 'abort':
      connection.abort()
      break
    case 'dispose':
      await begun.note('dispose', connection[Symbol.asyncDispose]())
      break
    case 'broker gone':
      broker.onLink = (link) => {
        link.drop()
        return false
      }
      for (const link of broker.links) link.drop()
      await later(100)
      await begun.note('close', connection.close())
  }
}

/** Throws for anything that a hostile broker must not bring about. */
async function survive({ parts, moods, runsForMs, ending, reconnects }: Program): Promise<void> {
  const broker = new ScriptedBroker()
  applyMoods(broker, moods)
  const begun = new Begun()
  const options = { ...connected(broker), ...(reconnects ? {} : { reconnect: false as const }) }
  const connection = await begun.note('connect', Connection.connect(HOSTILE_URL, options))
  if (connection !== undefined) {
    for (const name of parts) (PARTS[name] as Part)(connection, begun, broker)
    await later(runsForMs)
    await end(connection, ending, begun, broker)
  }
  const { channels = 0, unconfirmed = 0, waiting = 0, unsettled = 0 } = connection?.stats() ?? {}
  expect([connection?.state ?? 'closed', channels, unconfirmed, waiting, unsettled]).toEqual([
    'closed',
    0,
    0,
    0,
    0,
  ])
  await eventually(() => expect(begun.open).toEqual([]), { timeoutMs: PATIENCE_MS })
  expect(begun.wrong).toEqual([])
  await eventually(() => broker.links.every((link) => link.gone), { timeoutMs: PATIENCE_MS })
}

describe('a broker in every mood', () => {
  it('brings no program down, and leaves nothing behind', { timeout: TIMEOUT_MS }, async () => {
    const several = fc.array(program, { minLength: 2, maxLength: 8 })
    let seen = 0
    const property = fc.asyncProperty(several, async (programs) => {
      const stray = await strayErrors(async () => {
        using timers = new OpenTimers()
        await Promise.all(programs.map(survive))
        await timers.allGone(PATIENCE_MS)
      })
      expect(stray).toEqual([])
      seen += programs.length
    })
    const heap = heapBytes()
    await fc.assert(property, search(0.9))
    expect(seen).toBeGreaterThan(1)
    expect(heapBytes() - heap).toBeLessThan(48 << 20)
  })

  it.each(Object.keys(PARTS))('with a broker of good will, %s ends well', async (name) => {
    const stray = await strayErrors(() =>
      survive({ parts: [name], moods: [], runsForMs: 200, ending: 'close', reconnects: true }),
    )
    expect(stray).toEqual([])
  })
})

import {
  ChannelPool,
  type Connection,
  type ConnectionOptions,
  ConnectionPool,
  Consumer,
  Producer,
  ProducerPool,
  Queue,
  Runner,
  SimpleQueue,
} from '@hermod/amqp'
import type { DeadlineOptions } from '@hermod/kernel'
import { eventually, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { hastyClock, HOSTILE_URL, settledOurs } from './hostile-broker.ts'

/** With a deadline of its own an operation is not to wait for the connection's, which is far longer. */
const SOON: DeadlineOptions = { timeoutMs: 200 }
const SOON_MS = 8000
/** A minute, on that clock. */
const PATIENT: ConnectionOptions = {
  clock: hastyClock,
  connectTimeoutMs: 1_200_000,
  operationTimeoutMs: 1_200_000,
}

/** What is made of a connection before its broker falls silent, and what is asked of it then. */
type Use = (connection: Connection, broker: ScriptedBroker) => Promise<() => Promise<unknown>>

const queue = new Queue('q')

const CONSUMING: { readonly [name: string]: (consumer: Consumer) => Promise<unknown> } = {
  'consumer.addQueue': (consumer) => consumer.addQueue(new Queue('r'), SOON),
  'consumer.setPrefetch': (consumer) => consumer.setPrefetch(3, SOON),
  'consumer.purge': (consumer) => consumer.purge(SOON),
  'consumer.recover': (consumer) => consumer.recover(SOON),
  'consumer.drain': (consumer) => consumer.drain(SOON),
}

const ENTITIES: { readonly [name: string]: Use } = {
  'consumer.start': async (connection) => {
    const consumer = new Consumer(connection, queue, () => {})
    return () => consumer.start(SOON)
  },
  ...Object.fromEntries(
    Object.entries(CONSUMING).map(([name, ask]): [string, Use] => [
      name,
      async (connection) => {
        const consumer = new Consumer(connection, queue, () => {})
        await consumer.start()
        return () => ask(consumer)
      },
    ]),
  ),
  'producer.publish, the first': async (connection) => {
    const producer = new Producer(connection, { declare: [queue] })
    return () => producer.publish('x', SOON)
  },
  'producer.publish': async (connection) => {
    const producer = new Producer(connection)
    await producer.publish('x')
    return () => producer.publish('x', SOON)
  },
  'simple queue, put': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    return () => jobs.put(1, SOON)
  },
  'simple queue, get, the first': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    return () => jobs.get(SOON)
  },
  'simple queue, getNow': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    await jobs.getNow()
    return () => jobs.getNow(SOON)
  },
  'simple queue, size': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    await jobs.getNow()
    return () => jobs.size(SOON)
  },
  'simple queue, clear': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    await jobs.getNow()
    return () => jobs.clear(SOON)
  },
  'pool, acquire': async (connection) => {
    const pool = new ChannelPool(connection)
    return () => pool.acquire(SOON)
  },
}

/** Endings: with or without a deadline they resolve, at the latest when the connection is closed. */
const CLOSINGS: { readonly [name: string]: Use } = {
  'producer.close': async (connection) => {
    const producer = new Producer(connection, { declare: [queue] })
    await producer.publish('x')
    return async () => {
      void settledOurs(producer.publish('y'))
      await producer.close(SOON)
    }
  },
  'producer.close before its channel is open': async (connection) => {
    const producer = new Producer(connection)
    return async () => {
      void settledOurs(producer.publish('y'))
      await producer.close(SOON)
    }
  },
  'consumer.close': async (connection) => {
    const consumer = new Consumer(connection, queue, () => {})
    await consumer.start()
    return () => consumer.close()
  },
  'consumer.close while it starts': async (connection) => {
    const consumer = new Consumer(connection, queue, () => {})
    return async () => {
      void settledOurs(consumer.start())
      await consumer.close()
    }
  },
  'simple queue, close': async (connection) => {
    const jobs = new SimpleQueue(connection, 'q')
    await jobs.put(1)
    return async () => {
      void settledOurs(jobs.put(2))
      await jobs.close(SOON)
    }
  },
  'pool, close': async (connection) => {
    const pool = new ChannelPool(connection)
    await pool.acquire()
    return () => pool.close(SOON)
  },
  'pool of connections, close': async (_, broker) => {
    const connections = new ConnectionPool(HOSTILE_URL, {
      dial: broker.dial,
      heartbeatMs: 0,
      connectRetries: Infinity,
      ...PATIENT,
    })
    await connections.acquire()
    broker.onLink = (link) => void (link.mute = true)
    return async () => {
      void settledOurs(connections.acquire())
      await connections.close(SOON)
      // The one that was being made was given up; the first link is not the pool's.
      await eventually(() => broker.links.slice(1).every((link) => link.gone))
    }
  },
  'pool of producers, close, with no connection left': async (_, broker) => {
    const connections = new ConnectionPool(HOSTILE_URL, {
      dial: broker.dial,
      heartbeatMs: 0,
      limit: 1,
      ...PATIENT,
    })
    await connections.acquire()
    const producers = new ProducerPool(connections)
    return async () => {
      void settledOurs(producers.acquire())
      await producers.close(SOON)
      await connections.close(SOON)
    }
  },
  'runner, stop': async (_, broker) => {
    const runner = new Runner(HOSTILE_URL, {
      consumers: [{ queues: queue, handler: () => {} }],
      connection: { dial: broker.dial, heartbeatMs: 0, ...PATIENT },
      drainTimeoutMs: 200,
    })
    const running = settledOurs(runner.run())
    await broker.linked(1)
    await broker.link.method('basic.consume')
    await settled()
    return async () => {
      await runner.stop()
      expect(await running).toBe('value')
    }
  },
  'runner, stop while its producer is made': async (_, broker) => {
    const runner = new Runner(HOSTILE_URL, {
      consumers: [],
      connection: { dial: broker.dial, heartbeatMs: 0, ...PATIENT },
    })
    const running = settledOurs(runner.run())
    await broker.linked(1)
    await eventually(() => runner.context !== undefined)
    broker.onLink = (link) => void (link.mute = true)
    const made = settledOurs(runner.producer())
    return async () => {
      await runner.stop()
      expect(await running).toBe('value')
      expect(await made).toBe('E_CONN_CLOSED')
    }
  },
  'runner, stop while it starts': async (_, broker) => {
    broker.on('queue.declare', () => SILENT)
    const runner = new Runner(HOSTILE_URL, {
      consumers: [{ queues: queue, handler: () => {} }],
      connection: { dial: broker.dial, heartbeatMs: 0, ...PATIENT },
      drainTimeoutMs: 200,
    })
    const running = settledOurs(runner.run())
    await broker.linked(1)
    await broker.link.method('queue.declare')
    return async () => {
      await runner.stop()
      expect(await running).toBe('value')
    }
  },
}

describe('entities, with a broker that never answers', () => {
  async function asked(use: Use): Promise<{ connection: Connection; fate: string; tookMs: number }> {
    const broker = new ScriptedBroker()
    const connection = await broker.connect(PATIENT)
    const ask = await use(connection, broker)
    for (const link of broker.links) link.mute = true
    const beganMs = performance.now()
    const fate = await settledOurs(ask())
    return { connection, fate, tookMs: performance.now() - beganMs }
  }

  it.concurrent.each(Object.entries(ENTITIES))('%s ends with its deadline', async (_, use) => {
    const { connection, fate, tookMs } = await asked(use)
    expect(fate).toBe('E_TIMEOUT')
    expect(tookMs).toBeLessThan(SOON_MS)
    await connection.close()
  })

  it.concurrent.each(Object.entries(CLOSINGS))('%s ends', async (_, use) => {
    const { connection, fate, tookMs } = await asked(use)
    expect(fate).toBe('value')
    expect(tookMs).toBeLessThan(2 * SOON_MS)
    await connection.close()
  })
})

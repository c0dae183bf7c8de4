import { Connection, ConnectionPool, Exchange, ProducerPool, Queue, type Lease } from '@hermod/amqp'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu']))

type Step = 'acquire' | 'full?' | readonly ['release' | 'fail', number]

describe.skipIf(gate.skip)(`pools beside kombu's${gate.note}`, () => {
  let broker: BrokerFixture
  let kombu: PythonPeer
  beforeAll(async () => {
    broker = await startBroker()
    kombu = startPeer('kombu_pool', { url: broker.url })
  })
  afterAll(async () => {
    await kombu?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  /** What the peer does with kombu's pool. */
  async function work(limit: number, steps: readonly Step[]): Promise<unknown[]> {
    await using pool = new ConnectionPool(broker.url, { limit })
    const made: Connection[] = []
    const leases: Lease<Connection>[] = []
    const seen: unknown[] = []
    for (const step of steps) {
      if (typeof step === 'string') {
        const lease = await pool.acquire({ wait: false }).catch((error: { code: string }) => error.code)
        if (typeof lease === 'string') {
          seen.push(lease === 'E_LIMIT' ? 'limit' : lease)
          continue
        }
        if (!made.includes(lease.resource)) made.push(lease.resource)
        seen.push(made.indexOf(lease.resource))
        leases.push(lease)
      } else if (step[0] === 'release') await leases[step[1]]?.release()
      else await leases[step[1]]?.discard()
    }
    for (const lease of leases) await lease.release()
    return seen
  }

  it.each<[string, readonly Step[]]>([
    ['makes as many as are needed, up to the limit', ['acquire', 'acquire', 'acquire', 'full?']],
    [
      'lends the last that came back first',
      ['acquire', 'acquire', 'acquire', ['release', 1], ['release', 0], 'acquire', 'acquire'],
    ],
    [
      'lends one after the other to the same',
      ['acquire', ['release', 0], 'acquire', ['release', 1], 'acquire'],
    ],
    ['replaces what failed', ['acquire', ['fail', 0], 'acquire', 'acquire', 'acquire', 'full?']],
  ])('%s, as kombu does', async (_, steps) => {
    const { seen } = await kombu.ask({ limit: 3, steps })
    expect(await work(3, steps)).toEqual(seen)
  })

  it('publishes from many sides over few connections, loses nothing, and heals', async () => {
    const queue = new Queue('pooled', { exchange: new Exchange('pooled'), durable: false })
    await using watcher = await Connection.connect(broker.url, { name: 'watcher' })
    await queue.declare(await watcher.openChannel())
    const connections = new ConnectionPool(broker.url, { limit: 3, name: 'pooled' })
    const producers = new ProducerPool(connections, {
      limit: 3,
      exchange: new Exchange('pooled'),
      resend: true,
    })
    const publishAll = (): Promise<void[]> =>
      Promise.all(
        Array.from({ length: 300 }, (_, id) => producers.use((producer) => producer.publish({ id }))),
      )
    await publishAll()
    const named = async (): Promise<number> =>
      (await broker.connections()).filter(
        ({ clientProperties }) => clientProperties['connection_name'] === 'pooled',
      ).length
    expect(await eventually(named)).toBe(3)
    // Connections that come back stay in the pool; one that has ended for good is replaced.
    await producers.use((producer) => producer.publish({ id: -1 }))
    const lease = await producers.acquire()
    await lease.discard()
    const ended = await connections.acquire()
    await ended.resource.close()
    await ended.release()
    await publishAll()
    expect((await watcher.queueStatus('pooled'))?.messageCount).toBe(601)
    expect(producers.stats()).toMatchObject({ limit: 3, size: 3, created: 4 })
    await producers.close()
    await connections.close()
    await eventually(async () => (await named()) === 0)
  })
})

import { createDeferred, type Deferred } from '@hermod/kernel'
import { ScriptedBroker } from '@hermod/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  ChannelPool,
  ConnectionPool,
  Pool,
  ProducerPool,
  type Connection,
  type Lease,
  type PoolLimit,
} from '../../src/index.ts'
import { turns } from '../client/outcomes.ts'

/** A thing that somebody borrows. */
class Thing {
  readonly number: number
  broken = false
  ended = false
  constructor(number: number) {
    this.number = number
  }
}

class ThingPool extends Pool<Thing> {
  readonly things: Thing[]

  constructor(options: PoolLimit & { readonly create?: (thing: Thing) => Promise<Thing> } = {}) {
    const things: Thing[] = []
    super({
      limit: options.limit,
      create: () => {
        const thing = new Thing(things.length)
        things.push(thing)
        return options.create?.(thing) ?? Promise.resolve(thing)
      },
      destroy: (thing) => {
        thing.ended = true
        return thing.broken ? Promise.reject(new Error('broken')) : Promise.resolve()
      },
      isUsable: ({ broken }) => !broken,
    })
    this.things = things
  }

  get ended(): number[] {
    return this.things.filter(({ ended }) => ended).map(({ number }) => number)
  }
}

const numbers = (leases: readonly Lease<Thing>[]): number[] => leases.map(({ resource }) => resource.number)

describe('Pool', () => {
  it('makes nothing before it is needed, and lends the last that came back first', async () => {
    const pool = new ThingPool({ limit: 3 })
    expect(pool.stats()).toEqual({
      limit: 3,
      size: 0,
      idle: 0,
      leased: 0,
      waiting: 0,
      created: 0,
      destroyed: 0,
    })
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
    expect(numbers(leases)).toEqual([0, 1, 2])
    for (const lease of [leases[1], leases[0], leases[2]]) await lease?.release()
    expect(numbers([await pool.acquire(), await pool.acquire()])).toEqual([2, 0])
    expect(pool.stats()).toMatchObject({ size: 3, idle: 1, leased: 2, created: 3 })
  })

  it('gives a lease back at the end of its block, and only once', async () => {
    const pool = new ThingPool({ limit: 1 })
    {
      await using lease = await pool.acquire()
      expect(lease.resource.number).toBe(0)
    }
    const lease = await pool.acquire()
    await lease.release()
    const next = await pool.acquire()
    await lease.release()
    await lease.discard()
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0, destroyed: 0 })
    await next.release()
  })

  it('serves who has waited longest first', async () => {
    const pool = new ThingPool({ limit: 1 })
    const first = await pool.acquire()
    const order: number[] = []
    const waiting = [1, 2, 3].map((at) => pool.use(() => void order.push(at)))
    await turns()
    expect(pool.stats().waiting).toBe(3)
    await first.release()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  it('refuses at once, after a time, or when the signal says so, and loses nothing by it', async () => {
    const pool = new ThingPool({ limit: 1 })
    const lease = await pool.acquire({ wait: false })
    await expect(pool.acquire({ wait: false })).rejects.toMatchObject({
      code: 'E_LIMIT',
      details: { limit: 1 },
    })
    await expect(pool.acquire({ timeoutMs: 5 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const cancelled = pool.acquire({ signal: controller.signal })
    const patient = pool.acquire()
    // Served and aborted in the same turn: the lease goes to the next one.
    void lease.release()
    controller.abort(reason)
    await expect(cancelled).rejects.toBe(reason)
    expect((await patient).resource.number).toBe(0)
    await expect(pool.acquire({ signal: controller.signal })).rejects.toBe(reason)
  })

  it('ends and replaces what failed in use, what is broken, and what nobody can end', async () => {
    const pool = new ThingPool({ limit: 1 })
    const failure = new Error('no')
    await expect(
      pool.use(() => {
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(pool.ended).toEqual([0])
    await pool.use((thing) => (thing.broken = true))
    expect(pool.ended).toEqual([0, 1])
    const lease = await pool.acquire()
    await lease.release()
    lease.resource.broken = true
    expect(await pool.use(({ number }) => number)).toBe(3)
    expect(pool.stats()).toMatchObject({ size: 1, created: 4, destroyed: 3 })
  })

  it('rejects who waited longest when nothing can be made, and tries again for the others', async () => {
    let attempts = 0
    const pool = new ThingPool({
      limit: 1,
      create: (thing) =>
        ++attempts <= 2 ? Promise.reject(new Error(`attempt ${attempts}`)) : Promise.resolve(thing),
    })
    const all = await Promise.allSettled([pool.acquire(), pool.acquire(), pool.acquire()])
    expect(all).toMatchObject([
      { reason: { message: 'attempt 1' } },
      { reason: { message: 'attempt 2' } },
      { value: { resource: { number: 2 } } },
    ])
  })

  it('keeps what was made for somebody who gave up', async () => {
    const made: Deferred<void> = createDeferred()
    const pool = new ThingPool({ limit: 1, create: (thing) => made.promise.then(() => thing) })
    await expect(pool.acquire({ timeoutMs: 5 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    made.resolve()
    await turns()
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0 })
    expect((await pool.acquire({ wait: false })).resource.number).toBe(0)
  })

  it('grows for those who wait, and shrinks as far and as soon as it can', async () => {
    const pool = new ThingPool({ limit: 1 })
    const leases = [await pool.acquire()]
    const waiting = [pool.acquire(), pool.acquire(), pool.acquire()]
    await pool.resize(4)
    leases.push(...(await Promise.all(waiting)))
    await leases[0]?.release()
    await leases[1]?.release()
    await pool.resize(1)
    expect(pool.ended).toEqual([0, 1])
    expect(pool.stats()).toMatchObject({ limit: 1, size: 2, idle: 0, leased: 2 })
    await leases[2]?.release()
    await leases[3]?.release()
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 })
    for (const limit of [0, -1, 1.5, Number.NaN, Infinity]) {
      await expect(pool.resize(limit)).rejects.toMatchObject({ code: 'E_CONFIG' })
      expect(() => new ThingPool({ limit })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    }
  })

  describe('closing', () => {
    it('ends what is idle, rejects who waits, and waits for what is in use', async () => {
      const pool = new ThingPool({ limit: 2 })
      const [first, second] = [await pool.acquire(), await pool.acquire()]
      await first.release()
      const third = await pool.acquire()
      const waiting = pool.acquire()
      let closed = false
      const closing = pool.close().then(() => (closed = true))
      await expect(waiting).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
      await second.release()
      await turns()
      expect(closed).toBe(false)
      await third.release()
      await closing
      expect(pool.stats()).toMatchObject({ size: 0, destroyed: 2 })
      await pool.close()
    })

    it.each([{ force: true }, { timeoutMs: 5 }, { signal: AbortSignal.abort() }])(
      'ends what is in use with %j',
      async (options) => {
        const pool = new ThingPool()
        const lease = await pool.acquire()
        await pool.close(options)
        expect(pool.ended).toEqual([0])
        await lease.release()
        expect(pool.stats().destroyed).toBe(1)
      },
    )

    it.each([{ timeoutMs: 5 }, { force: true }])(
      'tells what ends in order already that its time is over, with %j',
      async (options) => {
        const ended: boolean[] = []
        const pool = new Pool<object>({
          create: () => Promise.resolve({}),
          destroy: (_, { signal }) =>
            new Promise<void>((done) => {
              const end = (): void => {
                ended.push(signal.aborted)
                done()
              }
              if (signal.aborted) end()
              else signal.addEventListener('abort', end)
            }),
        })
        const [idle, discarded] = [await pool.acquire(), await pool.acquire()]
        await idle.release()
        void discarded.discard()
        await pool.close(options)
        expect(ended).toEqual([true, true])
        expect(pool.stats()).toMatchObject({ size: 0, destroyed: 2 })
      },
    )

    it('ends what was still being made', async () => {
      const made: Deferred<void> = createDeferred()
      const pool = new ThingPool({ create: (thing) => made.promise.then(() => thing) })
      const waiting = pool.acquire()
      const closing = pool.close()
      await expect(waiting).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
      made.resolve()
      await closing
      expect(pool.ended).toEqual([0])
    })
  })

  it('never has more than its limit, never lends one twice, and leaves nobody waiting, whatever happens', async () => {
    const step = fc.record({
      what: fc.constantFrom('acquire', 'release', 'discard', 'break', 'abort', 'resize', 'turn'),
      at: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, limit) => {
          const pool = new ThingPool({
            limit,
            create: (thing) =>
              thing.number % 5 === 4 ? Promise.reject(new Error('bad luck')) : Promise.resolve(thing),
          })
          const leases: Lease<Thing>[] = []
          const controllers: AbortController[] = []
          const asked: Promise<void>[] = []
          const check = (): void => {
            const lent = leases.map(({ resource }) => resource)
            expect(new Set(lent).size).toBe(lent.length)
            expect(lent.filter(({ ended }) => ended)).toEqual([])
          }
          // A pool that shrank may still have what is in use.
          let highest = limit
          for (const { what, at } of steps) {
            if (what === 'acquire') {
              const controller = new AbortController()
              controllers.push(controller)
              asked.push(
                pool.acquire({ signal: controller.signal }).then(
                  (lease) => void leases.push(lease),
                  () => {},
                ),
              )
            } else if (what === 'abort') controllers[at % Math.max(1, controllers.length)]?.abort()
            else if (what === 'resize') {
              highest = Math.max(highest, 1 + (at % 4))
              await pool.resize(1 + (at % 4))
            } else if (what === 'turn') await turns(1)
            else {
              const [lease] = leases.splice(at % Math.max(1, leases.length), 1)
              if (lease !== undefined && what === 'break') lease.resource.broken = true
              void (what === 'discard' ? lease?.discard() : lease?.release())
            }
            check()
            expect(pool.stats().size).toBeLessThanOrEqual(highest)
          }
          while (pool.stats().waiting > 0 || pool.stats().leased > 0) {
            for (const lease of leases.splice(0)) await lease.release()
            await turns(1)
          }
          await Promise.all(asked)
          await pool.close()
          expect(pool.stats().size).toBe(0)
          expect(pool.things.filter(({ number, ended }) => number % 5 !== 4 && !ended)).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('pools of connections, channels and producers', () => {
  const broker = new ScriptedBroker()
  const target = 'amqp://user:sesame@broker'
  const options = { dial: broker.dial, heartbeatMs: 0 }
  const pools: Pick<Pool<unknown>, 'close'>[] = []
  const open = <Some extends Pick<Pool<unknown>, 'close'>>(pool: Some): Some => {
    pools.push(pool)
    return pool
  }
  afterEach(async () => {
    for (const pool of pools.splice(0).toReversed()) await pool.close({ force: true })
  })

  it('opens connections as they are needed, and replaces those that are over', async () => {
    const pool = open(new ConnectionPool(target, { ...options, limit: 2 }))
    const lost = await pool.use(async (connection) => {
      await connection.close()
      return connection
    })
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    expect(new Set([lost, one.resource, two.resource]).size).toBe(3)
    await one.release()
    await one.resource.close()
    expect((await pool.acquire()).resource).not.toBe(one.resource)
    expect(pool.stats()).toMatchObject({ created: 4, size: 2 })
  })

  it('opens channels on one connection, and leaves it open', async () => {
    const connection: Connection = await broker.connect()
    const pool = open(new ChannelPool(connection, { limit: 1, recover: false }))
    const first = await pool.use((channel) => channel)
    expect(await pool.use((channel) => channel)).toBe(first)
    await first.close()
    expect(await pool.use((channel) => channel)).not.toBe(first)
    await pool.close()
    expect(connection.state).toBe('open')
    await connection.close()
  })

  it('has each producer on a connection of its own', async () => {
    const connections = open(new ConnectionPool(target, { ...options, limit: 2 }))
    const producers = open(new ProducerPool(connections, { limit: 2, exchange: 'x' }))
    const [one, two] = [await producers.acquire(), await producers.acquire()]
    await Promise.all([one.resource.publish(1), two.resource.publish(2)])
    expect(broker.links.slice(-2).map(({ publishes }) => publishes.length)).toEqual([1, 1])
    expect(connections.stats()).toMatchObject({ leased: 2 })
    await one.release()
    await two.discard()
    expect(connections.stats()).toMatchObject({ leased: 1, idle: 1 })
    await producers.close()
    expect(connections.stats()).toMatchObject({ leased: 0, idle: 2, destroyed: 0 })
  })

  it('replaces a producer whose connection has ended', async () => {
    const connections = open(new ConnectionPool(target, { ...options, limit: 1, reconnect: false }))
    const producers = open(new ProducerPool(connections, { limit: 1 }))
    await producers.use((producer) => producer.publish(1))
    broker.link.end()
    await turns()
    await producers.use((producer) => producer.publish(2))
    expect(connections.stats()).toMatchObject({ created: 2, destroyed: 1 })
  })
})

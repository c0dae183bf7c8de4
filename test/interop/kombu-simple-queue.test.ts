import { Connection, SimpleBuffer, SimpleQueue } from '@hermod/amqp'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('administer'), findPython(['kombu']))

describe.skipIf(gate.skip)(`SimpleQueue beside kombu's${gate.note}`, () => {
  let broker: BrokerFixture
  let kombu: PythonPeer
  let connection: Connection
  beforeAll(async () => {
    broker = await startBroker()
    kombu = startPeer('kombu_simple_queue', { url: broker.url })
  })
  afterAll(async () => {
    await kombu?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
  })
  afterEach(() => connection?.close())

  const bodies = [{ id: 1, text: 'é' }, 'text', [1, 2.5, null]]

  describe.each(['queue', 'buffer'] as const)('a %s', (kind) => {
    const open = (name: string): SimpleQueue =>
      kind === 'queue'
        ? new SimpleQueue(connection, name, { accept: ['json', 'text'] })
        : new SimpleBuffer(connection, name, { accept: ['json', 'text'] })
    const ask = (name: string, what: string, more: object = {}): Promise<unknown> =>
      kombu.ask({ do: what, kind, name, ...more })

    it.each(['ours first', 'theirs first'])('is the same one on both sides, declared by %s', async (who) => {
      const name = `${kind} ${who}`
      const ours = open(name)
      if (who === 'ours first') await ours.getNow()
      await ask(name, 'get_nowait')
      for (const body of bodies) {
        await ours.put(body)
        await ask(name, 'put', { body })
      }
      expect([await ours.size(), await ask(name, 'size')]).toEqual([6, { count: 6 }])
      const taken: unknown[] = []
      for (let count = 0; count < 6; count++) taken.push((await ours.get({ timeoutMs: 10_000 })).body)
      expect(taken).toEqual(bodies.flatMap((body) => [body, body]))
      await ours.close()
      await ask(name, 'close')
    })

    it('has what is put in here come out there, in order', async () => {
      const name = `${kind} to kombu`
      const ours = open(name)
      await ask(name, 'get_nowait')
      await Promise.all(Array.from({ length: 100 }, (_, id) => ours.put({ id })))
      const got: unknown[] = []
      for (let count = 0; count < 100; count++) got.push(await ask(name, 'get', { timeout: 10 }))
      expect(got).toEqual(Array.from({ length: 100 }, (_, id) => ({ body: { id } })))
      expect(await ask(name, 'get', { timeout: 0.05 })).toEqual({ empty: true })
      await expect(ours.get({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
      await ask(name, 'close')
      await ours.close()
    })

    it('is emptied by either side', async () => {
      const name = `${kind} cleared`
      const ours = open(name)
      await ask(name, 'get_nowait')
      for (let id = 0; id < 5; id++) await ours.put(id)
      expect(await ask(name, 'clear')).toEqual({ count: 5 })
      for (let id = 0; id < 5; id++) await ask(name, 'put', { body: id })
      await ours.get()
      expect(await ours.clear()).toBe(4)
      expect(await ours.getNow()).toBeUndefined()
      await ask(name, 'close')
      await ours.close()
    })
  })

  it('gives back what it held and what was not settled, in order', async () => {
    const ours = new SimpleQueue(connection, 'given back')
    for (let id = 0; id < 10; id++) await ours.put(id)
    const first = await ours.get()
    const second = await ours.get()
    first.message.ack()
    expect([first.body, second.body]).toEqual([0, 1])
    await ours.close()
    await using again = new SimpleQueue(connection, 'given back')
    const got: unknown[] = []
    for await (const { body, message } of again) {
      message.ack()
      if (got.push(body) === 9) break
    }
    expect(got).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('goes on after the connection was cut, and loses nothing', async () => {
    const ours = new SimpleQueue(connection, 'cut', { prefetchCount: 10 })
    for (let id = 0; id < 50; id++) await ours.put(id)
    const got = new Set<unknown>()
    let stale = 0
    while (got.size < 50) {
      const { body, message } = await ours.get({ timeoutMs: 30_000 })
      if (got.size === 20 && stale === 0) {
        await broker.closeConnections('a test')
        await eventually(() => connection.stats().reconnects === 1)
      }
      // What was in hand when the connection broke comes again; what was only held does not come twice.
      if (!message.ack()) stale++
      got.add(body)
    }
    expect(stale).toBe(1)
    await ours.close()
  })

  it('makes a buffer anew that had vanished, where kombu loses what is put in', async () => {
    const name = 'vanished'
    const ours = new SimpleBuffer(connection, name)
    await ours.put(1)
    expect((await ours.get()).body).toBe(1)
    await ours.close()
    await eventually(async () => (await connection.queueStatus(name)) === undefined)
    await using next = new SimpleBuffer(connection, name)
    await next.put(2)
    await connection.openChannel().then((channel) => channel.deleteQueue(name))
    await next.put(3)
    expect((await next.get({ timeoutMs: 10_000 })).body).toBe(3)
  })
})

import { Duplex } from 'node:stream'
import { dial, parseAmqpUrl, type Dial } from '@hermod/amqp'
import { openTap, type Tap, type TapOptions } from '@hermod/events'
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
import { declareExchanges } from '../e2e/declare-exchanges.ts'
import { startPeer } from '../e2e/start-peer.ts'
import { TapLog } from './tap-log.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu', 'pika']))

/**
 * Long enough that a tap with a window of {@link WINDOW} takes no more than some 40 messages a second, which is less than
 * anybody publishes, and that the broker drops some while its answer that the queue is nearly full is on its way.
 */
const DELAY_MS = 60
const WINDOW = 5

/** A connection to a broker far away: everything takes {@link DELAY_MS} in either direction. */
const dialSlowly: Dial = async (address, options) => {
  const near = await dial(address, options)
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      const copy = Buffer.from(chunk)
      setTimeout(() => near.write(copy), DELAY_MS)
      done()
    },
    final(done) {
      setTimeout(() => near.end(), DELAY_MS)
      done()
    },
    destroy(error, done) {
      near.destroy()
      done(error)
    },
  })
  near.on('data', (chunk: Buffer) => void setTimeout(() => void slow.push(chunk), DELAY_MS))
  near.on('error', (error) => slow.destroy(error))
  near.on('close', () => void setTimeout(() => slow.destroy(), 2 * DELAY_MS))
  return slow
}

describe.skipIf(gate.skip)(`the limits of a tap on RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let pika: PythonPeer
  beforeAll(async () => {
    broker = await startBroker()
    await declareExchanges(broker.url, ['nova'])
    pika = startPeer('pika_publish')
  })
  afterAll(async () => {
    for (const resource of [pika, broker]) await resource?.[Symbol.asyncDispose]()
  })

  const open = (options: Partial<TapOptions>): Promise<Tap> =>
    openTap({ servers: [parseAmqpUrl(broker.url)], ...options })

  async function publish(n: number, filler = ''): Promise<void> {
    const body_base64 = Buffer.from(JSON.stringify({ event_type: `n.${n}`, payload: { filler } })).toString(
      'base64',
    )
    await pika.ask({ url: broker.url, exchange: 'nova', routing_key: 'notifications.info', body_base64 })
  }

  async function rest(tap: Tap): Promise<readonly string[]> {
    await tap.close()
    const types: string[] = []
    for await (const { type } of tap) types.push(type)
    return types
  }

  it('keeps the newest events that nobody takes, and counts exactly those it drops', async () => {
    const tap = await open({ ringCapacity: 10 })
    const log = new TapLog(tap)
    for (let n = 0; n < 35; n++) await publish(n)
    await eventually(() => tap.stats().received === 35)
    expect(tap.stats()).toMatchObject({ ringDropped: 25, delivered: 0, brokerMayHaveDropped: false })
    await eventually(() => log.of('ring-dropped').at(-1)?.total === 25)
    const told = log.of('ring-dropped').reduce((sum, { dropped }) => sum + dropped, 0)
    expect(told).toBe(25)
    expect(await rest(tap)).toEqual(Array.from({ length: 10 }, (_, n) => `n.${25 + n}`))
    expect(tap.stats()).toMatchObject({ received: 35, ringDropped: 25, delivered: 10 })
  })

  it('drops by bytes as well, and tells the last drops when it is closed', async () => {
    const tap = await open({ ringCapacityBytes: 10_000 })
    const log = new TapLog(tap)
    for (let n = 0; n < 12; n++) await publish(n, 'x'.repeat(3000))
    await eventually(() => tap.stats().received === 12)
    expect(await rest(tap)).toEqual(['n.9', 'n.10', 'n.11'])
    expect(tap.stats().ringDropped).toBe(9)
    expect(log.of('ring-dropped').at(-1)?.total).toBe(9)
  })

  it('gives its queue the bounds in the broker', async () => {
    await using tap = await open({ maxLength: 77, maxLengthBytes: 7777 })
    expect(await broker.queues()).toContainEqual(
      expect.objectContaining({
        name: tap.stats().queue,
        arguments: { 'x-max-length': 77, 'x-max-length-bytes': 7777 },
        durable: false,
        exclusive: true,
        autoDelete: true,
      }),
    )
  })

  it('says that the broker may have dropped events, when it did', async () => {
    const tap = await open({ dial: dialSlowly, prefetchCount: WINDOW, maxLength: 30 })
    const log = new TapLog(tap)
    let published = 0
    while (log.of('tap-full').length === 0 && published < 20_000) await publish(published++)
    expect(log.of('tap-full')[0]).toMatchObject({ limit: 30 })
    expect(log.of('tap-full')[0]?.depth).toBeGreaterThanOrEqual(27)
    expect(tap.stats().brokerMayHaveDropped).toBe(true)
    // What the broker kept still comes, and with the last message it is all here.
    await publish(-1)
    await eventually(async () => (await broker.queues())[0]?.messages === 0)
    const types = await rest(tap)
    expect(types.at(-1)).toBe('n.-1')
    expect(types.length).toBeLessThan(published + 1)
    expect(tap.stats().ringDropped).toBe(0)
  })

  it('has nothing to say when it keeps up', async () => {
    const tap = await open({ maxLength: 1000 })
    const log = new TapLog(tap)
    for (let n = 0; n < 200; n++) await publish(n)
    await eventually(() => tap.stats().received === 200)
    expect(await rest(tap)).toHaveLength(200)
    expect(log.statuses).toEqual([])
    expect(tap.stats()).toMatchObject({ ringDropped: 0, gaps: 0, unreadable: 0, brokerMayHaveDropped: false })
  })
})

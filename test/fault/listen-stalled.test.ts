import { Connection, type Channel } from '@hermod/amqp'
import { sleep } from '@hermod/kernel'
import { eventually, findPython, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declareExchanges } from '../e2e/declare-exchanges.ts'
import { startListen } from '../e2e/running-listen.ts'

const gate = needs(findBroker('inspect'), findPython(['kombu']))

/** A process that misses more than this is known to have stood still. */
const STANDSTILL_MS = 3000

describe.skipIf(gate.skip)(`hermod listen that stands still${gate.note}`, () => {
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  beforeAll(async () => {
    broker = await startBroker()
    await declareExchanges(broker.url, ['nova'])
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
  })
  afterAll(async () => {
    for (const resource of [connection, broker]) await resource?.[Symbol.asyncDispose]()
  })

  /** Publishes notifications `TYPE.FROM` to `TYPE.(TO - 1)` in order. */
  async function publish(type: string, from: number, to: number, fillerBytes: number): Promise<void> {
    const filler = '-'.repeat(fillerBytes)
    for (let start = from; start < to; start += 100) {
      const batch = Array.from({ length: Math.min(100, to - start) }, (_, n) => {
        const body = JSON.stringify({ event_type: `${type}.${start + n}`, payload: { filler } })
        return channel.publish('nova', 'notifications.info', Buffer.from(body))
      })
      await Promise.all(batch)
    }
  }

  it('shows what the broker kept for it, and says that more may have been dropped', async () => {
    const [small, large, kib100] = [300, 1200, 100 * 1024]
    await using listen = await startListen([], { url: broker.url }).tapping()
    await publish('small', 0, small, 0)
    await listen.showing(`small.${small - 1}`)
    // Its acks leave a little later; what is not acked yet would be counted with what comes now.
    await eventually(async () => (await broker.queues()).every(({ messages }) => messages === 0))
    listen.signal('SIGSTOP')
    const stoppedMs = performance.now()
    await publish('large', 0, large, kib100)
    const [queue] = await broker.queues()
    // The rest is more than the 64 MiB that it asked the broker to keep.
    expect(queue?.messages).toBeLessThan(large)
    await sleep(STANDSTILL_MS - (performance.now() - stoppedMs))
    listen.signal('SIGCONT')
    await listen.showing(`large.${large - 1}`)
    await listen.saying(/^hermod: tap full: .*the broker may have dropped events/)
    await publish('after', 0, 1, 0)
    await listen.showing('after.0')
    listen.signal('SIGINT')
    expect((await listen.ended).code).toBe(130)
    const types = listen.lines.map((line) => /"type":"([a-z]+\.\d+)"/.exec(line)?.[1] ?? line)
    expect(types.filter((type) => type.startsWith('small.'))).toHaveLength(small)
    const numbers = types.filter((type) => type.startsWith('large.')).map((type) => Number(type.slice(6)))
    const dropped = Number(/(\d+) dropped because the output was too slow/.exec(listen.stderr)?.[1] ?? 0)
    expect(numbers.length + dropped).toBe(queue?.messages)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
    expect(listen.said.at(-1)).toMatch(/events shown; .*the broker may have dropped some from the full tap$/)
  })
})

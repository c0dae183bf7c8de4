import { describe, expect, it } from 'vitest'
import { eventually } from '../src/eventually.ts'
import type { FaultProxy } from '../src/fault-proxy.ts'
import { ProxiedEnds } from './proxied-ends.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz'

describe('delay', () => {
  it('lets bytes arrive late, in order', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const startMs = performance.now()
    ends.proxy.delay({ delayMs: 40, jitterMs: 30, direction: 'to-broker' })
    for (const letter of ALPHABET) {
      client.say(letter)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await broker.heard(ALPHABET)
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(40)
    expect(ends.proxy.stats().toBroker.delayedBytes).toBe(26)
  })

  it('lets go at once what it held, when it is healed', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const hour = ends.proxy.delay({ delayMs: 3_600_000 })
    client.say('now')
    await eventually(() => ends.proxy.stats().toBroker.delayedBytes === 3)
    expect(broker.text).toBe('')
    hour.heal()
    await broker.heard('now')
  })

  it('is replaced by another, and that one is not undone with it', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    const minute = ends.proxy.delay({ delayMs: 60_000 })
    const hour = ends.proxy.delay({ delayMs: 3_600_000 })
    minute.heal()
    client.say('later')
    await eventually(() => ends.proxy.stats().toBroker.delayedBytes === 5)
    expect(broker.text).toBe('')
    hour.heal()
    await broker.heard('later')
  })
})

describe('throttle', () => {
  it('passes so many bytes a second', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.throttle({ bytesPerSecond: 100_000 })
    const startMs = performance.now()
    client.socket.write(Buffer.alloc(20_000))
    await eventually(() => broker.bytes.length === 20_000)
    expect(performance.now() - startMs).toBeGreaterThan(150)
    expect(ends.proxy.stats().toBroker.throttledMs).toBeCloseTo(200)
  })

  it('is felt by the writer', async () => {
    await using ends = await ProxiedEnds.start()
    const [client] = await ends.pair()
    const fault = ends.proxy.throttle({ bytesPerSecond: 1000 })
    // More than all buffers of the system hold.
    client.socket.write(Buffer.alloc(64 * 1024 * 1024))
    await eventually(() => ends.proxy.stats().toBroker.receivedBytes > 0)
    await eventually(() => ends.proxy.stats().toBroker.forwardedBytes > 50)
    expect(ends.proxy.stats().toBroker.receivedBytes).toBeLessThanOrEqual(2 * 65_536)
    expect(client.socket.writableNeedDrain).toBe(true)
    fault.heal()
    await eventually(() => !client.socket.writableNeedDrain)
  })
})

describe('rechunk', () => {
  it('splits the stream into single bytes', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.rechunk({ bytes: 1 })
    client.say(ALPHABET)
    await broker.heard(ALPHABET)
    expect(broker.chunks.length).toBeGreaterThan(20)
    expect(ends.proxy.stats().toBroker.writes).toBe(26)
  })

  it('makes one piece of many writes', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.rechunk({ bytes: 13, holdMs: 60_000 })
    for (const letter of ALPHABET.slice(0, 20)) {
      client.say(letter)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await broker.heard(ALPHABET.slice(0, 13))
    expect(broker.chunks).toHaveLength(1)
    // The end does not wait for the rest of a piece.
    client.socket.end(ALPHABET.slice(20, 22))
    await broker.heard(ALPHABET.slice(0, 22))
    await eventually(() => broker.ended)
  })

  it('holds a piece no longer than it should', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.rechunk({ bytes: 13, holdMs: 30 })
    client.say('abc')
    await broker.heard('abc')
    expect(ends.proxy.stats().toBroker.writes).toBe(1)
  })

  it('chooses the same sizes with the same seed', async () => {
    const sizes = async (seed: number): Promise<readonly number[]> => {
      await using ends = await ProxiedEnds.start(seed)
      const [client, broker] = await ends.pair()
      ends.proxy.rechunk({ bytes: [1, 50], holdMs: 60_000 })
      const written: number[] = []
      client.socket.end(Buffer.alloc(500))
      await watchWrites(ends.proxy, written, () => broker.ended)
      expect(broker.bytes).toHaveLength(500)
      return written
    }
    const [first, again, other] = [await sizes(7), await sizes(7), await sizes(8)]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    expect(Math.max(...first)).toBeLessThanOrEqual(50)
  })
})

/** The sizes of the pieces that a proxy writes, one a turn of the event loop. */
async function watchWrites(proxy: FaultProxy, sizes: number[], done: () => boolean): Promise<void> {
  let before = proxy.stats().toBroker
  while (!done()) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = proxy.stats().toBroker
    expect(now.writes - before.writes).toBeLessThanOrEqual(1)
    if (now.writes > before.writes) sizes.push(now.forwardedBytes - before.forwardedBytes)
    before = now
  }
}

describe('pause', () => {
  it('keeps everything, the end of the connection too, until it is over', async () => {
    await using ends = await ProxiedEnds.start()
    const [client, broker] = await ends.pair()
    ends.proxy.pause('to-broker')
    client.socket.end('held')
    broker.say('answer')
    await client.heard('answer')
    expect([broker.text, broker.ended]).toEqual(['', false])
    ends.proxy.resume()
    await broker.heard('held')
    await eventually(() => broker.ended)
    expect(ends.proxy.stats().toBroker.vanishedBytes).toBe(0)
  })
})

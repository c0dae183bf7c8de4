import { ManualClock, settled } from '@hermod/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { TapWatch, type WatchedTap } from '../src/tap-watch.ts'

/** A tap that says what a test wants. */
class WatchedFake implements WatchedTap {
  received = 0
  averageBytes = 1
  dropped = 0
  answer: () => Promise<number | undefined> = () => Promise.resolve(0)
  asked = 0
  readonly told: unknown[] = []

  counts(): { received: number; averageBytes: number; dropped: number } {
    return { received: this.received, averageBytes: this.averageBytes, dropped: this.dropped }
  }

  depth(): Promise<number | undefined> {
    this.asked++
    return this.answer()
  }

  onDropped(dropped: number, total: number): void {
    this.told.push({ dropped, total })
  }

  onFull(depth: number): void {
    this.told.push({ depth })
  }
}

const LIMITS = { prefetchCount: 100, maxLength: 1000, maxLengthBytes: 10_000 }

describe('TapWatch', () => {
  let clock: ManualClock
  let tap: WatchedFake
  let watch: TapWatch
  beforeEach(() => {
    clock = new ManualClock()
    tap = new WatchedFake()
    watch = new TapWatch(tap, LIMITS, clock)
  })

  /** Messages that come before the next look. */
  async function second(received: number, bytesEach = 1): Promise<void> {
    tap.received += received
    tap.averageBytes = bytesEach
    await clock.pass(1000)
  }

  it('keeps no process alive', () => {
    expect(clock.armed).toBe(1)
    expect(clock.keepingAlive).toBe(0)
  })

  it('tells once a second what was dropped since, and in all', async () => {
    tap.dropped = 3
    await clock.pass(999)
    expect(tap.told).toEqual([])
    await clock.pass(1)
    tap.dropped = 10
    await clock.pass(1000)
    await clock.pass(5000)
    expect(tap.told).toEqual([
      { dropped: 3, total: 3 },
      { dropped: 7, total: 10 },
    ])
  })

  it('tells the last drops when it is stopped, and nothing after', async () => {
    tap.dropped = 2
    watch.stop()
    expect(tap.told).toEqual([{ dropped: 2, total: 2 }])
    expect(clock.armed).toBe(0)
    tap.dropped = 5
    await clock.pass(10_000)
    expect(tap.told).toHaveLength(1)
  })

  it('leaves the broker in peace while messages come slower than a window a second', async () => {
    for (let n = 0; n < 5; n++) await second(99)
    expect(tap.asked).toBe(0)
    expect(watch.behind).toBe(false)
  })

  it('asks the broker while messages come by the window, and knows whether some wait', async () => {
    tap.answer = () => Promise.resolve(7)
    await second(100)
    expect(tap.asked).toBe(1)
    expect(watch.behind).toBe(true)
    await second(0)
    expect(tap.asked).toBe(1)
    expect(watch.behind).toBe(false)
  })

  it('asks the broker after this process stood still', async () => {
    tap.answer = () => Promise.resolve(950)
    await clock.standStill(5000)
    expect(tap.told).toEqual([{ depth: 950 }])
  })

  it('tells that the queue is full by its length, from nine tenths on', async () => {
    for (const depth of [899, 900, 1000]) {
      tap.answer = () => Promise.resolve(depth)
      await second(100)
    }
    expect(tap.told).toEqual([{ depth: 900 }, { depth: 1000 }])
  })

  it('tells that the queue is full by its bytes, as far as those that came can say', async () => {
    tap.answer = () => Promise.resolve(89)
    await second(100, 100)
    expect(tap.told).toEqual([])
    tap.answer = () => Promise.resolve(90)
    await second(100, 100)
    expect(tap.told).toEqual([{ depth: 90 }])
  })

  it('tells that the queue is full by its bytes, however many small messages came before', async () => {
    for (let n = 0; n < 1000; n++) await second(99)
    tap.answer = () => Promise.resolve(100)
    await second(100, 100)
    expect(tap.told).toEqual([{ depth: 100 }])
  })

  it('judges what waits after a standstill by what comes with the answer', async () => {
    await second(99)
    tap.answer = () => {
      tap.received += 50
      tap.averageBytes = 100
      return Promise.resolve(50)
    }
    await clock.standStill(5000)
    // Those 50 were waiting as well when the process began to move again.
    expect(tap.told).toEqual([{ depth: 100 }])
  })

  it('goes on when the broker does not answer, and asks nothing twice at once', async () => {
    tap.answer = () => Promise.reject(new Error('the connection is lost'))
    await second(100)
    expect(watch.behind).toBe(false)
    let answer: (depth: number | undefined) => void = () => {}
    tap.answer = () => new Promise((resolve) => (answer = resolve))
    await second(100)
    expect(tap.asked).toBe(2)
    await second(100)
    expect(tap.asked).toBe(2)
    answer(undefined)
    await settled()
    expect(tap.told).toEqual([])
  })

  it('stays stopped when the broker answers after the stop', async () => {
    let answer: (depth: number) => void = () => {}
    tap.answer = () => new Promise((resolve) => (answer = resolve))
    await second(100)
    watch.stop()
    answer(0)
    await settled()
    expect(clock.armed).toBe(0)
  })
})

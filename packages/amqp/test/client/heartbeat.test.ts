import { ManualClock } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { Heartbeat } from '../../src/client/heartbeat.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('Heartbeat', () => {
  const clock = new ManualClock()
  const beats: number[] = []
  const deaths: number[] = []
  let listened = 0
  let heartbeat: Heartbeat | undefined

  function start(intervalMs: number): Heartbeat {
    beats.length = deaths.length = listened = 0
    const startMs = clock.monotonicMs()
    const actions = {
      send: () => void beats.push(clock.monotonicMs() - startMs),
      listen: () => void listened++,
      dead: (silentMs: number) => {
        deaths.push(silentMs)
        heartbeat?.stop()
      },
    }
    return (heartbeat = new Heartbeat(intervalMs, actions, clock))
  }

  afterEach(() => heartbeat?.stop())

  it('sends one in each half interval in which nothing else left', () => {
    const beat = start(10_000)
    for (let second = 1; second <= 30; second++) {
      clock.advance(1000)
      beat.received()
    }
    expect(beats).toEqual([5000, 10_000, 15_000, 20_000, 25_000, 30_000])
  })

  it('sends none while other frames leave, and never lets a whole interval pass in silence', () => {
    const beat = start(10_000)
    const left: number[] = []
    for (let ms = 1; ms <= 60_000; ms++) {
      clock.advance(1)
      beat.received()
      if (ms % 4900 === 0 && ms < 40_000) {
        beat.sent()
        left.push(ms)
      }
    }
    const all = [0, ...left, ...beats].toSorted((a, b) => a - b)
    const pauses = all.slice(1).map((ms, index) => ms - (all[index] as number))
    expect(Math.max(...pauses)).toBeLessThan(10_000)
    expect(beats.length).toBeGreaterThan(3) // the busy time is over by then
  })

  it('listens for a peer that was silent for an interval, before it is called dead', async () => {
    const beat = start(10_000)
    clock.advance(5000)
    expect(listened).toBe(0)
    clock.advance(5000)
    expect(listened).toBe(1)
    beat.received()
    clock.advance(5000)
    expect(listened).toBe(1)
    clock.advance(10_000)
    await turn()
    expect([listened, deaths]).toEqual([3, []])
  })

  it('calls a peer dead after two intervals of silence, once', async () => {
    const beat = start(10_000)
    clock.advance(3000)
    beat.received()
    clock.advance(19_000)
    await turn()
    expect(deaths).toEqual([])
    clock.advance(3000)
    await turn()
    expect(deaths).toEqual([22_000])
    clock.advance(100_000)
    await turn()
    expect(deaths).toHaveLength(1)
  })

  it('lets bytes that wait unread speak for the peer after a long pause of this process', async () => {
    const beat = start(10_000)
    clock.leap(3_600_000)
    process.nextTick(() => beat.received()) // a socket is read between the timers and the immediates of a turn
    await turn()
    expect(deaths).toEqual([])
    clock.leap(3_600_000)
    await turn()
    expect(deaths).toEqual([3_600_000])
  })

  it('does nothing more once it is stopped, even when it was about to speak', async () => {
    const beat = start(10_000)
    clock.leap(50_000)
    beat.stop()
    const before = beats.length
    clock.advance(50_000)
    await turn()
    expect(deaths).toEqual([])
    expect(beats).toHaveLength(before)
    expect(clock.armed).toBe(0)
  })
})

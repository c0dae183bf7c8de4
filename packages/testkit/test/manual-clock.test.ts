import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../src/manual-clock.ts'

describe('ManualClock', () => {
  let clock: ManualClock
  let rung: string[]
  beforeEach(() => {
    clock = new ManualClock()
    rung = []
  })

  const ring = (name: string) => (): void => void rung.push(`${name} ${clock.monotonicMs()}`)

  /** Rings every second, the next time from when it rang. */
  function everySecond(): void {
    clock.after(1000, () => {
      ring('second')()
      everySecond()
    })
  }

  it('stands until it is moved, and begins at the same time on any day', async () => {
    clock.after(0, ring('at once'))
    await new Promise((resolve) => setTimeout(resolve, 2))
    expect(clock.monotonicMs()).toBe(0)
    expect(new Date(clock.now()).toISOString()).toBe('2026-11-22T09:00:00.000Z')
    expect(rung).toEqual([])
  })

  it('rings each timer once, in order, at its time', () => {
    clock.after(30, ring('c'))
    clock.after(10, ring('a'))
    clock.after(30, ring('d'))
    clock.after(20, ring('b'))
    clock.advance(29)
    expect(rung).toEqual(['a 10', 'b 20'])
    expect(clock.monotonicMs()).toBe(29)
    clock.advance(1)
    clock.advance(1000)
    expect(rung).toEqual(['a 10', 'b 20', 'c 30', 'd 30'])
    expect(clock.now() - new ManualClock().now()).toBe(1030)
  })

  it('takes a time that is over for now', () => {
    clock.advance(50)
    clock.after(0, ring('now'))
    clock.after(-20, ring('past'))
    clock.advance(0)
    expect(rung).toEqual(['now 50', 'past 50'])
  })

  it('rings timers that timers set', () => {
    everySecond()
    clock.advance(3500)
    expect(rung).toEqual(['second 1000', 'second 2000', 'second 3000'])
    expect(clock.armed).toBe(1)
  })

  it('rings late, and once, what came due during a leap', () => {
    clock.after(20, ring('b'))
    clock.after(10, ring('a'))
    everySecond()
    clock.leap(3_600_000)
    expect(rung).toEqual(['a 3600000', 'b 3600000', 'second 3600000'])
    clock.advance(1000)
    expect(rung.at(-1)).toBe('second 3601000')
  })

  it('does not ring what was cancelled, before or by another timer', () => {
    const first = clock.after(10, ring('first'))
    const third = clock.after(10, ring('never'))
    clock.after(5, () => third.cancel())
    first.cancel()
    first.cancel()
    clock.leap(100)
    expect(rung).toEqual([])
    expect(clock.armed).toBe(0)
  })

  it('counts what is armed, and what of it would keep a process alive', () => {
    clock.after(10, ring('work'))
    const watching = clock.after(20, ring('watch'), { background: true })
    clock.after(30, ring('plain'), { background: false })
    expect([clock.armed, clock.keepingAlive]).toEqual([3, 2])
    clock.advance(10)
    expect([clock.armed, clock.keepingAlive]).toEqual([2, 1])
    watching.cancel()
    expect([clock.armed, clock.keepingAlive]).toEqual([1, 1])
  })

  it('lets what follows from one timer happen before the next when it passes, not when it advances', async () => {
    const countdown = (): void => {
      clock.after(10, () => void Promise.resolve().then(ring('followed')))
      clock.after(20, ring('next'))
    }
    countdown()
    clock.advance(20)
    await Promise.resolve()
    expect(rung).toEqual(['next 20', 'followed 20'])
    countdown()
    await clock.pass(20)
    expect(rung.slice(2)).toEqual(['followed 30', 'next 40'])
  })

  it('rings timers that are set by what follows, each at its time', async () => {
    const waitTwice = async (): Promise<void> => {
      await Promise.resolve()
      await new Promise<void>((resolve) => clock.after(100, resolve))
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise<void>((resolve) => clock.after(100, resolve))
      ring('done')()
    }
    void waitTwice()
    await clock.pass(1000)
    expect(rung).toEqual(['done 200'])
    expect(clock.monotonicMs()).toBe(1000)
  })

  it('rings late what came due while all stood still, and lets what follows happen in between', async () => {
    clock.after(10, () => void Promise.resolve().then(ring('followed')))
    clock.after(20, ring('next'))
    await clock.standStill(5000)
    expect(rung).toEqual(['followed 5000', 'next 5000'])
  })

  it('stands at the time of a timer that threw, with the others armed', async () => {
    const failing = (): never => {
      throw new Error('broken')
    }
    clock.after(10, failing)
    clock.after(20, ring('next'))
    expect(() => clock.advance(100)).toThrow('broken')
    expect([clock.monotonicMs(), clock.armed]).toEqual([10, 1])
    clock.after(5, failing)
    await expect(clock.pass(100)).rejects.toThrow('broken')
    await clock.pass(5)
    expect(rung).toEqual(['next 20'])
  })

  it.each([-1, Number.NaN, Infinity])('does not move by %d ms', async (byMs) => {
    const refusal = expect.objectContaining({ code: 'E_CONFIG' })
    expect(() => clock.advance(byMs)).toThrow(refusal)
    expect(() => clock.leap(byMs)).toThrow(refusal)
    await expect(clock.pass(byMs)).rejects.toEqual(refusal)
    await expect(clock.standStill(byMs)).rejects.toEqual(refusal)
    expect(clock.monotonicMs()).toBe(0)
  })

  it('never goes back, whatever timers do to it, and rings none early or twice', () => {
    const step = fc.record({
      kind: fc.constantFrom('set', 'advance', 'leap'),
      ms: fc.nat({ max: 100 }),
      inside: fc.option(fc.nat({ max: 100 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const moved = new ManualClock()
        const readings: number[] = []
        let set = 0
        let early = 0
        let calls = 0
        for (const { kind, ms, inside } of steps) {
          if (kind === 'advance') moved.advance(ms)
          else if (kind === 'leap') moved.leap(ms)
          else {
            set++
            const dueMs = moved.monotonicMs() + ms
            moved.after(ms, () => {
              calls++
              if (moved.monotonicMs() < dueMs) early++
              if (inside !== undefined) moved.advance(inside)
              readings.push(moved.monotonicMs())
            })
          }
          readings.push(moved.monotonicMs())
        }
        moved.leap(1000)
        expect(calls).toBe(set)
        expect([early, moved.armed]).toEqual([0, 0])
        // A timer that rings inside another reads before that one does.
        expect(readings).toEqual(readings.toSorted((a, b) => a - b))
      }),
    )
  })
})

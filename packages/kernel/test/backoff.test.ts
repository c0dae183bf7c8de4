import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff, BACKOFF_DEFAULTS } from '../src/index.ts'

describe('Backoff', () => {
  it('doubles from half a second to thirty, without chance', () => {
    const backoff = new Backoff({ jitter: 0 })
    const waits = Array.from({ length: 8 }, () => backoff.nextMs())
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(backoff.attempts).toBe(8)
    backoff.reset()
    expect(backoff.attempts).toBe(0)
    expect(backoff.nextMs()).toBe(500)
  })

  it('leaves the share that it was told to chance', () => {
    const waits = [0, 0.5, 0.75].map((number) => new Backoff({ jitter: 0.5, random: () => number }).nextMs())
    expect(waits).toEqual([500, 375, 312.5])
  })

  it('stays between the part without chance and maxMs, however long it goes on', () => {
    const options = fc.record({
      initialMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      maxMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(options, random, fc.integer({ min: 1, max: 2000 }), (given, number, attempts) => {
        const backoff = new Backoff({ ...given, random: () => number })
        const full = new Backoff({ ...given, jitter: 0 })
        let previousFullMs = 0
        for (let attempt = 0; attempt < attempts; attempt++) {
          const waitMs = backoff.nextMs()
          const fullMs = full.nextMs()
          const leastMs = fullMs * (1 - given.jitter) - 1e-6
          if (fullMs < previousFullMs || fullMs > given.maxMs || waitMs > fullMs || !(waitMs >= leastMs))
            return false
          previousFullMs = fullMs
        }
        return true
      }),
    )
  })

  it('has defaults that nobody can change for everybody', () => {
    expect(Object.isFrozen(BACKOFF_DEFAULTS)).toBe(true)
  })
})

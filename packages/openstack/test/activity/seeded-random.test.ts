import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/activity/seeded-random.ts'

const take = (seed: number, count: number): readonly number[] => {
  const random = new SeededRandom(seed)
  return Array.from({ length: count }, () => random.fraction())
}

describe('SeededRandom', () => {
  it('repeats with its seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(take(seed, 20)).toEqual(take(seed, 20))
      }),
    )
  })

  it('spreads evenly, also from neighbouring seeds', () => {
    const firsts = Array.from({ length: 10_000 }, (_, seed) => take(seed, 1)[0] as number)
    for (const numbers of [take(1, 10_000), firsts]) {
      for (let tenth = 0; tenth < 10; tenth++) {
        const within = numbers.filter((number) => Math.floor(number * 10) === tenth).length
        expect(within).toBeGreaterThan(850)
        expect(within).toBeLessThan(1150)
      }
    }
  })

  it('keeps to its bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -50, max: 50 }), fc.nat(50), (seed, least, more) => {
        const number = new SeededRandom(seed).integer(least, least + more)
        expect(number).toBeGreaterThanOrEqual(least)
        expect(number).toBeLessThanOrEqual(least + more)
      }),
    )
  })

  it('picks nothing of weight 0', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat(3), { minLength: 1 }), (seed, weights) => {
        fc.pre(weights.some((weight) => weight > 0))
        expect(new SeededRandom(seed).pickWeighted(weights, (weight) => weight)).toBeGreaterThan(0)
      }),
    )
  })

  it('makes ids in the form of a UUID', () => {
    const random = new SeededRandom(3)
    for (let times = 0; times < 100; times++)
      expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

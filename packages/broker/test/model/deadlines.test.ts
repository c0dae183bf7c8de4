import { ManualClock } from '@hermod/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines } from '../../src/model/deadlines.ts'

test('deadlines ring in the order of their times, and those that were cancelled do not', () => {
  const set = fc.record({ atMs: fc.nat(1000), cancelled: fc.boolean() })
  fc.assert(
    fc.property(fc.array(set, { maxLength: 200 }), (all) => {
      const clock = new ManualClock()
      const deadlines = new Deadlines(clock)
      const rung: [number, number][] = []
      const handles = all.map(({ atMs }, i) => deadlines.at(atMs, () => rung.push([atMs, i])))
      for (const [i, { cancelled }] of all.entries()) if (cancelled) handles[i]?.cancel()
      clock.advance(1000)
      const expected = all.filter(({ cancelled }) => !cancelled).map(({ atMs }) => atMs)
      expect(rung.map(([atMs]) => atMs)).toEqual(expected.toSorted((a, b) => a - b))
      expect(new Set(rung.map(([, i]) => i)).size).toBe(expected.length)
    }),
  )
})

test('all of them together have one timer, which keeps no process alive', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  let rung = 0
  for (let i = 0; i < 1000; i++) deadlines.at(1000 - i, () => rung++)
  expect([clock.armed, clock.keepingAlive]).toEqual([1, 0])
  clock.advance(500)
  expect([rung, clock.armed]).toEqual([500, 1])
  deadlines.stop()
  expect(clock.armed).toBe(0)
})

test('those that are due together are announced once', () => {
  const clock = new ManualClock()
  const seen: string[] = []
  const deadlines = new Deadlines(clock, () => seen.push('now'))
  for (const atMs of [10, 10, 20]) deadlines.at(atMs, () => seen.push(`due at ${atMs}`))
  clock.advance(10)
  clock.advance(10)
  expect(seen).toEqual(['now', 'due at 10', 'due at 10', 'now', 'due at 20'])
})

test('one that is past rings in a later turn; one that sets another does not ring it at once', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  clock.advance(100)
  const rung: string[] = []
  deadlines.at(50, () => {
    rung.push('first')
    deadlines.at(clock.monotonicMs() + 10, () => rung.push('second'))
  })
  expect(rung).toEqual([])
  clock.advance(0)
  expect(rung).toEqual(['first'])
  clock.advance(10)
  expect(rung).toEqual(['first', 'second'])
})

test('a million that are set and cancelled leave nothing behind', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  deadlines.at(5, () => {})
  const before = process.cpuUsage()
  for (let i = 0; i < 1_000_000; i++) deadlines.at(1e9, () => {}).cancel()
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000)
  clock.advance(1e9)
  expect(clock.armed).toBe(0)
})

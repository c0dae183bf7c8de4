import { describe, expect, it } from 'vitest'
import { demoPlan } from '../../src/commands/demo-plan.ts'
import { FakeIo } from '../fake-io.ts'

describe('the flags of hermod demo', () => {
  it.each([
    [['--rate', '0'], "hermod: --rate '0' is not a number above 0 and up to 500"],
    [['--rate', '501'], "hermod: --rate '501' is not a number above 0"],
    [['--rate', 'fast'], "hermod: --rate 'fast' is not a number above 0"],
    [['--seed', '-1'], "hermod: --seed '-1' is not a whole number from 0 to 4294967295"],
    [['--seed', '4294967296'], "hermod: --seed '4294967296' is not a whole number"],
    [['-n', '0'], "hermod: --count '0' is not a whole number from 1"],
    [['--for', '5'], "hermod: --for '5' is not a duration"],
    [['-o', 'xml'], "hermod: --output 'xml' is not one of pretty, ndjson"],
    [['!'], "hermod: pattern '!' is empty"],
  ])('%j', async (flags, complaint) => {
    const io = new FakeIo()
    expect(await io.finish('demo', ...flags)).toBe(2)
    expect(io.stderr.text).toContain(complaint)
    expect(io.stdout.text).toBe('')
  })

  it('leave no broker to name: HERMOD_URL is not looked at', () => {
    const io = new FakeIo()
    io.env = { HERMOD_URL: 'nonsense' }
    const plan = demoPlan(['compute.*'], { color: true, seed: '7', rate: '0.5' }, io, [])
    expect(plan).toMatchObject({ seed: 7, eventsPerSecond: 0.5, filtered: true, output: 'ndjson' })
  })

  it('have a default for all of it, and another seed each time', () => {
    const seeds = Array.from({ length: 20 }, () => demoPlan([], { color: true }, new FakeIo(), [])?.seed)
    expect(new Set(seeds).size).toBeGreaterThan(10)
    expect(demoPlan([], { color: true }, new FakeIo(), [])?.eventsPerSecond).toBe(4)
  })
})

import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { TimeLimits } from '../../src/commands/time-limits.ts'

function watch(limits: { readonly forMs?: number; readonly untilIdleMs?: number }): {
  readonly clock: ManualClock
  readonly watched: TimeLimits
  readonly over: string[]
} {
  const clock = new ManualClock()
  const over: string[] = []
  const { forMs, untilIdleMs } = limits
  const watched = new TimeLimits(clock, { forMs, untilIdleMs, onOver: (reason) => over.push(reason) })
  return { clock, watched, over }
}

describe('TimeLimits', () => {
  it('tells when the time is over', async () => {
    const { clock, over } = watch({ forMs: 5000 })
    await clock.pass(4999)
    expect(over).toEqual([])
    await clock.pass(1)
    expect(over).toEqual(['for'])
  })

  it('counts idleness from the last event', async () => {
    const { clock, watched, over } = watch({ untilIdleMs: 1000 })
    await clock.pass(900)
    watched.sawEvent()
    await clock.pass(900)
    expect(over).toEqual([])
    await clock.pass(100)
    expect(over).toEqual(['idle'])
  })

  it('does not take a pause of the process for idleness', async () => {
    const { clock, over } = watch({ untilIdleMs: 1000 })
    await clock.standStill(60_000)
    expect(over).toEqual([])
    await clock.pass(1000)
    expect(over).toEqual(['idle'])
  })

  it('does not take a reader who is slow for idleness', async () => {
    const { clock, watched, over } = watch({ untilIdleMs: 1000 })
    await clock.pass(900)
    watched.outputBlocked(true)
    await clock.pass(5500)
    expect(over).toEqual([])
    watched.outputBlocked(false)
    await clock.pass(999)
    expect(over).toEqual([])
    await clock.pass(1)
    expect(over).toEqual(['idle'])
  })

  it('does not count the time while the tap is away', async () => {
    const { clock, watched, over } = watch({ untilIdleMs: 1000 })
    watched.tapAway(true)
    await clock.pass(10_000)
    expect(over).toEqual([])
    watched.tapAway(false)
    await clock.pass(999)
    expect(over).toEqual([])
    await clock.pass(1001)
    expect(over).toEqual(['idle'])
  })

  it('tells nothing after it was cancelled', async () => {
    const { clock, watched, over } = watch({ forMs: 10, untilIdleMs: 10 })
    watched.cancel()
    await clock.pass(100)
    expect(over).toEqual([])
    expect(clock.armed).toBe(0)
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../src/index.ts'

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

describe('systemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('calls once after the delay', () => {
    const callback = vi.fn<() => void>()
    systemClock.after(100, callback)
    vi.advanceTimersByTime(99)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(10_000)
    expect(callback).toHaveBeenCalledOnce()
  })

  it('calls in the next turn for a delay of zero or less', () => {
    const callback = vi.fn<() => void>()
    systemClock.after(-5, callback)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
  })

  it('waits longer than one timer of Node can', () => {
    const callback = vi.fn<() => void>()
    systemClock.after(2 * LONGEST_TIMEOUT_MS + 1000, callback)
    vi.advanceTimersByTime(LONGEST_TIMEOUT_MS)
    vi.advanceTimersByTime(LONGEST_TIMEOUT_MS)
    vi.advanceTimersByTime(999)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
  })

  it('can be cancelled in a later stretch of a long wait, and after it fired', () => {
    const callback = vi.fn<() => void>()
    const timer = systemClock.after(LONGEST_TIMEOUT_MS + 1000, callback)
    vi.advanceTimersByTime(LONGEST_TIMEOUT_MS + 500)
    timer.cancel()
    vi.advanceTimersByTime(1000)
    expect(callback).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
    timer.cancel()
  })

  it('tells the time of day and a reading that only grows', () => {
    vi.setSystemTime(1_700_000_000_000)
    expect(systemClock.now()).toBe(1_700_000_000_000)
    const before = systemClock.monotonicMs()
    vi.advanceTimersByTime(250)
    expect(systemClock.monotonicMs() - before).toBeCloseTo(250)
  })
})

describe('background timers', () => {
  it('do not keep the process alive, others do', () => {
    const handles = vi.spyOn(globalThis, 'setTimeout')
    const watching = systemClock.after(60_000, () => {}, { background: true })
    const working = systemClock.after(60_000, () => {})
    const [first, second] = handles.mock.results.map(({ value }) => value as NodeJS.Timeout)
    expect(first?.hasRef()).toBe(false)
    expect(second?.hasRef()).toBe(true)
    watching.cancel()
    working.cancel()
    handles.mockRestore()
  })
})

import { getEventListeners } from 'node:events'
import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { DeadlineSignal } from '../../src/rpc/deadline-signal.ts'

describe('DeadlineSignal', () => {
  it('aborts when the time is over', () => {
    const clock = new ManualClock()
    const { signal } = new DeadlineSignal({ timeoutMs: 10 }, 'the work', clock)
    clock.advance(9)
    expect(signal.aborted).toBe(false)
    clock.advance(1)
    expect(signal.reason).toMatchObject({ code: 'E_TIMEOUT', message: 'the work did not end within 10 ms' })
  })

  it('aborts when the signal of the caller does, with its reason', () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const { signal } = new DeadlineSignal({ timeoutMs: 10, signal: controller.signal }, 'the work', clock)
    controller.abort('enough')
    clock.advance(10)
    expect(signal.reason).toBe('enough')
    const late = new DeadlineSignal({ timeoutMs: 10, signal: controller.signal }, 'the work', clock)
    expect([late.signal.aborted, late.signal.reason]).toEqual([true, 'enough'])
    late[Symbol.dispose]()
  })

  it('leaves nothing behind', () => {
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const deadline = new DeadlineSignal({ timeoutMs: 10, signal }, 'the work', clock)
    deadline[Symbol.dispose]()
    expect(clock.armed).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    clock.advance(10)
    expect(deadline.signal.aborted).toBe(false)
  })
})

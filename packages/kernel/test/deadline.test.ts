import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDeferred, MessagingTimeoutError, sleep, withDeadline } from '../src/index.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

/** What the promise rejects with; the handler is there before the clock moves. */
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

describe('withDeadline', () => {
  it('hands the work itself back when nothing limits it', () => {
    const work = Promise.resolve(1)
    expect(withDeadline(work, {}, 'op')).toBe(work)
    expect(withDeadline(work, { timeoutMs: Infinity }, 'op')).toBe(work)
  })

  it('passes value and error on and leaves neither timer nor listener', async () => {
    const { signal } = new AbortController()
    await expect(withDeadline(Promise.resolve(7), { signal, timeoutMs: 1000 }, 'op')).resolves.toBe(7)
    const failure = new Error('refused')
    await expect(withDeadline(Promise.reject(failure), { signal, timeoutMs: 1000 }, 'op')).rejects.toBe(
      failure,
    )
    expect(vi.getTimerCount()).toBe(0)
    expect(listeners(signal)).toBe(0)
  })

  it('rejects when the time is over, naming operation and limit', async () => {
    const { signal } = new AbortController()
    const waiting = withDeadline(createDeferred<void>().promise, { signal, timeoutMs: 250 }, 'queue.declare')
    const outcome = caught(waiting)
    await vi.advanceTimersByTimeAsync(250)
    const error = await outcome
    expect(error).toBeInstanceOf(MessagingTimeoutError)
    expect(error).toMatchObject({
      code: 'E_TIMEOUT',
      message: 'queue.declare did not end within 250 ms',
      details: { operation: 'queue.declare', timeoutMs: 250 },
    })
    expect(listeners(signal)).toBe(0)
  })

  it('rejects with the very reason of the signal', async () => {
    const controller = new AbortController()
    const waiting = withDeadline(
      createDeferred<void>().promise,
      { signal: controller.signal, timeoutMs: 250 },
      'op',
    )
    const reason = { any: 'thing' }
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('rejects at once for an aborted signal, and swallows what the work does later', async () => {
    const work = createDeferred<void>()
    const signal = AbortSignal.abort('gone')
    await expect(withDeadline(work.promise, { signal }, 'op')).rejects.toBe('gone')
    work.reject(new Error('nobody waits for this'))
    await expect(work.promise).rejects.toThrow('nobody waits')
  })

  it('swallows a failure of the work after the deadline', async () => {
    const work = createDeferred<void>()
    const waiting = withDeadline(work.promise, { timeoutMs: 10 }, 'op')
    const outcome = caught(waiting)
    await vi.advanceTimersByTimeAsync(10)
    expect(await outcome).toBeInstanceOf(MessagingTimeoutError)
    work.reject(new Error('late'))
    await vi.advanceTimersByTimeAsync(10)
    await expect(waiting).rejects.toBeInstanceOf(MessagingTimeoutError)
  })

  it('takes a limit of zero as no time at all', async () => {
    const outcome = caught(withDeadline(createDeferred<void>().promise, { timeoutMs: 0 }, 'op'))
    await vi.advanceTimersByTimeAsync(1)
    expect(await outcome).toMatchObject({ code: 'E_TIMEOUT' })
  })
})

describe('sleep', () => {
  it('resolves after its time and forgets the signal', async () => {
    const { signal } = new AbortController()
    let awake = false
    const sleeping = (async () => {
      await sleep(100, { signal })
      awake = true
    })()
    await vi.advanceTimersByTimeAsync(99)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await sleeping
    expect(awake).toBe(true)
    expect(listeners(signal)).toBe(0)
  })

  it('wakes with the reason of an abort and stops its timer', async () => {
    const controller = new AbortController()
    const sleeping = sleep(100, { signal: controller.signal })
    controller.abort('stop')
    await expect(sleeping).rejects.toBe('stop')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin under an aborted signal', async () => {
    await expect(sleep(100, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
    expect(vi.getTimerCount()).toBe(0)
  })
})

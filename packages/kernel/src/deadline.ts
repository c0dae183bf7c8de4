import { systemClock, type Clock, type Timer } from './clock.ts'
import { MessagingTimeoutError } from './errors/delivery.ts'
import { onAbort } from './on-abort.ts'

/** How long a call may wait; every call that waits takes these. */
export interface DeadlineOptions {
  /** Aborting rejects with `signal.reason`; an aborted signal rejects before anything is done. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until the call rejects with {@link MessagingTimeoutError}; absent or `Infinity`: no limit. */
  readonly timeoutMs?: number | undefined
}

/**
 * Waits for `work`, but no longer than the caller allows.
 *
 * The work itself goes on: who starts something that must be undone passes the same signal down. One timer and
 * one listener, both removed when the wait ends (`AbortSignal.any` would leak on Node 20).
 *
 * @param operation named in the error, for example `queue.declare`.
 * @throws {MessagingTimeoutError} E_TIMEOUT when the time is over first.
 */
export function withDeadline<T>(
  work: Promise<T>,
  options: DeadlineOptions,
  operation: string,
  clock: Clock = systemClock,
): Promise<T> {
  const { signal, timeoutMs = Infinity } = options
  if (signal?.aborted === true) {
    work.catch(() => {})
    return Promise.reject(signal.reason as Error)
  }
  if (signal === undefined && timeoutMs === Infinity) return work
  return new Promise<T>((resolve, reject) => {
    let timer: Timer | undefined
    const listening =
      signal === undefined ? undefined : onAbort(signal, () => end(() => reject(signal.reason as Error)))
    if (timeoutMs !== Infinity) {
      timer = clock.after(timeoutMs, () => end(() => reject(new MessagingTimeoutError(operation, timeoutMs))))
    }
    const end = (settle: () => void): void => {
      timer?.cancel()
      listening?.[Symbol.dispose]()
      settle()
    }
    work.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    )
  })
}

/** Resolves after `delayMs`, or rejects with `signal.reason` as soon as the signal aborts. */
export function sleep(
  delayMs: number,
  options: { readonly signal?: AbortSignal | undefined } = {},
  clock: Clock = systemClock,
): Promise<void> {
  const { signal } = options
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
  return new Promise((resolve, reject) => {
    const listening =
      signal === undefined
        ? undefined
        : onAbort(signal, () => {
            timer.cancel()
            reject(signal.reason as Error)
          })
    const timer = clock.after(delayMs, () => {
      listening?.[Symbol.dispose]()
      resolve()
    })
  })
}

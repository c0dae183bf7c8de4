import { MessagingTimeoutError, sleep, withDeadline } from '@hermod/kernel'

/** How long {@link eventually} tries, and how often. */
export interface EventuallyOptions {
  /** Milliseconds after which it gives up; 10 000 where absent. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds between two attempts; 20 where absent. */
  readonly intervalMs?: number | undefined
}

/** Named in our own timeouts, by which they are told from those of an attempt. */
const AWAITED = 'what was awaited'

/**
 * Repeats `attempt` until it neither throws nor gives `false`, and resolves with what it gave.
 *
 * @throws what the last attempt threw.
 * @throws {MessagingTimeoutError} E_TIMEOUT when the last attempt gave `false` or did not end.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const { timeoutMs = 10_000, intervalMs = 20 } = options
  const endMs = performance.now() + timeoutMs
  let failure: unknown
  do {
    const leftMs = Math.max(1, endMs - performance.now())
    try {
      const value = await withDeadline(Promise.resolve().then(attempt), { timeoutMs: leftMs }, AWAITED)
      if (value !== false) return value as Exclude<T, false>
      failure = undefined
    } catch (error) {
      // An attempt that our own deadline cut off says less than the one before it.
      if (!(error instanceof MessagingTimeoutError && error.details['operation'] === AWAITED)) failure = error
    }
    await sleep(intervalMs)
  } while (performance.now() < endMs)
  throw failure ?? new MessagingTimeoutError(AWAITED, timeoutMs)
}

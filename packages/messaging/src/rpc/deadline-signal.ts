import { MessagingTimeoutError, onAbort, type Clock, type DeadlineOptions, type Timer } from '@hermod/kernel'

/** A signal that aborts when the caller's does, or when the time is over: for what takes a signal and no time. */
export class DeadlineSignal implements Disposable {
  readonly signal: AbortSignal
  readonly #timer: Timer
  readonly #listening: Disposable | undefined

  /** @param operation named in the reason. */
  constructor(options: DeadlineOptions & { readonly timeoutMs: number }, operation: string, clock: Clock) {
    const { signal, timeoutMs } = options
    const controller = new AbortController()
    this.signal = controller.signal
    if (signal?.aborted === true) controller.abort(signal.reason)
    this.#listening = signal && onAbort(signal, () => controller.abort(signal.reason))
    this.#timer = clock.after(timeoutMs, () =>
      controller.abort(new MessagingTimeoutError(operation, timeoutMs)),
    )
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
    this.#listening?.[Symbol.dispose]()
  }
}

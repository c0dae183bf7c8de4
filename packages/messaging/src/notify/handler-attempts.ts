import { Backoff, ConfigurationError, sleep, type BackoffOptions, type Clock } from '@hermod/kernel'

/** How often a handler is called that fails. */
export interface HandlerRetryOptions {
  /** Calls in all, the first included; from 1. */
  readonly attempts: number
  /** The waits between them; those of {@link BACKOFF_DEFAULTS} where absent. */
  readonly backoff?: Partial<BackoffOptions> | undefined
}

/** Calls handlers again that failed, in this process and while their place in the order is kept. */
export class HandlerAttempts {
  readonly #retry: HandlerRetryOptions | undefined
  readonly #clock: Clock
  readonly #stopping: AbortSignal
  readonly #onAgain: () => void

  /** @param stopping ends the waits: what was to be tried again is not. @param onAgain called before each further call. */
  constructor(
    retry: HandlerRetryOptions | undefined,
    clock: Clock,
    stopping: AbortSignal,
    onAgain: () => void,
  ) {
    this.#retry = retry
    this.#clock = clock
    this.#stopping = stopping
    this.#onAgain = onAgain
  }

  /**
   * The result of the first call, or of a further one.
   * @throws what the last call failed with, or the reason of `stopping`.
   */
  async finish(first: Promise<unknown>, again: () => unknown): Promise<unknown> {
    const { attempts = 1, backoff } = this.#retry ?? {}
    const waits = new Backoff(backoff)
    let call = first
    for (let left = attempts - 1; ; left--) {
      try {
        return await call
      } catch (error) {
        if (left === 0) throw error
      }
      await sleep(waits.nextMs(), { signal: this.#stopping }, this.#clock)
      this.#onAgain()
      // A handler that throws at once must look like one that rejects.
      call = new Promise((resolve) => resolve(again()))
    }
  }

  /** Whether a failure only says that a further call was given up. */
  isInterrupted(error: unknown): boolean {
    return this.#stopping.aborted && error === this.#stopping.reason
  }
}

/** @throws {ConfigurationError} E_CONFIG for attempts that are no whole number from 1. */
export function checkRetry(retry: HandlerRetryOptions | undefined): void {
  if (retry !== undefined && !(Number.isSafeInteger(retry.attempts) && retry.attempts >= 1))
    throw new ConfigurationError([`'retry.attempts' is ${retry.attempts}; it is a whole number from 1`])
}

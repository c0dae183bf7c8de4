import {
  createDeferred,
  MessagingTimeoutError,
  onAbort,
  parsePythonJson,
  type Clock,
  type Timer,
} from '@hermod/kernel'
import type { CallSendOptions, Reply } from '../driver.ts'

/** A call that waits for its reply. */
export class FakeCall {
  readonly #operation: string
  readonly #options: CallSendOptions
  readonly #clock: Clock
  readonly #deadline: Timer
  readonly #aborting: Disposable | undefined
  readonly #settled = createDeferred<Reply>()
  readonly #onLate: () => boolean
  #silence: Timer | undefined
  #state: 'open' | 'ended' | 'timed out' = 'open'

  /**
   * @param operation named when it takes too long.
   * @param onLate called for each reply that nobody waits for any more; tells whether the caller's driver is still there.
   */
  constructor(operation: string, options: CallSendOptions, clock: Clock, onLate: () => boolean) {
    this.#operation = operation
    this.#options = options
    this.#clock = clock
    this.#onLate = onLate
    const { timeoutMs, signal } = options
    this.#deadline = clock.after(timeoutMs, () => this.#timeOut(timeoutMs))
    this.#aborting = signal && onAbort(signal, () => this.fail(signal.reason))
    this.#watch()
  }

  /** Its end. */
  get reply(): Promise<Reply> {
    return this.#settled.promise
  }

  /** A request whose caller waited long enough is not handed over any more. */
  get timedOut(): boolean {
    return this.#state === 'timed out'
  }

  get monitorTimeoutMs(): number | undefined {
    return this.#options.monitorTimeoutMs
  }

  /**
   * The reply came, as JSON.
   * @returns false when the caller is gone for good.
   */
  settle(text: string): boolean {
    if (this.#state !== 'open') return this.#onLate()
    try {
      const reply = parsePythonJson(text) as unknown as Reply
      this.#end()
      this.#settled.resolve(reply)
    } catch (error) {
      this.fail(error)
    }
    return true
  }

  /** The server is alive. @returns whether anybody waits. */
  heartbeat(): boolean {
    if (this.#state !== 'open') return false
    this.#silence?.cancel()
    this.#watch()
    return true
  }

  /** There will be no reply. */
  fail(reason: unknown): void {
    if (this.#state !== 'open') return
    this.#end()
    this.#settled.reject(reason)
  }

  #watch(): void {
    const { monitorTimeoutMs } = this.#options
    if (monitorTimeoutMs === undefined) return
    this.#silence = this.#clock.after(monitorTimeoutMs, () =>
      this.#timeOut(monitorTimeoutMs, 'the server gave no sign of life'),
    )
  }

  #timeOut(afterMs: number, why?: string): void {
    this.fail(new MessagingTimeoutError(this.#operation, afterMs, why))
    this.#state = 'timed out'
  }

  #end(): void {
    this.#state = 'ended'
    this.#deadline.cancel()
    this.#silence?.cancel()
    this.#aborting?.[Symbol.dispose]()
  }
}

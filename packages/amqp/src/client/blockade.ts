import { ConnectionBlockedError, type Clock, type Timer } from '@hermod/kernel'

/** That a broker takes no publishes (`connection.blocked`): why, for how long, and whether that is too long. */
export class Blockade {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onTooLong: (error: ConnectionBlockedError) => void
  #reason: string | undefined
  #sinceMs = 0
  #beforeMs = 0
  #timer: Timer | undefined
  #tooLong: ConnectionBlockedError | undefined

  /** @param onTooLong called once for each time that the broker blocks for longer than `timeoutMs`. */
  constructor(clock: Clock, timeoutMs: number, onTooLong: (error: ConnectionBlockedError) => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onTooLong = onTooLong
  }

  /** The broker's own words; undefined while it takes publishes. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Why publishing fails at once; undefined while publishes wait or leave. */
  get tooLong(): ConnectionBlockedError | undefined {
    return this.#tooLong
  }

  /** How long it has lasted, all times together, milliseconds. */
  get totalMs(): number {
    return this.#beforeMs + (this.#reason === undefined ? 0 : this.#clock.monotonicMs() - this.#sinceMs)
  }

  /** The broker said so; it may say so again for another reason, which does not begin the time anew. */
  begin(reason: string): void {
    const begins = this.#reason === undefined
    this.#reason = reason
    if (!begins) return
    this.#sinceMs = this.#clock.monotonicMs()
    if (this.#timeoutMs === Infinity) return
    this.#timer = this.#clock.after(this.#timeoutMs, () => {
      this.#tooLong = new ConnectionBlockedError(this.#reason as string, this.#timeoutMs)
      this.#onTooLong(this.#tooLong)
    })
  }

  end(): void {
    this.#beforeMs = this.totalMs
    this.#reason = this.#tooLong = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

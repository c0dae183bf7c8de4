import { Backoff, type Clock } from '@hermod/kernel'

/** So often a channel or a consumer is started again without a wait. */
const QUICK_HEALS = 10

/** One that lived this long is no sign of trouble that stays. */
const SOON_MS = 10_000

/**
 * When a channel that the broker closed, or a consumer that it cancelled, is started again: at once, but a broker or a program that cannot do otherwise
 * is not to keep both sides busy with it.
 */
export class HealPace {
  readonly #clock: Clock
  readonly #backoff = new Backoff({ initialMs: 100, maxMs: 5_000 })
  #heals = 0
  #brokenAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** It ended now. @returns how long to wait before it is started again; mostly 0. */
  pauseMs(): number {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#brokenAtMs >= SOON_MS) {
      this.#heals = 0
      this.#backoff.reset()
    }
    this.#brokenAtMs = nowMs
    return ++this.#heals > QUICK_HEALS ? this.#backoff.nextMs() : 0
  }
}

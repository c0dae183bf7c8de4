/** How waits grow between attempts. */
export interface BackoffOptions {
  /** The first wait, milliseconds. */
  readonly initialMs: number
  /** What each wait is multiplied by for the next. */
  readonly factor: number
  /** The longest wait, milliseconds. */
  readonly maxMs: number
  /** The share of a wait that is left to chance, 0 to 1: 0.5 gives between half of it and all of it. */
  readonly jitter: number
  /** A number from 0 (included) to 1 (excluded). */
  readonly random: () => number
}

/** Half a second, doubling to 30 s, half of each wait left to chance so that a crowd does not return at once. */
export const BACKOFF_DEFAULTS: BackoffOptions = Object.freeze({
  initialMs: 500,
  factor: 2,
  maxMs: 30_000,
  jitter: 0.5,
  random: Math.random,
})

/** Exponentially growing, jittered waits. */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0
  #fullMs = 0

  constructor(options: Partial<BackoffOptions> = {}) {
    this.#options = { ...BACKOFF_DEFAULTS, ...options }
  }

  /** How many waits were handed out since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  /** The next wait in milliseconds: never more than `maxMs`, never less than its part without chance. */
  nextMs(): number {
    const { initialMs, factor, maxMs, jitter, random } = this.#options
    this.#fullMs = Math.min(maxMs, this.#attempts === 0 ? initialMs : this.#fullMs * factor)
    this.#attempts++
    return this.#fullMs * (1 - jitter * random())
  }

  /** Starts again at `initialMs`; called when an attempt succeeded. */
  reset(): void {
    this.#attempts = 0
  }
}

import type { Clock } from '@hermod/kernel'

/** What happens later than it would, each thing after those before it, however the delay changes meanwhile. */
export class DelayLine {
  readonly #clock: Clock
  readonly #waiting: { readonly dueMs: number; readonly act: () => void }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Acts after the delay, or at once where there is none and nothing waits. */
  add(delayMs: number, act: () => void): void {
    if (delayMs === 0 && this.#waiting.length === 0) return act()
    const last = this.#waiting.at(-1)?.dueMs ?? 0
    this.#waiting.push({ dueMs: Math.max(last, this.#clock.monotonicMs() + delayMs), act })
    if (this.#waiting.length === 1) this.#await()
  }

  #await(): void {
    const [next] = this.#waiting
    if (next === undefined) return
    const leftMs = Math.max(0, next.dueMs - this.#clock.monotonicMs())
    this.#clock.after(
      leftMs,
      () => {
        // It stays in the line until it is done: what it adds comes behind the others.
        next.act()
        this.#waiting.shift()
        this.#await()
      },
      { background: true },
    )
  }
}

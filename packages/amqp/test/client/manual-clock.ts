import type { Clock, Timer } from '@hermod/kernel'

interface Alarm {
  readonly atMs: number
  readonly callback: () => void
}

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #alarms = new Set<Alarm>()

  now(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  /** How many timers are set. */
  get armed(): number {
    return this.#alarms.size
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { atMs: this.#nowMs + delayMs, callback }
    this.#alarms.add(alarm)
    return { cancel: () => void this.#alarms.delete(alarm) }
  }

  /** Lets time pass and rings what is due, in order. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const [next] = [...this.#alarms].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.callback()
    }
    this.#nowMs = endMs
  }

  /** Lets time pass in one leap: a blocked loop or a suspended machine. What is due rings late, once. */
  leap(byMs: number): void {
    this.#nowMs += byMs
    this.advance(0)
  }
}

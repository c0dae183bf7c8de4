import type { Clock, Timer } from '@hermod/kernel'

interface Alarm {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock that moves only when a test says so. */
export class ManualClock implements Clock {
  readonly #alarms = new Set<Alarm>()
  #nowMs = 0

  now(): number {
    return Date.UTC(2026, 10, 22, 9) + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = { atMs: this.#nowMs + delayMs, callback }
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#alarms.size
  }

  /** Moves on as when the process is stopped meanwhile: what is due fires late, at the end. */
  async standStill(forMs: number): Promise<void> {
    this.#nowMs += forMs
    await this.advance(0)
  }

  /** Moves on, firing what is due in order and letting everything that follows from each happen first. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs
    await settled()
    for (;;) {
      const next = [...this.#alarms]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#alarms.delete(next)
      next.callback()
      await settled()
    }
    this.#nowMs = endMs
  }
}

/** Lets everything that needs no outside event happen: promises, and streams that call back in a later turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

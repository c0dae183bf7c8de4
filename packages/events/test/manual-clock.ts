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

  /** Moves on, firing what is due in order, each at its time, and letting all that follows from it happen first. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const due = [...this.#alarms].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      this.#alarms.delete(due)
      due.callback()
      await settled()
    }
    this.#nowMs = endMs
  }

  /** The process stood still: time went by, and all that was due fires late. */
  async standStill(forMs: number): Promise<void> {
    this.#nowMs += forMs
    await this.advance(0)
  }
}

/** Lets everything happen that needs no outside event. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

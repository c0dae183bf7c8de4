import type { Clock, Timer } from '@hermod/kernel'

/** A timer that fires this much too late tells that the process stood still. */
const STOOD_STILL_MS = 1000

/** What to watch, and whom to tell. */
export interface TimeLimitOptions {
  /** Calls `onOver` this long after the start. */
  readonly forMs: number | undefined
  /** Calls `onOver` once {@link TimeLimits.sawEvent} was not called for this long. */
  readonly untilIdleMs: number | undefined
  readonly onOver: (reason: 'for' | 'idle') => void
}

/** Watches how long a run takes and how long it has been idle. */
export class TimeLimits {
  readonly #clock: Clock
  readonly #timers = new Map<string, Timer>()
  #lastEventMs: number
  #blocked = false
  #away = false

  constructor(clock: Clock, { forMs, untilIdleMs, onOver }: TimeLimitOptions) {
    this.#clock = clock
    this.#lastEventMs = clock.monotonicMs()
    if (forMs !== undefined)
      this.#timers.set(
        'for',
        clock.after(forMs, () => onOver('for')),
      )
    if (untilIdleMs !== undefined) this.#watchIdle(untilIdleMs, untilIdleMs, () => onOver('idle'))
  }

  /** To be called at each event. */
  sawEvent(): void {
    this.#lastEventMs = this.#clock.monotonicMs()
  }

  /**
   * To be called when the output takes no more events for now, and when it does again: what waits meanwhile is no
   * idleness.
   */
  outputBlocked(blocked: boolean): void {
    this.#blocked = blocked
    this.sawEvent()
  }

  /** To be called when the tap goes away, and when it is back: nothing can come meanwhile. */
  tapAway(away: boolean): void {
    this.#away = away
    this.sawEvent()
  }

  /** Stops watching. */
  cancel(): void {
    for (const timer of this.#timers.values()) timer.cancel()
  }

  /** One timer that looks again when it fires, rather than a new one at every event. */
  #watchIdle(untilIdleMs: number, lookInMs: number, onIdle: () => void): void {
    const armedAtMs = this.#clock.monotonicMs()
    const look = (): void => {
      const nowMs = this.#clock.monotonicMs()
      // While this process stood still (stopped, suspended), events may have gathered that it has yet to see.
      if (this.#blocked || this.#away || nowMs - armedAtMs > lookInMs + STOOD_STILL_MS)
        this.#lastEventMs = nowMs
      const leftMs = this.#lastEventMs + untilIdleMs - nowMs
      if (leftMs <= 0) onIdle()
      else this.#watchIdle(untilIdleMs, leftMs, onIdle)
    }
    this.#timers.set('idle', this.#clock.after(lookInMs, look))
  }
}

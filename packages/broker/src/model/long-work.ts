import type { Clock } from '@hermod/kernel'

/** So much of a turn of the event loop is for work that may be long; then everybody else is served. */
const LONGEST_MS = 10
/** How often the time is looked at. */
const LOOK_EVERY = 16

/**
 * Work that has no bound: whole backlogs that are delivered, dropped or sent on. All of it together has a share of each
 * turn of the event loop, and what does not fit in goes on in the turns to come, each piece in its turn.
 *
 * What goes on comes behind the sockets that were readable, and not by a timer: timers that are due are rung before any
 * socket is read, and two that set each other again let nobody in.
 */
export class LongWork {
  readonly #clock: Clock
  #waiting: (() => void)[] = []
  #left = LOOK_EVERY
  #sinceMs = 0
  /** Whether this turn has had such work. */
  #begun = false
  #over = false
  #scheduled = false
  #stopped = false
  readonly #turn = (): void => this.#nextTurn()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether something waits for a turn to come. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether there is time left in this turn for one step more: asked before each. */
  hasTime(): boolean {
    if (this.#over) return false
    if (!this.#begun) {
      this.#begun = true
      this.#sinceMs = this.#clock.monotonicMs()
      this.#schedule()
    }
    if (--this.#left > 0) return true
    this.#left = LOOK_EVERY
    this.#over = this.#clock.monotonicMs() - this.#sinceMs >= LONGEST_MS
    return !this.#over
  }

  /** A timer has rung: this turn began with it. */
  renew(): void {
    this.#begun = false
    this.#over = false
    this.#left = LOOK_EVERY
  }

  /** Calls `goOn` in a turn to come. Whoever asks twice is called twice. */
  later(goOn: () => void): void {
    this.#waiting.push(goOn)
    this.#schedule()
  }

  /** Forgets what waits. */
  stop(): void {
    this.#stopped = true
    this.#waiting = []
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  #nextTurn(): void {
    this.#scheduled = false
    this.renew()
    const waiting = this.#waiting
    this.#waiting = []
    let next = 0
    while (next < waiting.length && !this.#over && !this.#stopped) waiting[next++]?.()
    // Those that had no turn come before those that were begun.
    if (next < waiting.length && !this.#stopped) this.#waiting = [...waiting.slice(next), ...this.#waiting]
    if (this.#waiting.length > 0) this.#schedule()
  }
}

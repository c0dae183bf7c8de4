import { ConfigurationError, type Clock, type Timer } from '@hermod/kernel'
import { settled } from './settled.ts'

/** Wall-clock time at which every {@link ManualClock} begins, so that what a test sees is the same on any day. */
const START_MS = Date.UTC(2026, 10, 22, 9)

interface Alarm {
  readonly atMs: number
  readonly background: boolean
  readonly callback: () => void
}

/**
 * A clock that moves only when a test says so.
 *
 * `monotonicMs()` begins at 0, `now()` at 2026-11-22T09:00:00Z; both move together and never back. Timers ring in the
 * order of their times, those of the same time in the order in which they were set, and always within one of the four
 * methods that move the clock. What a timer's callback throws comes out of that method; the clock then stands at the
 * time of that timer, and the others stay armed.
 */
export class ManualClock implements Clock {
  readonly #alarms = new Set<Alarm>()
  #nowMs = 0

  now(): number {
    return START_MS + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): Timer {
    const atMs = this.#nowMs + Math.max(0, delayMs)
    const alarm = { atMs, callback, background: options?.background === true }
    this.#alarms.add(alarm)
    return { cancel: () => void this.#alarms.delete(alarm) }
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#alarms.size
  }

  /** How many of them would keep a process alive: those that are not in the background. */
  get keepingAlive(): number {
    return [...this.#alarms].filter(({ background }) => !background).length
  }

  /**
   * Lets `byMs` milliseconds pass and rings what is due, each timer at its time, without leaving the current turn:
   * promises settle only after it.
   *
   * @throws {ConfigurationError} E_CONFIG when `byMs` is no time that can pass: below 0, or not finite.
   */
  advance(byMs: number): void {
    const endMs = this.#momentIn(byMs)
    while (this.#ringNext(endMs));
    this.#moveTo(endMs)
  }

  /**
   * Lets `byMs` milliseconds pass as {@link advance} does, and lets everything happen that follows from one timer
   * before the next one rings: a timer that is set meanwhile rings in its turn.
   *
   * @throws {ConfigurationError} E_CONFIG when `byMs` is no time that can pass: below 0, or not finite.
   */
  async pass(byMs: number): Promise<void> {
    const endMs = this.#momentIn(byMs)
    do await settled()
    while (this.#ringNext(endMs))
    this.#moveTo(endMs)
  }

  /**
   * Lets `byMs` milliseconds pass in one jump, as for a process that was stopped or a machine that slept: what came
   * due meanwhile rings late, at the end of the jump, without leaving the current turn.
   *
   * @throws {ConfigurationError} E_CONFIG when `byMs` is no time that can pass: below 0, or not finite.
   */
  leap(byMs: number): void {
    this.#moveTo(this.#momentIn(byMs))
    this.advance(0)
  }

  /**
   * Lets `byMs` milliseconds pass in one jump as {@link leap} does, and lets everything happen that follows from one
   * timer before the next one rings.
   *
   * @throws {ConfigurationError} E_CONFIG when `byMs` is no time that can pass: below 0, or not finite.
   */
  async standStill(byMs: number): Promise<void> {
    this.#moveTo(this.#momentIn(byMs))
    await this.pass(0)
  }

  #momentIn(byMs: number): number {
    if (!(byMs >= 0 && byMs < Infinity)) {
      throw new ConfigurationError([`a clock cannot move by ${byMs} ms; give 0 or more`])
    }
    return this.#nowMs + byMs
  }

  /** A callback may have moved the clock further. */
  #moveTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs)
  }

  /** Rings the first of the timers that are due until `endMs`; `false` when there is none. */
  #ringNext(endMs: number): boolean {
    let next: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.atMs <= endMs && (next === undefined || alarm.atMs < next.atMs)) next = alarm
    }
    if (next === undefined) return false
    this.#alarms.delete(next)
    this.#moveTo(next.atMs)
    next.callback()
    return true
  }
}

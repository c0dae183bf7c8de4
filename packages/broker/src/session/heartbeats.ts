import type { Clock, Timer } from '@hermod/kernel'

/** What a {@link Heartbeats} watches and does. */
export interface HeartbeatSubject {
  /** Any number that changes with every byte that came. */
  bytesRead(): number
  /** Any number that changes with every byte that was written. */
  bytesWritten(): number
  beat(): void
  silent(): void
}

/**
 * Heartbeats of one connection: one is sent when nothing else was for half the interval, and a client that has been
 * silent for two intervals is given up, at the latest after two and a half.
 *
 * @source AMQP 0-9-1 §4.2.7; rabbit_heartbeat
 */
export class Heartbeats {
  readonly #subject: HeartbeatSubject
  readonly #clock: Clock
  readonly #stepMs: number
  #timer: Timer | undefined
  #read = -1
  #written = -1
  #silentSteps = 0
  #watching = true

  /** @param intervalSeconds what the client asked for in tune-ok; 0 for none. */
  constructor(subject: HeartbeatSubject, clock: Clock, intervalSeconds: number) {
    this.#subject = subject
    this.#clock = clock
    this.#stepMs = intervalSeconds * 500
    if (intervalSeconds > 0) this.#arm()
  }

  /** While the broker does not read from the client, its silence means nothing. Heartbeats are still sent. */
  set watching(watching: boolean) {
    if (watching === this.#watching) return
    this.#watching = watching
    this.#silentSteps = 0
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#stepMs, () => this.#step(), { background: true })
  }

  #step(): void {
    this.#arm()
    const written = this.#subject.bytesWritten()
    if (written === this.#written) this.#subject.beat()
    this.#written = this.#subject.bytesWritten()
    const read = this.#subject.bytesRead()
    this.#silentSteps = read === this.#read && this.#watching ? this.#silentSteps + 1 : 0
    this.#read = read
    // The step that first saw no change began up to half an interval after the last byte.
    if (this.#silentSteps >= 4) this.#subject.silent()
  }
}

import type { Clock, Timer } from '@hermod/kernel'

/** What a {@link Heartbeat} does to its connection. */
export interface HeartbeatActions {
  /** Sends a heartbeat frame, at once. */
  send(): void
  /** Nothing came for an interval: reads what is there, also if this side has stopped reading. */
  listen(): void
  /** The peer has been silent for too long. */
  dead(silentMs: number): void
}

/**
 * Heartbeats both ways: sends one whenever nothing else left for half an interval, and declares the peer dead
 * after two intervals of silence.
 *
 * @source AMQP 0-9-1 §4.2.7; RabbitMQ's heartbeat guide
 */
export class Heartbeat {
  readonly #intervalMs: number
  readonly #actions: HeartbeatActions
  readonly #clock: Clock
  #lastReceivedMs: number
  #lastSentMs: number
  #timer: Timer | undefined
  #stopped = false

  constructor(intervalMs: number, actions: HeartbeatActions, clock: Clock) {
    this.#intervalMs = intervalMs
    this.#actions = actions
    this.#clock = clock
    this.#lastReceivedMs = this.#lastSentMs = clock.monotonicMs()
    this.#arm()
  }

  /** Bytes came in. */
  received(): void {
    this.#lastReceivedMs = this.#clock.monotonicMs()
  }

  /** Bytes went out. */
  sent(): void {
    this.#lastSentMs = this.#clock.monotonicMs()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#intervalMs / 2, () => this.#tick())
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#lastSentMs >= this.#intervalMs / 2 - 1) {
      this.#actions.send()
      this.#lastSentMs = nowMs
    }
    const silenceMs = nowMs - this.#lastReceivedMs
    if (silenceMs >= this.#intervalMs - 1) this.#actions.listen()
    if (silenceMs < this.#intervalMs * 2) return this.#arm()
    // After a long pause of this process (a blocked loop, a suspended laptop) the peer's bytes may be waiting
    // unread: they get one turn before the peer is called dead.
    setImmediate(() => {
      if (this.#stopped) return
      const silentMs = this.#clock.monotonicMs() - this.#lastReceivedMs
      if (silentMs >= this.#intervalMs * 2) this.#actions.dead(silentMs)
      else this.#arm()
    })
  }
}

import type { Deadline, Deadlines } from './deadlines.ts'

/**
 * The time for which a queue may stay unused (`x-expires`). It begins anew with every use, and does not run while the
 * queue has consumers.
 */
export class QueueLease {
  readonly #deadlines: Deadlines
  readonly #durationMs: number
  readonly #inUse: () => boolean
  readonly #over: () => void
  #endsAtMs = 0
  #armed: Deadline | undefined

  /** `over` is called once, when the lease has ended and nobody is using the queue. */
  constructor(deadlines: Deadlines, durationMs: number, inUse: () => boolean, over: () => void) {
    this.#deadlines = deadlines
    this.#durationMs = durationMs
    this.#inUse = inUse
    this.#over = over
    this.renew()
  }

  /** The queue was used. Costs no timer: the one that is armed looks again when it rings. */
  renew(): void {
    this.#endsAtMs = this.#deadlines.nowMs() + this.#durationMs
    this.#armed ??= this.#deadlines.at(this.#endsAtMs, () => this.#look())
  }

  end(): void {
    this.#armed?.cancel()
    this.#armed = undefined
    this.#endsAtMs = Infinity
  }

  #look(): void {
    this.#armed = undefined
    if (this.#endsAtMs === Infinity || this.#inUse()) return
    if (this.#endsAtMs <= this.#deadlines.nowMs()) this.#over()
    else this.#armed = this.#deadlines.at(this.#endsAtMs, () => this.#look())
  }
}

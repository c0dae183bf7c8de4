/** Writes one `basic.ack`. */
export type WriteAck = (deliveryTag: number, multiple: boolean) => void

/**
 * Gathers the acks of one channel and writes as few as possible.
 *
 * An ack carries `multiple` only when every delivery of the channel up to its tag, whichever consumer or `get` it
 * came from, is settled already or acked in the same flush; a delivery that is still being worked on is never
 * acked for it. Coalesced acks cost RabbitMQ about a third less CPU than single ones.
 *
 * Delivery tags count 1, 2, 3 … per channel (AMQP 0-9-1 §1.8.3.13), deliveries that need no ack included.
 */
export class AckCoalescer {
  /** Every tag up to here is settled, on the wire or in this flush. */
  #settledTo = 0
  /** Tags beyond {@link #settledTo} that are settled; true while their ack waits for the flush. */
  readonly #beyond = new Map<number, boolean>()
  /** The highest tag up to {@link #settledTo} whose ack waits, or 0. */
  #highestWaiting = 0
  #waitingInRun = 0
  #waitingBeyond = 0

  /** How many acks wait for the flush. */
  get waiting(): number {
    return this.#waitingInRun + this.#waitingBeyond
  }

  /** The delivery is done with; its ack goes out with the next flush. */
  ack(tag: number): void {
    if (tag === this.#settledTo + 1) {
      this.#settledTo = tag
      this.#highestWaiting = tag
      this.#waitingInRun++
      if (this.#beyond.size > 0) this.#absorb()
    } else {
      this.#beyond.set(tag, true)
      this.#waitingBeyond++
    }
  }

  /** The delivery needs no ack: it was settled in another way, or its consumer takes none. Flush before. */
  settled(tag: number): void {
    if (tag === this.#settledTo + 1) {
      this.#settledTo = tag
      if (this.#beyond.size > 0) this.#absorb()
    } else {
      this.#beyond.set(tag, false)
    }
  }

  /** Takes the tags that now follow without a gap into the run. */
  #absorb(): void {
    for (;;) {
      const next = this.#settledTo + 1
      const waiting = this.#beyond.get(next)
      if (waiting === undefined) return
      this.#beyond.delete(next)
      this.#settledTo = next
      if (waiting) {
        this.#highestWaiting = next
        this.#waitingInRun++
        this.#waitingBeyond--
      }
    }
  }

  /** Writes every waiting ack. */
  flush(write: WriteAck): void {
    if (this.#waitingInRun > 0) {
      write(this.#highestWaiting, this.#waitingInRun > 1)
      this.#waitingInRun = 0
    }
    if (this.#waitingBeyond > 0) {
      for (const [tag, waiting] of this.#beyond) {
        if (!waiting) continue
        write(tag, false)
        this.#beyond.set(tag, false)
      }
      this.#waitingBeyond = 0
    }
  }
}

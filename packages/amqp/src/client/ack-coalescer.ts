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
  /**
   * Settled tags beyond {@link #settledTo}, as runs in order. There is a gap between two runs for a delivery that is
   * still being worked on, so there are never more of them than of those, however long one of them takes.
   */
  readonly #runs: Run[] = []
  /** The highest tag that was acked in its turn and whose ack waits, or 0. */
  #highestWaiting = 0
  #waitingInTurn = 0
  /** Tags that were acked out of turn and whose acks wait. */
  #waitingOutOfTurn: number[] = []

  /** How many acks wait for the flush. */
  get waiting(): number {
    return this.#waitingInTurn + this.#waitingOutOfTurn.length
  }

  /** The delivery is done with; its ack goes out with the next flush. */
  ack(tag: number): void {
    if (tag === this.#settledTo + 1) {
      this.#highestWaiting = tag
      this.#waitingInTurn++
    } else {
      this.#waitingOutOfTurn.push(tag)
    }
    this.settled(tag)
  }

  /** The delivery needs no ack: it was settled in another way, or its consumer takes none. Flush before. */
  settled(tag: number): void {
    if (tag === this.#settledTo + 1) {
      this.#settledTo = tag
      // Takes in the run that now follows without a gap.
      if (this.#runs[0]?.from === tag + 1) this.#settledTo = (this.#runs.shift() as Run).to
    } else if (tag > this.#settledTo) {
      this.#settleBeyond(tag)
    }
  }

  /**
   * The broker went on without these tags, all beyond those that it had used: nobody will settle them, and however many
   * it claims they are, they take no room.
   */
  skipped(from: number, to: number): void {
    const last = this.#runs.at(-1)
    if (from === this.#settledTo + 1) this.#settledTo = to
    else if (last?.to === from - 1) last.to = to
    else this.#runs.push({ from, to })
  }

  /** Every delivery up to this tag was settled together, or put back by the broker. Flush before. */
  settledUpTo(tag: number): void {
    while (this.#runs[0] !== undefined && this.#runs[0].to <= tag) this.#runs.shift()
    this.#settledTo = Math.max(this.#settledTo, tag)
    const next = this.#runs[0]
    if (next !== undefined && next.from <= this.#settledTo + 1)
      this.#settledTo = (this.#runs.shift() as Run).to
  }

  /** How many of the deliveries up to this tag are not settled. */
  unsettled(tag: number): number {
    let settled = this.#settledTo
    for (const { from, to } of this.#runs) settled += to - from + 1
    return tag - settled
  }

  /** Every delivery up to this tag is settled. */
  get settledTo(): number {
    return this.#settledTo
  }

  /** The deliveries up to this tag that are not settled, in order. */
  unsettledTags(tag: number): number[] {
    const tags: number[] = []
    let next = this.#settledTo + 1
    for (const { from, to } of this.#runs) {
      for (; next < from; next++) tags.push(next)
      next = to + 1
    }
    for (; next <= tag; next++) tags.push(next)
    return tags
  }

  #settleBeyond(tag: number): void {
    const runs = this.#runs
    let after = runs.length
    // Most come in order, at the end.
    if (after > 0 && (runs[after - 1] as Run).from > tag) {
      let low = 0
      while (low < after) {
        const middle = (low + after) >>> 1
        if ((runs[middle] as Run).from > tag) after = middle
        else low = middle + 1
      }
    }
    const before = runs[after - 1]
    const next = runs[after]
    if (before !== undefined && tag <= before.to) return
    if (before?.to === tag - 1) {
      before.to = tag
      if (next?.from === tag + 1) {
        before.to = next.to
        runs.splice(after, 1)
      }
    } else if (next?.from === tag + 1) {
      next.from = tag
    } else {
      runs.splice(after, 0, { from: tag, to: tag })
    }
  }

  /** Writes every waiting ack. */
  flush(write: WriteAck): void {
    let highest = this.#highestWaiting
    let inTurn = this.#waitingInTurn
    const outOfTurn = this.#waitingOutOfTurn
    this.#highestWaiting = this.#waitingInTurn = 0
    this.#waitingOutOfTurn = []
    let left = 0
    for (const tag of outOfTurn) {
      if (tag > this.#settledTo) {
        outOfTurn[left++] = tag
      } else {
        // What was missing before it has been settled since.
        highest = Math.max(highest, tag)
        inTurn++
      }
    }
    if (inTurn > 0) write(highest, inTurn > 1)
    for (let at = 0; at < left; at++) write(outOfTurn[at] as number, false)
  }
}

interface Run {
  from: number
  to: number
}

import { AsyncQueue } from '@hermod/kernel'

/** What a ring holds: something with a weight. */
export interface Weighed {
  readonly bytes: number
}

/**
 * Values between a source that never waits and one reader, bounded by number and by weight. When it is full the
 * oldest go, and are counted.
 */
export class EventRing<T extends Weighed> {
  readonly #queue = new AsyncQueue<T>()
  readonly #capacity: number
  readonly #capacityBytes: number
  #bytes = 0
  #dropped = 0

  constructor(capacity: number, capacityBytes: number) {
    this.#capacity = capacity
    this.#capacityBytes = capacityBytes
  }

  /** How many values wait for the reader. */
  get size(): number {
    return this.#queue.size
  }

  /** How many were dropped so far; exact. */
  get dropped(): number {
    return this.#dropped
  }

  /** Adds a value, at the cost of the oldest ones where there is no room. One that is too heavy alone is still kept. */
  put(value: T): void {
    while (
      this.#queue.size > 0 &&
      (this.#queue.size >= this.#capacity || this.#bytes + value.bytes > this.#capacityBytes)
    ) {
      this.#bytes -= (this.#queue.take() as T).bytes
      this.#dropped++
    }
    const held = this.#queue.size
    this.#queue.put(value)
    // A reader that waits has it already.
    if (this.#queue.size > held) this.#bytes += value.bytes
  }

  /** The oldest value; waits for one. Undefined when the ring has ended and is empty. One reader at a time. */
  async take(): Promise<T | undefined> {
    const held = this.#queue.take()
    if (held !== undefined) {
      this.#bytes -= held.bytes
      return held
    }
    const step = await this.#queue.next()
    return step.done === true ? undefined : step.value
  }

  /** No more values come; what is held can still be taken, then the reader gets `error`, or the end. */
  end(error?: unknown): void {
    this.#queue.end(error)
  }
}

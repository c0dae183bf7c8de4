import type { QueuedMessage } from './queued-message.ts'
import { ReturnedMessages } from './returned-messages.ts'
import { Ring } from './ring.ts'

/** What holds messages that were given back. */
interface Returned {
  readonly length: number
  peek(): QueuedMessage | undefined
  push(queued: QueuedMessage): void
  shift(): QueuedMessage | undefined
}

/** Where messages go that are given back: to their place, or behind those that were given back before. */
export type ReturnOrder = 'place' | 'last'

class Level {
  readonly fresh = new Ring<QueuedMessage>()
  readonly returned: Returned

  constructor(order: ReturnOrder) {
    this.returned = order === 'place' ? new ReturnedMessages() : new Ring<QueuedMessage>()
  }

  peek(): QueuedMessage | undefined {
    return this.returned.length > 0 ? this.returned.peek() : this.fresh.peek()
  }

  shift(): QueuedMessage | undefined {
    return this.returned.length > 0 ? this.returned.shift() : this.fresh.shift()
  }
}

/**
 * The messages of a queue that wait for a consumer: by priority, and in order within one. Every operation takes
 * constant time, but for giving back out of order.
 */
export class ReadyMessages {
  readonly #levels: (Level | undefined)[]
  readonly #order: ReturnOrder
  readonly #highest: number
  /** A bit for each level that holds something; eight words for 256 levels. */
  readonly #occupied = new Uint32Array(8)
  #length = 0
  #bytes = 0

  /** `highest`: the highest priority; 0 for a queue without. */
  constructor(highest: number, order: ReturnOrder) {
    this.#highest = highest
    this.#order = order
    this.#levels = Array.from({ length: highest + 1 })
  }

  get length(): number {
    return this.#length
  }

  /** Bytes of their bodies, which is what limits of length count. */
  get bytes(): number {
    return this.#bytes
  }

  /** The next message, left where it is. */
  peek(): QueuedMessage | undefined {
    return this.#length === 0 ? undefined : this.#top().peek()
  }

  /** Takes the next message: of the highest priority the oldest. A limit of length drops the same one. */
  shift(): QueuedMessage | undefined {
    return this.#length === 0 ? undefined : this.#takeFrom(this.#topLevel())
  }

  /** Adds a new message. */
  push(queued: QueuedMessage): void {
    this.#added(queued).fresh.push(queued)
  }

  /** Adds one that was given back. */
  giveBack(queued: QueuedMessage): void {
    this.#added(queued).returned.push(queued)
  }

  /** No priority is negative, and one beyond the highest counts as the highest. */
  #levelOf(queued: QueuedMessage): number {
    const { priority } = queued.message
    return priority <= 0 ? 0 : Math.min(priority, this.#highest)
  }

  #added(queued: QueuedMessage): Level {
    const at = this.#levelOf(queued)
    const level = (this.#levels[at] ??= new Level(this.#order))
    this.#occupied[at >> 5] = (this.#occupied[at >> 5] as number) | (1 << (at & 31))
    this.#length++
    this.#bytes += queued.message.bodySize
    return level
  }

  #topLevel(): number {
    if (this.#highest === 0) return 0
    for (let word = 7; word >= 0; word--) {
      const bits = this.#occupied[word] as number
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits)
    }
    return 0
  }

  #top(): Level {
    return this.#levels[this.#topLevel()] as Level
  }

  #takeFrom(at: number): QueuedMessage | undefined {
    const level = this.#levels[at] as Level
    const queued = level.shift()
    if (queued === undefined) return undefined
    if (level.fresh.length === 0 && level.returned.length === 0) {
      this.#occupied[at >> 5] = (this.#occupied[at >> 5] as number) & ~(1 << (at & 31))
    }
    this.#length--
    this.#bytes -= queued.message.bodySize
    return queued
  }
}

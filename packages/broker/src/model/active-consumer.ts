import type { ConsumerTurns } from './consumer-turns.ts'
import type { QueueConsumer } from './queue.ts'

/**
 * Who is next where one consumer alone is active: who came first, or who has the highest priority; and whether the one
 * with the highest also takes the place of one that is active.
 */
export type Succession = 'first' | 'highest' | 'highest-at-once'

/**
 * The one consumer that gets messages, of all that a queue has. One that is to give its place to another gets nothing
 * more, and gives it as soon as it holds nothing.
 *
 * @source rabbit_fifo: activate_next_consumer, whose `quiescing` this is
 */
export class ActiveConsumer {
  readonly #turns: ConsumerTurns
  readonly #succession: Succession
  #active: QueueConsumer | undefined
  /** Waits for the place of the active one. */
  #heir: QueueConsumer | undefined
  /** How many messages the active one holds. */
  #held = 0

  constructor(turns: ConsumerTurns, succession: Succession) {
    this.#turns = turns
    this.#succession = succession
  }

  /** Who may have the next message. */
  get taker(): QueueConsumer | undefined {
    return this.#heir === undefined ? this.#active : undefined
  }

  /** There is one more among the turns. */
  joined(consumer: QueueConsumer): void {
    if (this.#active === undefined) {
      this.#active = consumer
    } else if (this.#outranks(consumer, this.#heir ?? this.#active)) {
      this.#heir = consumer
      this.#pass()
    }
  }

  /** One is no longer among the turns. */
  left(consumer: QueueConsumer): void {
    if (consumer === this.#active) {
      this.#active = this.#succession === 'first' ? this.#turns.oldest() : this.#turns.first()
      this.#heir = undefined
      this.#held = 0
    } else if (consumer === this.#heir) {
      const next = this.#turns.first()
      this.#heir = next !== undefined && this.#outranks(next, this.#active) ? next : undefined
    }
  }

  /** The active one was given a message that it must settle. */
  handed(): void {
    this.#held++
  }

  /** It has settled one, or given it back. Whether another is active now. */
  settled(consumer: QueueConsumer | null): boolean {
    if (consumer === null || consumer !== this.#active) return false
    this.#held--
    return this.#pass()
  }

  #pass(): boolean {
    const [before, heir] = [this.#active, this.#heir]
    if (heir === undefined || before === undefined || this.#held > 0) return false
    this.#active = heir
    this.#heir = undefined
    this.#turns.toEnd(before)
    return true
  }

  #outranks(consumer: QueueConsumer, other: QueueConsumer | undefined): boolean {
    if (this.#succession !== 'highest-at-once') return false
    return other === undefined || this.#turns.priorityOf(consumer) > this.#turns.priorityOf(other)
  }
}

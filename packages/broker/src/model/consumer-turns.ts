import type { QueueConsumer } from './queue.ts'
import { Ring } from './ring.ts'

class Turn {
  readonly consumer: QueueConsumer
  readonly priority: number
  /** Whether it stands in the ring of its priority. */
  waiting = true
  gone = false

  constructor(consumer: QueueConsumer, priority: number) {
    this.consumer = consumer
    this.priority = priority
  }
}

interface Level {
  readonly priority: number
  ring: Ring<Turn>
  /** How many consumers it has, with room or without. */
  size: number
  /** How many of the ring are gone. */
  gone: number
}

/**
 * Who gets the next message: of those with room the highest priority, in rotation. Consumers without room leave their
 * ring and cost nothing until they are woken.
 */
export class ConsumerTurns {
  /** Highest priority first. */
  readonly #levels: Level[] = []
  /** In the order in which they came. */
  readonly #turns = new Map<QueueConsumer, Turn>()

  get size(): number {
    return this.#turns.size
  }

  get consumers(): IterableIterator<QueueConsumer> {
    return this.#turns.keys()
  }

  add(consumer: QueueConsumer, priority: number): void {
    const turn = new Turn(consumer, priority)
    this.#turns.set(consumer, turn)
    const level = this.#level(priority)
    level.ring.push(turn)
    level.size++
  }

  /** Whether there was one to remove. */
  remove(consumer: QueueConsumer): boolean {
    const turn = this.#turns.get(consumer)
    if (turn === undefined) return false
    turn.gone = true
    this.#turns.delete(consumer)
    const level = this.#level(turn.priority)
    // Clients may choose from four thousand million priorities.
    if (--level.size === 0) this.#levels.splice(this.#levels.indexOf(level), 1)
    else if (turn.waiting) this.#forget(level)
    return true
  }

  /** Those that are gone leave the ring when their turn comes, or once they are its half: nobody may ask for a turn. */
  #forget(level: Level): void {
    level.gone++
    if (level.gone * 2 <= level.ring.length) return
    const left = new Ring<Turn>()
    for (let turn = level.ring.shift(); turn !== undefined; turn = level.ring.shift()) {
      if (!turn.gone) left.push(turn)
    }
    level.ring = left
    level.gone = 0
  }

  has(consumer: QueueConsumer): boolean {
    return this.#turns.has(consumer)
  }

  /** It has room again: last in its ring. */
  wake(consumer: QueueConsumer): void {
    const turn = this.#turns.get(consumer)
    if (turn === undefined || turn.waiting) return
    turn.waiting = true
    this.#level(turn.priority).ring.push(turn)
  }

  /** Who has the turn, and keeps it. `undefined` when nobody has room. */
  peek(): QueueConsumer | undefined {
    for (const level of this.#levels) {
      const { ring } = level
      for (let turn = ring.peek(); turn !== undefined; turn = ring.peek()) {
        if (!turn.gone && turn.consumer.canTake()) return turn.consumer
        ring.shift()
        if (turn.gone) level.gone--
        else turn.waiting = false
      }
    }
    return undefined
  }

  /** Whom {@link peek} gave has had the turn: it goes to the end of its ring. */
  pass(): void {
    for (const { ring } of this.#levels) {
      const turn = ring.shift()
      if (turn !== undefined) return ring.push(turn)
    }
  }

  priorityOf(consumer: QueueConsumer): number {
    return this.#turns.get(consumer)?.priority ?? 0
  }

  /** As if it had come now. */
  toEnd(consumer: QueueConsumer): void {
    const priority = this.priorityOf(consumer)
    if (this.remove(consumer)) this.add(consumer, priority)
  }

  /** Who came first. */
  oldest(): QueueConsumer | undefined {
    return this.#turns.keys().next().value
  }

  /** The highest priority, and of these who came first: whom a queue with one active consumer chooses. */
  first(): QueueConsumer | undefined {
    let best: Turn | undefined
    for (const turn of this.#turns.values()) {
      if (best === undefined || turn.priority > best.priority) best = turn
    }
    return best?.consumer
  }

  #level(priority: number): Level {
    const known = this.#levels.find((level) => level.priority === priority)
    if (known !== undefined) return known
    const level: Level = { priority, ring: new Ring<Turn>(), size: 0, gone: 0 }
    const behind = this.#levels.findIndex((other) => other.priority < priority)
    this.#levels.splice(behind === -1 ? this.#levels.length : behind, 0, level)
    return level
  }
}

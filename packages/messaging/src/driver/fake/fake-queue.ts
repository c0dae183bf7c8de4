import { AsyncQueue } from '@hermod/kernel'
import type { FakeCall } from './fake-call.ts'

/** How many ids of accepted messages a queue remembers. */
const REMEMBERED_IDS = 1024

/** What travels. */
export interface FakeMessage {
  /** What copies are known by. */
  readonly id: string
  readonly topic: string
  /** JSON: what cannot be written fails at its sender, and nobody shares an object with anybody. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Who waits for the reply. */
  readonly call: FakeCall | undefined
}

/** Who takes messages of a queue. */
export interface FakeConsumer {
  /** Whether it may be handed one more. */
  readonly hasRoom: boolean
  take(message: FakeMessage, redelivered: boolean, queue: FakeQueue): void
}

interface Entry {
  readonly message: FakeMessage
  readonly redelivered: boolean
}

/**
 * Messages in order, each handed to one of the consumers that have room, in turn. Handing over happens in a later turn
 * of the event loop than what led to it, so that nobody is called from within its own call.
 */
export class FakeQueue {
  readonly name: string
  /** Taking from the front of a long array would move all the others each time. */
  readonly #entries = new AsyncQueue<Entry>()
  /** They go before the entries, the last one first. */
  readonly #putBack: Entry[] = []
  readonly #consumers: FakeConsumer[] = []
  readonly #accepted = new Set<string>()
  #scheduled = false

  constructor(name: string) {
    this.name = name
  }

  /** Whether somebody takes what is put in. */
  get isConsumed(): boolean {
    return this.#consumers.length > 0
  }

  /** @returns false when the oldest message had to go for it. */
  put(message: FakeMessage, limit: number): boolean {
    this.#entries.put({ message, redelivered: false })
    const fits = this.#size <= limit
    if (!fits) this.#take()
    this.wake()
    return fits
  }

  /** Puts a message that was handed over at the front again. */
  putBack(message: FakeMessage): void {
    this.#putBack.push({ message, redelivered: true })
    this.wake()
  }

  add(consumer: FakeConsumer): void {
    this.#consumers.push(consumer)
    this.wake()
  }

  remove(consumer: FakeConsumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index >= 0) this.#consumers.splice(index, 1)
  }

  /** Whether a message with this id was accepted. */
  hasAccepted(id: string): boolean {
    return this.#accepted.has(id)
  }

  /** @returns false when one with this id was accepted before. */
  accept(id: string): boolean {
    if (this.#accepted.has(id)) return false
    this.#accepted.add(id)
    if (this.#accepted.size > REMEMBERED_IDS) {
      for (const oldest of this.#accepted) {
        this.#accepted.delete(oldest)
        break
      }
    }
    return true
  }

  /** A consumer has room again, or there is something to take. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#handOver()
    })
  }

  get #size(): number {
    return this.#putBack.length + this.#entries.size
  }

  /** The oldest one. */
  #take(): Entry | undefined {
    return this.#putBack.pop() ?? this.#entries.take()
  }

  #handOver(): void {
    // What a consumer gives back at once waits for the next turn, or this loop might never end.
    for (let left = this.#size; left > 0; left--) {
      const index = this.#consumers.findIndex((consumer) => consumer.hasRoom)
      const consumer = this.#consumers[index]
      const entry = consumer && this.#take()
      if (consumer === undefined || entry === undefined) return
      if (entry.message.call?.timedOut === true) continue
      // The last one in line is the last one that was served.
      this.#consumers.push(...this.#consumers.splice(index, 1))
      consumer.take(entry.message, entry.redelivered, this)
    }
  }
}

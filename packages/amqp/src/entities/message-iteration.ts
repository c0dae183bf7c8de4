import { addAbortListener } from 'node:events'
import { AsyncQueue } from '@hermod/kernel'
import type { ReceivedMessage } from './consumer-options.ts'
import { isStale, settleIfOpen, type HeldMessage, type ReadMessage } from './held-message.ts'

/** What an iteration asks of its consumer. */
export interface IteratedConsumer {
  start(): Promise<void>
  cancel(): Promise<void>
}

/** The messages of a consumer for one loop, see `Consumer.messages`. */
export class MessageIteration implements AsyncIterableIterator<ReceivedMessage> {
  readonly #consumer: IteratedConsumer
  readonly #read: ReadMessage
  readonly #held = new AsyncQueue<HeldMessage>()
  readonly #signal: AbortSignal | undefined
  #started = false
  #taken = 0
  #listening: Disposable | undefined

  constructor(consumer: IteratedConsumer, read: ReadMessage, signal: AbortSignal | undefined) {
    this.#consumer = consumer
    this.#read = read
    this.#signal = signal
  }

  /** Messages that the loop has taken. */
  get taken(): number {
    return this.#taken
  }

  /** Messages that wait for the loop. */
  get waiting(): number {
    return this.#held.size
  }

  put(held: HeldMessage): void {
    this.#held.put(held)
  }

  /** Puts back what waits; what the broker would not deliver again is left for the loop. */
  release(): void {
    const kept: HeldMessage[] = []
    for (let next = this.#held.take(); next !== undefined; next = this.#held.take()) {
      if (next.message.state === 'none') kept.push(next)
      else settleIfOpen(next.message, 'requeue')
    }
    for (const held of kept) this.#held.put(held)
  }

  /** No more messages will come. */
  end(error?: unknown): void {
    this.#held.end(error)
    this.#listening?.[Symbol.dispose]()
  }

  async next(): Promise<IteratorResult<ReceivedMessage>> {
    if (!this.#started) await this.#start()
    for (;;) {
      const next = await this.#held.next()
      if (next.done === true) return { done: true, value: undefined }
      if (isStale(next.value)) continue
      const { message } = next.value
      const content = this.#read(message)
      if (content === undefined) continue
      this.#taken++
      return { done: false, value: { body: content.body, message } }
    }
  }

  async #start(): Promise<void> {
    this.#started = true
    const signal = this.#signal
    try {
      signal?.throwIfAborted()
      if (signal !== undefined) this.#listening = addAbortListener(signal, () => this.#abort(signal.reason))
      await this.#consumer.start()
    } catch (error) {
      this.end()
      throw error
    }
  }

  #abort(reason: unknown): void {
    this.release()
    this.end(reason)
    void this.#consumer.cancel().catch(() => {})
  }

  /** The loop was left: nothing more comes, and what waited goes back to its queue. */
  async return(): Promise<IteratorResult<ReceivedMessage>> {
    this.end()
    try {
      await this.#consumer.cancel()
    } finally {
      this.release()
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

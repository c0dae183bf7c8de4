import { AsyncQueue, createDeferred, type Deferred } from '@hermod/kernel'
import type { Message, Settlement } from '../client/message.ts'
import type { HandlerErrorPolicy } from './consumer-options.ts'
import {
  isStale,
  settleIfOpen,
  type HeldMessage,
  type MessageSource,
  type ReadMessage,
} from './held-message.ts'

/** How messages are handled. */
export interface HandlingOptions {
  /** Pending promises, at the most. */
  readonly concurrency: number
  /** What becomes of a message whose handler failed; undefined: the handlers settle themselves. */
  readonly onError: HandlerErrorPolicy | undefined
}

/** Calls the handler for each message, so many at a time, and settles by its outcome where that was asked for. */
export class MessageHandling {
  readonly #read: ReadMessage
  readonly #handler: (body: unknown, message: Message) => unknown
  readonly #options: HandlingOptions
  readonly #onFailed: (error: unknown, message: Message) => void
  #waiting = new AsyncQueue<HeldMessage>()
  #running = 0
  #started = 0
  #failed = 0
  #idle: Deferred<void> | undefined

  /** @param onFailed must not throw. */
  constructor(
    read: ReadMessage,
    handler: (body: unknown, message: Message) => unknown,
    options: HandlingOptions,
    onFailed: (error: unknown, message: Message) => void,
  ) {
    this.#read = read
    this.#handler = handler
    this.#options = options
    this.#onFailed = onFailed
  }

  /** Messages that were handed to the handler. */
  get started(): number {
    return this.#started
  }

  get failed(): number {
    return this.#failed
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.size
  }

  handle(message: Message, source: MessageSource): void {
    if (this.#running < this.#options.concurrency) this.#run(message)
    else this.#waiting.put({ message, source })
  }

  #run(message: Message): void {
    const content = this.#read(message)
    if (content === undefined) return
    this.#started++
    let outcome: unknown
    try {
      outcome = this.#handler(content.body, message)
    } catch (error) {
      return this.#onError(error, message)
    }
    if (!isThenable(outcome)) return this.#onDone(message)
    this.#running++
    void Promise.resolve(outcome)
      .then(
        () => this.#onDone(message),
        (error: unknown) => this.#onError(error, message),
      )
      .then(() => this.#next())
  }

  #onDone(message: Message): void {
    if (this.#options.onError !== undefined) settleIfOpen(message, 'ack')
  }

  #onError(error: unknown, message: Message): void {
    this.#failed++
    const { onError } = this.#options
    if (onError !== undefined) settleIfOpen(message, settlementOf(onError, message))
    this.#onFailed(error, message)
  }

  #next(): void {
    this.#running--
    while (this.#running < this.#options.concurrency) {
      const held = this.#waiting.take()
      if (held === undefined) break
      if (!isStale(held)) this.#run(held.message)
    }
    if (this.#running > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Puts back what waits. What the broker would not deliver again goes on waiting. */
  release(): void {
    const held = this.#waiting
    this.#waiting = new AsyncQueue()
    for (let next = held.take(); next !== undefined; next = held.take()) {
      if (next.message.state === 'none') this.#waiting.put(next)
      else settleIfOpen(next.message, 'requeue')
    }
  }

  /** Resolves when no promise of a handler is pending, and nothing waits. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : (this.#idle ??= createDeferred()).promise
  }
}

function settlementOf(policy: HandlerErrorPolicy, message: Message): Settlement {
  if (policy === 'requeue-once') return message.redelivered ? 'reject' : 'requeue'
  return policy
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

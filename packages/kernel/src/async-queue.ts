import { createDeferred, type Deferred } from './deferred.ts'

/**
 * Values on their way from one producer to one reader, in order.
 *
 * It holds whatever is put in; who needs a bound looks at `size` before putting, or drops and counts.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = []
  #head = 0
  #waiting: Deferred<IteratorResult<T>> | undefined
  #ended = false
  #error: unknown
  readonly #onReturn: () => void

  /** @param onReturn called once when the reader leaves its loop early. */
  constructor(onReturn: () => void = () => {}) {
    this.#onReturn = onReturn
  }

  /** How many values wait for the reader. */
  get size(): number {
    return this.#values.length - this.#head
  }

  /** Adds a value; after the end it is ignored. */
  put(value: T): void {
    if (this.#ended) return
    if (this.#waiting !== undefined) {
      const waiting = this.#waiting
      this.#waiting = undefined
      waiting.resolve({ done: false, value })
    } else {
      this.#values.push(value)
    }
  }

  /** Takes the oldest value without waiting. */
  take(): T | undefined {
    if (this.#head === this.#values.length) return undefined
    const value = this.#values[this.#head] as T
    this.#values[this.#head] = undefined as T
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#values.length) {
      this.#values.splice(0, this.#head)
      this.#head = 0
    }
    return value
  }

  /** No more values: the reader gets what is left, then the end, or `error`. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) return
    if (error === undefined) waiting.resolve({ done: true, value: undefined })
    else waiting.reject(error)
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) return Promise.resolve({ done: false, value: this.take() as T })
    if (this.#ended) {
      const error = this.#error
      this.#error = undefined
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
    }
    if (this.#waiting !== undefined) return Promise.reject(new TypeError('this iterator has one reader only'))
    this.#waiting = createDeferred()
    return this.#waiting.promise
  }

  return(): Promise<IteratorResult<T>> {
    if (!this.#ended) {
      this.end()
      this.#onReturn()
    }
    this.#error = undefined
    this.#values.length = 0
    this.#head = 0
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

import { createDeferred } from '@hermod/kernel'
import type { DriverSubscription } from '../driver.ts'
import type { FakeConsumer, FakeMessage, FakeQueue } from './fake-queue.ts'

/** A message in the hands of a server or a listener: it is settled once, or goes back. */
export interface FakeHandover {
  readonly message: FakeMessage
  readonly redelivered: boolean
  readonly queue: FakeQueue
  /** @returns false when it was settled, or went back. */
  settle(): boolean
  /** @returns as {@link settle}. */
  giveBack(): boolean
}

/** Takes from some queues, never more at a time than its backlog. */
export class FakeSubscription implements FakeConsumer, DriverSubscription {
  readonly #queues: readonly FakeQueue[]
  readonly #backlog: number
  readonly #onMessage: (handover: FakeHandover) => void
  readonly #onStop: () => void
  readonly #held = new Set<FakeHandover>()
  readonly #closed = createDeferred<{ readonly error?: Error }>()
  #taking = true

  constructor(
    queues: readonly FakeQueue[],
    backlog: number,
    onMessage: (handover: FakeHandover) => void,
    onStop: () => void,
  ) {
    this.#queues = queues
    this.#backlog = backlog
    this.#onMessage = onMessage
    this.#onStop = onStop
    for (const queue of queues) queue.add(this)
  }

  get hasRoom(): boolean {
    return this.#taking && this.#held.size < this.#backlog
  }

  get closed(): Promise<{ readonly error?: Error }> {
    return this.#closed.promise
  }

  take(message: FakeMessage, redelivered: boolean, queue: FakeQueue): void {
    const handover: FakeHandover = {
      message,
      redelivered,
      queue,
      settle: () => this.#letGo(handover),
      giveBack: () => {
        const held = this.#letGo(handover)
        if (held) queue.putBack(message)
        return held
      },
    }
    this.#held.add(handover)
    this.#onMessage(handover)
  }

  stop(): Promise<void> {
    if (this.#taking) {
      this.#taking = false
      for (const queue of this.#queues) queue.remove(this)
      this.#onStop()
    }
    return Promise.resolve()
  }

  async close(): Promise<void> {
    await this.stop()
    // The newest first, so that they lie in the queue in their order again.
    for (const handover of Array.from(this.#held).toReversed()) handover.giveBack()
    this.#closed.resolve({})
  }

  #letGo(handover: FakeHandover): boolean {
    if (!this.#held.delete(handover)) return false
    for (const queue of this.#queues) queue.wake()
    return true
  }
}

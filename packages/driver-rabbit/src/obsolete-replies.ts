import type { Clock } from '@hermod/kernel'

const MOST_QUEUES = 200
const KEPT_MS = 60_000

/**
 * Queues for replies that were gone when a reply was given up: nothing is sent to them for a minute. A client that died
 * may leave hundreds of calls behind, each of which would be retried for as long.
 *
 * @source oslo.messaging _drivers/amqpdriver.py ObsoleteReplyQueuesCache
 */
export class ObsoleteReplies {
  readonly #clock: Clock
  /** Until when, by queue, oldest first. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(queue: string): boolean {
    const until = this.#until.get(queue)
    if (until === undefined) return false
    if (until > this.#clock.monotonicMs()) return true
    this.#until.delete(queue)
    return false
  }

  add(queue: string): void {
    this.#until.delete(queue)
    this.#until.set(queue, this.#clock.monotonicMs() + KEPT_MS)
    if (this.#until.size <= MOST_QUEUES) return
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest)
      return
    }
  }
}

import type { Message } from './message.ts'
import type { Queue, QueueConsumer } from './queue.ts'

/** A message in one queue: ready there, or delivered and not settled. */
export interface QueuedMessage {
  readonly message: Message
  readonly queue: Queue
  /** Whether it was delivered before. */
  readonly redelivered: boolean
  /** Who holds it now; `null` while it is ready, and for `basic.get`. */
  readonly consumer: QueueConsumer | null
}

import type { Message } from './message.ts'
import type { Queue, QueueConsumer } from './queue.ts'

/** Never expires. */
export const NEVER = -1

/** A message in one queue: ready there, or delivered and not settled. The session reads it, the queue writes it. */
export class QueuedMessage {
  /** What to send. A queue that adds headers of its own puts a message with these in its place. */
  message: Message
  readonly queue: Queue
  /** Its place: goes up with every message of the queue. */
  readonly seq: number
  /** When it expires, by the clock's `monotonicMs`; {@link NEVER} mostly. */
  readonly expiresAtMs: number
  /** Whether it was delivered before. */
  redelivered = false
  /** How often a quorum queue counts it as given back. */
  returns = 0
  /** Who holds it now; `null` while it is ready, and for `basic.get`. */
  consumer: QueueConsumer | null = null

  constructor(message: Message, queue: Queue, seq: number, expiresAtMs: number) {
    this.message = message
    this.queue = queue
    this.seq = seq
    this.expiresAtMs = expiresAtMs
  }
}

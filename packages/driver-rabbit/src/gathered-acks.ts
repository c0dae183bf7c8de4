import type { Message } from '@hermod/amqp'
import type { Clock, Timer } from '@hermod/kernel'

/** As many as make an ack cheap beside the messages that it is for. */
const MOST_MESSAGES = 32

/** The broker keeps nothing for longer than this because of us. */
const LONGEST_MS = 20

/**
 * Acks messages together: an ack for each, sent by itself, is a write of ours and a read of the broker's that cost as
 * much as another message. For messages that are of no use when they come again.
 */
export class GatheredAcks {
  readonly #clock: Clock
  readonly #most: number
  #messages: Message[] = []
  #timer: Timer | undefined

  /** @param prefetchCount what the broker sends without an ack; 0: no limit. It is not to wait for the acks. */
  constructor(clock: Clock, prefetchCount: number) {
    this.#clock = clock
    this.#most = prefetchCount === 0 ? MOST_MESSAGES : Math.min(MOST_MESSAGES, Math.ceil(prefetchCount / 4))
  }

  /** The message is acked soon. */
  add(message: Message): void {
    this.#messages.push(message)
    if (this.#messages.length >= this.#most) this.flush()
    else this.#timer ??= this.#clock.after(LONGEST_MS, () => this.flush())
  }

  /** What waits is acked now. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const messages = this.#messages
    this.#messages = []
    for (const message of messages) message.ack()
  }
}

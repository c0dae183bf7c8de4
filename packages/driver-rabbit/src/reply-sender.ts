import { setMaxListeners } from 'node:events'
import type { Compression } from '@hermod/amqp'
import { ChannelError, EncodeError, isHermodError, sleep, type Clock } from '@hermod/kernel'
import type { Reply } from '@hermod/messaging'
import type { DriverCounters } from './driver-counters.ts'
import { encodeMessage, type EncodedMessage } from './encoded-message.ts'
import { newMessageId } from './message-id.ts'
import type { ObsoleteReplies } from './obsolete-replies.ts'
import type { RabbitSettings } from './rabbit-settings.ts'
import { heartbeatText, replyText } from './reply-message.ts'
import type { Sender } from './sender.ts'

/** How often a reply is tried again whose queue is missing. */
const RETRY_MS = 250

/** What a {@link ReplySender} is made from. */
export interface ReplySenderOptions {
  readonly sender: Sender
  readonly obsolete: ObsoleteReplies
  readonly settings: RabbitSettings
  readonly compression: Compression | undefined
  readonly counters: DriverCounters
  readonly clock: Clock
}

/**
 * Sends the replies of servers to the queues of their callers.
 *
 * A queue that is missing may come back with its client, after a restart of the broker; so a reply is tried again for
 * `missingConsumerTimeoutMs`. After that the queue counts as gone for a minute. A reply whose confirm was lost is sent
 * again: the caller takes the first copy.
 *
 * @source oslo.messaging _drivers/amqpdriver.py AMQPIncomingMessage.reply, heartbeat
 */
export class ReplySender {
  readonly #options: ReplySenderOptions
  readonly #closing = new AbortController()

  constructor(options: ReplySenderOptions) {
    this.#options = options
    // Each reply that waits to be tried again listens, and there may be a thousand.
    setMaxListeners(0, this.#closing.signal)
  }

  /**
   * Resolves when the caller's queue has it, or never will.
   * @throws {EncodeError} E_ENCODE when it has no JSON form, or is larger than the broker takes.
   */
  async reply(reply: Reply, msgId: string, queue: string | undefined): Promise<void> {
    const { compression, counters } = this.#options
    const message = encodeMessage(replyText(reply, msgId, newMessageId()), compression)
    if (queue === undefined || !(await this.#deliver(message, queue))) counters.lostReplies++
  }

  /** Tells the caller that its call is worked on. @returns false when there is no queue to tell it to. */
  async heartbeat(msgId: string, queue: string | undefined): Promise<boolean> {
    const { compression, obsolete } = this.#options
    if (queue === undefined || obsolete.has(queue)) return false
    try {
      await this.#send(encodeMessage(heartbeatText(msgId, newMessageId()), compression), queue)
      return true
    } catch (error) {
      // A sign of life that is lost with its connection says nothing about the caller.
      return isHermodError(error) && error.code === 'E_UNCERTAIN'
    }
  }

  /** Nothing is tried again from now on. */
  close(): void {
    this.#closing.abort()
  }

  async #deliver(message: EncodedMessage, queue: string): Promise<boolean> {
    const { obsolete, settings, counters, clock } = this.#options
    const { signal } = this.#closing
    const endMs = clock.monotonicMs() + settings.missingConsumerTimeoutMs
    while (!obsolete.has(queue) && !signal.aborted) {
      try {
        await this.#send(message, queue, true)
        return true
      } catch (error) {
        if (isTooLarge(error))
          throw new EncodeError(`${message.body.byteLength} bytes are more than the broker takes`)
        if (!isHermodError(error) || error.code !== 'E_UNROUTABLE') return false
      }
      if (clock.monotonicMs() >= endMs) {
        obsolete.add(queue)
        return false
      }
      counters.replyRetries++
      await sleep(RETRY_MS, { signal }, clock).catch(() => {})
    }
    return false
  }

  #send(message: EncodedMessage, queue: string, resend = false): Promise<void> {
    const { sender, settings } = this.#options
    const target = { purpose: 'replies', exchange: '', routingKey: queue, entity: undefined } as const
    return sender.send(target, message, { mandatory: settings.mandatoryReplies, resend })
  }
}

/** @source RabbitMQ rabbit_channel.erl, check_msg_size */
function isTooLarge(error: unknown): boolean {
  return (
    isHermodError(error) &&
    error.cause instanceof ChannelError &&
    /message size \d+ is larger/.test(error.cause.replyText)
  )
}

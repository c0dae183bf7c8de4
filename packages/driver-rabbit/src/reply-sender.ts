import type { Compression } from '@hermod/amqp'
import { ChannelError, EncodeError, isHermodError, type Clock } from '@hermod/kernel'
import type { Reply } from '@hermod/messaging'
import type { DriverCounters } from './driver-counters.ts'
import { encodeMessage, type EncodedMessage } from './encoded-message.ts'
import { newMessageId } from './message-id.ts'
import type { MissingReplyQueues, ReplyPatience } from './missing-reply-queues.ts'
import type { RabbitSettings } from './rabbit-settings.ts'
import { heartbeatText, replyText } from './reply-message.ts'
import type { Sender } from './sender.ts'

/** What a {@link ReplySender} is made from. */
export interface ReplySenderOptions {
  readonly sender: Sender
  readonly missing: MissingReplyQueues
  readonly settings: RabbitSettings
  readonly compression: Compression | undefined
  readonly counters: DriverCounters
  readonly clock: Clock
}

/**
 * Sends the replies of a server to the queues of its callers.
 *
 * A queue that is missing may come back with its client, after a restart of the broker; so a reply is tried again for
 * `missingConsumerTimeoutMs`, and for a moment when the server stops ({@link MissingReplyQueues}). After that the queue
 * counts as gone for a minute. A reply whose confirm was lost is sent again: the caller takes the first copy.
 *
 * @source oslo.messaging _drivers/amqpdriver.py AMQPIncomingMessage.reply, heartbeat
 */
export class ReplySender {
  readonly #options: ReplySenderOptions
  readonly #patience: ReplyPatience = { leavingSinceMs: undefined }

  constructor(options: ReplySenderOptions) {
    this.#options = options
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
    const { compression, missing } = this.#options
    if (queue === undefined || missing.isGone(queue)) return false
    try {
      await this.#send(encodeMessage(heartbeatText(msgId, newMessageId()), compression), queue)
      return true
    } catch (error) {
      // A sign of life that is lost with its connection says nothing about the caller.
      return isHermodError(error) && error.code === 'E_UNCERTAIN'
    }
  }

  /** The server stops: missing queues are waited for only for a moment from now on. */
  hurry(): void {
    this.#patience.leavingSinceMs ??= this.#options.clock.monotonicMs()
  }

  async #deliver(message: EncodedMessage, queue: string): Promise<boolean> {
    const { missing, counters } = this.#options
    for (let isAgain = false; !missing.isGone(queue); isAgain = true) {
      if (missing.has(queue) && !(await missing.wait(queue, this.#patience))) return false
      if (isAgain) counters.replyRetries++
      try {
        await this.#send(message, queue, true)
        missing.forget(queue)
        return true
      } catch (error) {
        if (isHermodError(error) && error.code === 'E_UNROUTABLE') {
          missing.note(queue)
          continue
        }
        missing.forget(queue)
        if (isTooLarge(error))
          throw new EncodeError(`${message.body.byteLength} bytes are more than the broker takes`)
        return false
      }
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

import type { Message } from '@hermod/amqp'
import type { JsonObject } from '@hermod/kernel'
import type { IncomingRequest, Reply } from '@hermod/messaging'
import type { DriverCounters } from './driver-counters.ts'
import type { DuplicateWindow } from './duplicate-window.ts'
import type { UnpackedMessage } from './message-text.ts'
import type { ReplySender } from './reply-sender.ts'

/** A request that was delivered. Accepting it acks it. */
export class IncomingRabbitRequest implements IncomingRequest {
  readonly message: JsonObject
  readonly context: JsonObject
  readonly headers: Readonly<Record<string, string>>
  readonly expectsReply: boolean
  readonly monitorTimeoutMs: number | undefined
  readonly #delivery: Message
  readonly #unpacked: UnpackedMessage
  readonly #taken: DuplicateWindow
  readonly #replies: ReplySender
  readonly #counters: DriverCounters

  constructor(
    delivery: Message,
    unpacked: UnpackedMessage,
    headers: Readonly<Record<string, string>>,
    taken: DuplicateWindow,
    replies: ReplySender,
    counters: DriverCounters,
  ) {
    const { message, context, msgId, monitorTimeout } = unpacked
    this.message = message
    this.context = context
    this.headers = headers
    this.expectsReply = msgId !== undefined
    this.monitorTimeoutMs = monitorTimeout === undefined ? undefined : monitorTimeout * 1000
    this.#delivery = delivery
    this.#unpacked = unpacked
    this.#taken = taken
    this.#replies = replies
    this.#counters = counters
  }

  accept(): 'accepted' | 'duplicate' | 'lost' {
    const { uniqueId } = this.#unpacked
    const { state } = this.#delivery
    if (state !== 'received') return state === 'acked' ? 'duplicate' : 'lost'
    const isDuplicate = uniqueId !== undefined && this.#taken.has(uniqueId)
    // Its method may end the process: it is not to come again for that.
    const inTime = this.#delivery.ack({ promptly: true })
    if (isDuplicate) {
      this.#counters.duplicates++
      return 'duplicate'
    }
    if (!inTime) return 'lost'
    if (uniqueId !== undefined) this.#taken.add(uniqueId)
    return 'accepted'
  }

  release(): void {
    if (this.#delivery.state === 'received') this.#delivery.requeue()
  }

  async reply(reply: Reply): Promise<void> {
    const { msgId, replyQueue } = this.#unpacked
    if (msgId !== undefined) await this.#replies.reply(reply, msgId, replyQueue)
  }

  async heartbeat(): Promise<boolean> {
    const { msgId, replyQueue } = this.#unpacked
    return msgId !== undefined && this.#replies.heartbeat(msgId, replyQueue)
  }
}

import type { Message, Queue } from '@hermod/amqp'
import { isHermodError, type HermodError } from '@hermod/kernel'
import { readNotification, type ListenOptions, type ServeOptions } from '@hermod/messaging'
import { decodeMessage, textHeaders } from './decoded-message.ts'
import type { DriverCounters } from './driver-counters.ts'
import { IncomingRabbitNotification } from './incoming-rabbit-notification.ts'
import { IncomingRabbitRequest } from './incoming-rabbit-request.ts'
import { unpackMessage } from './message-text.ts'
import type { ReplySender } from './reply-sender.ts'
import type { TakenMessages } from './taken-messages.ts'

/** What {@link IncomingMessages} is made from. */
export interface IncomingMessagesOptions {
  readonly counters: DriverCounters
  readonly taken: TakenMessages
  readonly onRefused: (source: string, error: HermodError) => void
}

/**
 * Hands over what queues deliver. What cannot be read is rejected without requeue, to where the queue's policy puts such
 * messages, and reported without anything of its body.
 *
 * @source oslo.messaging _drivers/amqpdriver.py AMQPListener.__call__, _drivers/impl_rabbit.py Consumer._callback
 */
export class IncomingMessages {
  readonly #options: IncomingMessagesOptions

  constructor(options: IncomingMessagesOptions) {
    this.#options = options
  }

  /** For the messages of a queue of requests. */
  requests(
    { name }: Queue,
    replies: ReplySender,
    onRequest: ServeOptions['onRequest'],
  ): (message: Message) => void {
    const { counters } = this.#options
    const taken = this.#options.taken.ofQueue(name)
    return (delivery) => {
      const unpacked = this.#read(name, delivery, () => unpackMessage(decodeMessage(delivery)))
      if (unpacked === undefined) return
      if (unpacked.uniqueId !== undefined && taken.has(unpacked.uniqueId)) {
        // Left unsettled it would stay with us for as long as the channel lives.
        delivery.ack()
        counters.duplicates++
        return
      }
      const headers = textHeaders(delivery)
      onRequest(new IncomingRabbitRequest(delivery, unpacked, headers, taken, replies, counters))
    }
  }

  /** For the messages of a queue of notifications. Copies are handed over too, and say so. */
  notifications(
    { name }: Queue,
    onNotification: ListenOptions['onNotification'],
  ): (message: Message) => void {
    const { counters } = this.#options
    const taken = this.#options.taken.ofQueue(name)
    return (delivery) => {
      const notification = this.#read(name, delivery, () => readNotification(decodeMessage(delivery)))
      if (notification !== undefined)
        onNotification(new IncomingRabbitNotification(delivery, notification, taken, counters))
    }
  }

  #read<T>(source: string, delivery: Message, read: () => T): T | undefined {
    const { counters, onRefused } = this.#options
    counters.received++
    try {
      return read()
    } catch (error) {
      if (!isHermodError(error)) throw error
      delivery.reject()
      counters.refused++
      onRefused(source, error)
      return undefined
    }
  }
}

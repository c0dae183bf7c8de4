import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib'
import type { ConsumePlan, Contestant, ContestantSession, PublishPlan } from './contestant.ts'
import { DeliveryCount } from './delivery-count.ts'
import { publishInWindow } from './publish-in-window.ts'

class AmqplibSession implements ContestantSession {
  readonly #connection: ChannelModel
  readonly #channel: ConfirmChannel

  constructor(connection: ChannelModel, channel: ConfirmChannel) {
    this.#connection = connection
    this.#channel = channel
  }

  confirmedPublish({ queue, count, body, window }: PublishPlan): Promise<void> {
    const options = { deliveryMode: 1 }
    return publishInWindow(count, window, (confirmed, failed) => {
      this.#channel.publish('', queue, body, options, (error: unknown) => {
        if (error === null || error === undefined) confirmed()
        else failed(error)
      })
    })
  }

  async consumeAck({ queue, count, bodySize, prefetch }: ConsumePlan): Promise<void> {
    const deliveries = new DeliveryCount(count, bodySize)
    await this.#channel.prefetch(prefetch)
    const { consumerTag } = await this.#channel.consume(queue, (message) => {
      if (message === null) return
      this.#channel.ack(message)
      deliveries.add(message.content.length)
    })
    await deliveries.reached
    await this.#channel.cancel(consumerTag)
  }

  async close(): Promise<void> {
    await this.#channel.close()
    await this.#connection.close()
  }
}

/** A confirm channel with one callback a publish. TCP_NODELAY is off by default and on here. */
export const contestant: Contestant = {
  async connect(url) {
    const connection = await connect(url, { noDelay: true })
    return new AmqplibSession(connection, await connection.createConfirmChannel())
  },
}

import { connect, type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib'
import {
  REPLY_TO,
  type CallPlan,
  type ConsumePlan,
  type Contestant,
  type ContestantSession,
  type PublishPlan,
} from './contestant.ts'
import { DeliveryCount } from './delivery-count.ts'
import { publishInWindow } from './publish-in-window.ts'
import { RoundTrips } from './round-trips.ts'

class AmqplibSession implements ContestantSession {
  readonly #connection: ChannelModel
  readonly #channel: Channel

  constructor(connection: ChannelModel, channel: Channel) {
    this.#connection = connection
    this.#channel = channel
  }

  confirmedPublish({ queue, count, body, window }: PublishPlan): Promise<void> {
    const options = { deliveryMode: 1 }
    const channel = this.#channel as ConfirmChannel
    return publishInWindow(count, window, (confirmed, failed) => {
      channel.publish('', queue, body, options, (error: unknown) => {
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

  async call({ queue, count, body, inFlight }: CallPlan): Promise<void> {
    const trips = new RoundTrips(count, body.length, (correlationId) => {
      this.#channel.publish('', queue, body, { deliveryMode: 1, replyTo: REPLY_TO, correlationId })
    })
    const onReply = (message: ConsumeMessage | null): void => {
      trips.replied(message?.properties.correlationId, message?.content.length)
    }
    const { consumerTag } = await this.#channel.consume(REPLY_TO, onReply, { noAck: true })
    await trips.begin(inFlight)
    await this.#channel.cancel(consumerTag)
  }

  async close(): Promise<void> {
    await this.#channel.close()
    await this.#connection.close()
  }
}

/** A confirm channel with one callback a publish; a plain one for calls. TCP_NODELAY is off by default and on here. */
export const contestant: Contestant = {
  async connect(url, { confirms }) {
    const connection = await connect(url, { noDelay: true })
    const channel = confirms ? connection.createConfirmChannel() : connection.createChannel()
    return new AmqplibSession(connection, await channel)
  },
}

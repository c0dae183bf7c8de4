import { AMQPClient, type AMQPChannel } from '@cloudamqp/amqp-client'
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

class CloudamqpSession implements ContestantSession {
  readonly #client: AMQPClient
  readonly #channel: AMQPChannel

  constructor(client: AMQPClient, channel: AMQPChannel) {
    this.#client = client
    this.#channel = channel
  }

  confirmedPublish({ queue, count, body, window }: PublishPlan): Promise<void> {
    const properties = { deliveryMode: 1 }
    return publishInWindow(count, window, (confirmed, failed) => {
      this.#channel.basicPublish('', queue, body, properties).then(confirmed, failed)
    })
  }

  async consumeAck({ queue, count, bodySize, prefetch }: ConsumePlan): Promise<void> {
    const deliveries = new DeliveryCount(count, bodySize)
    await this.#channel.basicQos(prefetch)
    const consumer = await this.#channel.basicConsume(queue, { noAck: false }, (message) => {
      void message.ack()
      deliveries.add(message.body?.length)
    })
    await deliveries.reached
    await consumer.cancel()
  }

  async call({ queue, count, body, inFlight }: CallPlan): Promise<void> {
    const trips = new RoundTrips(count, body.length, (correlationId) => {
      const properties = { deliveryMode: 1, replyTo: REPLY_TO, correlationId }
      this.#channel.basicPublish('', queue, body, properties).catch(trips.failed)
    })
    const consumer = await this.#channel.basicConsume(REPLY_TO, { noAck: true }, (message) => {
      trips.replied(message.properties.correlationId, message.body?.length)
    })
    await trips.begin(inFlight)
    await consumer.cancel()
  }

  async close(): Promise<void> {
    await this.#channel.close()
    await this.#client.close()
  }
}

/** The low-level channel. TCP_NODELAY has no option and is set on the socket once it is connected. */
export const contestant: Contestant = {
  async connect(url, { confirms }) {
    const client = new AMQPClient(url)
    await client.connect()
    client.socket?.setNoDelay(true)
    const channel = await client.channel()
    if (confirms) await channel.confirmSelect()
    return new CloudamqpSession(client, channel)
  },
}

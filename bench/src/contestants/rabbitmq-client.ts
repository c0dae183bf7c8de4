import { Connection, type Channel } from 'rabbitmq-client'
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

class RabbitmqClientSession implements ContestantSession {
  readonly #connection: Connection
  readonly #channel: Channel

  constructor(connection: Connection, channel: Channel) {
    this.#connection = connection
    this.#channel = channel
  }

  confirmedPublish({ queue, count, body, window }: PublishPlan): Promise<void> {
    return publishInWindow(count, window, (confirmed, failed) => {
      this.#channel.basicPublish(queue, body).then(confirmed, failed)
    })
  }

  async consumeAck({ queue, count, bodySize, prefetch }: ConsumePlan): Promise<void> {
    const deliveries = new DeliveryCount(count, bodySize)
    await this.#channel.basicQos({ prefetchCount: prefetch })
    const { consumerTag } = await this.#channel.basicConsume({ queue }, (message) => {
      this.#channel.basicAck({ deliveryTag: message.deliveryTag })
      deliveries.add((message.body as Buffer).length)
    })
    await deliveries.reached
    await this.#channel.basicCancel(consumerTag)
  }

  async call({ queue, count, body, inFlight }: CallPlan): Promise<void> {
    const trips = new RoundTrips(count, body.length, (correlationId) => {
      const envelope = { routingKey: queue, replyTo: REPLY_TO, correlationId }
      this.#channel.basicPublish(envelope, body).catch(trips.failed)
    })
    const { consumerTag } = await this.#channel.basicConsume({ queue: REPLY_TO, noAck: true }, (message) => {
      trips.replied(message.correlationId, (message.body as Buffer).length)
    })
    await trips.begin(inFlight)
    await this.#channel.basicCancel(consumerTag)
  }

  async close(): Promise<void> {
    await this.#channel.close()
    await this.#connection.close()
  }
}

/** The low-level channel, which costs less than its Publisher and Consumer. TCP_NODELAY is off by default and on here. */
export const contestant: Contestant = {
  async connect(url, { confirms }) {
    const connection = new Connection({ url, noDelay: true })
    const channel = await connection.acquire()
    if (confirms) await channel.confirmSelect()
    return new RabbitmqClientSession(connection, channel)
  },
}

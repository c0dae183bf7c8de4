import { Connection, type Channel } from '@hermod/amqp'
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

class HermodSession implements ContestantSession {
  readonly #connection: Connection
  readonly #channel: Channel

  constructor(connection: Connection, channel: Channel) {
    this.#connection = connection
    this.#channel = channel
  }

  confirmedPublish({ queue, count, body, window }: PublishPlan): Promise<void> {
    const options = { properties: { deliveryMode: 1 } }
    return publishInWindow(count, window, (confirmed, failed) => {
      this.#channel.publish('', queue, body, options).then(confirmed, failed)
    })
  }

  async consumeAck({ queue, count, bodySize, prefetch }: ConsumePlan): Promise<void> {
    const deliveries = new DeliveryCount(count, bodySize)
    const consumer = await this.#channel.consume(queue, { prefetchCount: prefetch }, (message) => {
      message.ack()
      deliveries.add(message.body.length)
    })
    await deliveries.reached
    await consumer.cancel()
  }

  async call({ queue, count, body, inFlight }: CallPlan): Promise<void> {
    const trips = new RoundTrips(count, body.length, (correlationId) => {
      const properties = { deliveryMode: 1, replyTo: REPLY_TO, correlationId }
      this.#channel.publish('', queue, body, { properties }).catch(trips.failed)
    })
    const consumer = await this.#channel.consume(REPLY_TO, { noAck: true }, (message) => {
      trips.replied(message.properties.correlationId, message.body.length)
    })
    await trips.begin(inFlight)
    await consumer.cancel()
  }

  async close(): Promise<void> {
    await this.#channel.close()
    await this.#connection.close()
  }
}

/** One promise a publish, confirmed where that is measured; one `ack()` a message. TCP_NODELAY is always on. */
export const contestant: Contestant = {
  async connect(url, { confirms }) {
    const connection = await Connection.connect(url, { name: 'bench' })
    return new HermodSession(connection, await connection.openChannel({ confirms }))
  },
}

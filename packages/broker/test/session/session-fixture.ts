import type { MethodArguments } from '@hermod/amqp/wire'
import type { BrokerOptions } from '../../src/broker-options.ts'
import { createBroker, type Broker } from '../../src/index.ts'
import { FrameClient, type LoginOptions } from '../frame-client.ts'

/** queue.declare with nothing said. */
export const queueNamed = (
  queue: string,
  more: Partial<MethodArguments['queue.declare']> = {},
): MethodArguments['queue.declare'] => ({
  queue,
  passive: false,
  durable: false,
  exclusive: false,
  autoDelete: false,
  noWait: false,
  arguments: {},
  ...more,
})

/** basic.consume with nothing said. */
export const consumeFrom = (
  queue: string,
  consumerTag: string,
  more: Partial<MethodArguments['basic.consume']> = {},
): MethodArguments['basic.consume'] => ({
  queue,
  consumerTag,
  noLocal: false,
  noAck: false,
  exclusive: false,
  noWait: false,
  arguments: {},
  ...more,
})

/** exchange.declare with nothing said. */
export const exchangeNamed = (
  exchange: string,
  type: string,
  more: Partial<MethodArguments['exchange.declare']> = {},
): MethodArguments['exchange.declare'] => ({
  exchange,
  type,
  passive: false,
  durable: false,
  autoDelete: false,
  internal: false,
  noWait: false,
  arguments: {},
  ...more,
})

export const CLOSE: MethodArguments['channel.close'] = {
  replyCode: 200,
  replyText: '',
  classId: 0,
  methodId: 0,
}

/** Brokers that end with their test. */
export class SessionFixture {
  readonly #brokers: Broker[] = []

  broker(options: BrokerOptions = {}): Broker {
    const broker = createBroker(options)
    this.#brokers.push(broker)
    return broker
  }

  /** A client with an open connection and channel 1. */
  async client(broker: Broker = this.broker(), login: LoginOptions = {}): Promise<FrameClient> {
    const client = await new FrameClient(broker.connect()).open(login)
    await client.call(1, 'channel.open', {})
    return client
  }

  async end(): Promise<void> {
    for (const broker of this.#brokers.splice(0)) {
      for (const connection of broker.connections()) connection.drop()
      await broker.close()
    }
  }
}

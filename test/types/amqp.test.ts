import {
  Channel,
  Connection,
  Consumer,
  Exchange,
  Message,
  Queue,
  type BasicProperties,
  type ChannelEnd,
  type ConnectionEnd,
  type ConnectionState,
  type QueueStatus,
  type Subscription,
} from '@hermod/amqp'
import { describe, expectTypeOf, it } from 'vitest'

type Connect = (typeof Connection)['connect']

describe('the types of @hermod/amqp', () => {
  it('connect with a URL, an address, or several', () => {
    expectTypeOf<Connect>().returns.resolves.toEqualTypeOf<Connection>()
    expectTypeOf<Connect>().toBeCallableWith('amqp://localhost/')
    expectTypeOf<Connect>().toBeCallableWith(['amqp://a/', 'amqps://b/'], { name: 'billing' })
    // @ts-expect-error only connect() makes connections, so that there is none without a broker
    const impossible = (): Connection => new Connection('amqp://localhost/')
    expectTypeOf(impossible).toBeFunction()
  })

  it('promise an end that never rejects, with or without an error', () => {
    expectTypeOf<Connection['state']>().toEqualTypeOf<ConnectionState>()
    expectTypeOf<Connection['closed']>().resolves.toEqualTypeOf<ConnectionEnd>()
    expectTypeOf<Channel['closed']>().resolves.toEqualTypeOf<ChannelEnd>()
    expectTypeOf<Connection>().toExtend<AsyncDisposable>()
    expectTypeOf<Channel>().toExtend<AsyncDisposable>()
    expectTypeOf<Consumer>().toExtend<AsyncDisposable>()
  })

  it('publish bytes, and promise the confirm', () => {
    expectTypeOf<Channel['publish']>().returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf<Channel['publish']>().parameter(2).toEqualTypeOf<Uint8Array>()
    expectTypeOf<Channel['consume']>().returns.resolves.toEqualTypeOf<Subscription>()
    expectTypeOf<Channel['get']>().returns.resolves.toEqualTypeOf<Message | undefined>()
    expectTypeOf<Channel['declareQueue']>().returns.resolves.toEqualTypeOf<QueueStatus>()
  })

  it('settle with an answer, and give properties that may be absent', () => {
    expectTypeOf<Message['ack']>().returns.toEqualTypeOf<boolean>()
    expectTypeOf<Message['properties']>().toEqualTypeOf<BasicProperties>()
    expectTypeOf<BasicProperties['messageId']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Message['body']>().toExtend<Uint8Array>()
  })

  it('name durations with their unit, and refuse what is unknown', () => {
    const nova = new Exchange('nova', 'topic', { durable: false })
    expectTypeOf(new Queue('q', { exchange: nova, expiresMs: 600_000 })).toEqualTypeOf<Queue>()
    // @ts-expect-error a duration without its unit
    expectTypeOf(() => new Queue('q', { expires: 600_000 })).returns.toEqualTypeOf<Queue>()
    expectTypeOf(Consumer).constructorParameters.toExtend<readonly unknown[]>()
    // @ts-expect-error entities are immutable
    expectTypeOf((queue: Queue) => (queue.durable = false)).toBeFunction()
  })

  it('give a consumer a body of unknown type', () => {
    type Handler = ConstructorParameters<typeof Consumer>[2]
    expectTypeOf<Handler>().parameter(0).toBeUnknown()
    expectTypeOf<Handler>().parameter(1).toEqualTypeOf<Message>()
  })
})

import {
  Exchange,
  Pool,
  Producer,
  SimpleBuffer,
  SimpleQueue,
  type Lease,
  type Message,
  type ProducerOptions,
  type ProducerPublishOptions,
  type ReceivedMessage,
} from '@hermod/amqp'
import { describe, expectTypeOf, it } from 'vitest'

describe('the types of producers, simple queues and pools', () => {
  it('let anything be a body, which is not typed when it comes back', () => {
    expectTypeOf<Producer['publish']>().parameter(0).toEqualTypeOf<unknown>()
    expectTypeOf<Producer['publish']>().returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf<SimpleQueue['get']>().returns.resolves.toEqualTypeOf<ReceivedMessage>()
    expectTypeOf<ReceivedMessage['body']>().toEqualTypeOf<unknown>()
    expectTypeOf<ReceivedMessage['message']>().toEqualTypeOf<Message>()
    expectTypeOf<SimpleBuffer>().toExtend<SimpleQueue>()
  })

  it('know every option by name and unit', () => {
    expectTypeOf({
      exchange: new Exchange('x'),
      expirationMs: 5,
      deliveryMode: 'transient' as const,
    }).toExtend<ProducerPublishOptions>()
    // @ts-expect-error kombu's name for it, which means seconds
    const seconds: ProducerPublishOptions = { expiration: 5 }
    // @ts-expect-error the number of the wire says nothing to a reader
    const mode: ProducerPublishOptions = { deliveryMode: 2 }
    // @ts-expect-error properties of all messages go into `properties`
    const priority: ProducerOptions = { priority: 1 }
    expectTypeOf([seconds, mode, priority]).toBeArray()
  })

  it('lend what the pool holds, and give back what the work gives', () => {
    expectTypeOf<Pool<Date>['acquire']>().returns.resolves.toEqualTypeOf<Lease<Date>>()
    const use = (pool: Pool<Date>): Promise<number> => pool.use((date) => date.getTime())
    expectTypeOf(use).returns.resolves.toBeNumber()
  })
})

import {
  Channel,
  Connection,
  Consumer,
  Exchange,
  Message,
  Queue,
  DIAGNOSTICS,
  type BasicProperties,
  type BrokerAddress,
  type ChannelEnd,
  type ChannelState,
  type ConnectionEnd,
  type ConnectionEvents,
  type ConnectionOptions,
  type ConnectionState,
  type ConnectionStats,
  type ConnectionStatus,
  type ConnectionTarget,
  type Credentials,
  type CredentialsSource,
  type FedStatus,
  type QueueStatus,
  type SaslMechanism,
  type SettleOptions,
  type Subscription,
  type SubscriptionState,
} from '@hermod/amqp'
import type { DeadlineOptions, HermodError } from '@hermod/kernel'
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

  it('take a function that finds the servers, and credentials that are asked for', () => {
    expectTypeOf<Connect>().toBeCallableWith('amqp://a/;amqps://b/')
    expectTypeOf<Connect>().toBeCallableWith(() => ['amqp://a/'])
    expectTypeOf<Connect>().toBeCallableWith(() => Promise.resolve('amqp://a/' as string | BrokerAddress))
    expectTypeOf<() => number>().not.toExtend<ConnectionTarget>()
    expectTypeOf<Awaited<ReturnType<CredentialsSource>>>().toEqualTypeOf<Credentials>()
    expectTypeOf<CredentialsSource>().parameter(0).not.toHaveProperty('password')
    expectTypeOf<CredentialsSource>().parameter(1).toEqualTypeOf<{ readonly signal: AbortSignal }>()
    expectTypeOf<{ readonly username: string }>().not.toExtend<Credentials>()
    expectTypeOf<{ readonly password: string }>().toExtend<Credentials>()
    expectTypeOf<SaslMechanism>().toEqualTypeOf<'PLAIN' | 'AMQPLAIN' | 'EXTERNAL'>()
    expectTypeOf<ConnectionOptions['serverOrder']>().toEqualTypeOf<'random' | 'given' | undefined>()
    // @ts-expect-error a duration without its unit
    expectTypeOf<Connect>().toBeCallableWith('amqp://a/', { blockedTimeout: 5 })
  })

  it('tell every event by its type, with what belongs to it', () => {
    expectTypeOf<ConnectionStatus['type']>().toEqualTypeOf<keyof ConnectionEvents>()
    type Of<Type extends ConnectionStatus['type']> = Extract<ConnectionStatus, { readonly type: Type }>
    expectTypeOf<Of<'blocked'>>().toExtend<{ readonly reason: string }>()
    expectTypeOf<Of<'lost'>['error']>().toEqualTypeOf<HermodError>()
    expectTypeOf<Of<'state'>['state']>().toEqualTypeOf<ConnectionState>()
    expectTypeOf<Of<'secret-error'>['delayMs']>().toEqualTypeOf<number>()
    expectTypeOf<Connection['status']>().returns.toEqualTypeOf<AsyncIterableIterator<FedStatus>>()
    expectTypeOf<FedStatus>().toExtend<ConnectionStatus>()
    expectTypeOf<FedStatus['missed']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<NonNullable<ConnectionOptions['onStatus']>>().parameter(0).toEqualTypeOf<ConnectionStatus>()
  })

  it('give figures that cannot be changed', () => {
    expectTypeOf<Connection['stats']>().returns.toEqualTypeOf<ConnectionStats>()
    expectTypeOf<Omit<ConnectionStats, 'state'>>().toExtend<Readonly<Record<string, number>>>()
    // @ts-expect-error figures of a moment
    expectTypeOf((stats: ConnectionStats) => (stats.published = 0)).toBeFunction()
    expectTypeOf(DIAGNOSTICS).toHaveProperty('publishSettled')
  })

  it('end gracefully or at once, and renew secrets', () => {
    expectTypeOf<Connection['drain']>().parameter(0).toEqualTypeOf<DeadlineOptions | undefined>()
    expectTypeOf<Connection['drain']>().returns.toEqualTypeOf<Promise<void>>()
    expectTypeOf<Connection['abort']>().returns.toEqualTypeOf<void>()
    expectTypeOf<Connection['updateSecret']>().parameter(0).toEqualTypeOf<string>()
  })

  it('have transactions, recover, flow and states on their channels', () => {
    for (const method of ['commit', 'rollback', 'recover', 'settle', 'drain'] as const) {
      expectTypeOf<Channel[typeof method]>().parameter(0).toEqualTypeOf<DeadlineOptions | undefined>()
      expectTypeOf<Channel[typeof method]>().returns.toEqualTypeOf<Promise<void>>()
    }
    expectTypeOf<Channel['flow']>().parameter(0).toEqualTypeOf<boolean>()
    expectTypeOf<Connection['openChannel']>().toBeCallableWith({ transactional: true, maxUnconfirmed: 5 })
    expectTypeOf<Channel['state']>().toEqualTypeOf<ChannelState>()
    expectTypeOf<Subscription['state']>().toEqualTypeOf<SubscriptionState>()
    expectTypeOf<Channel['unsettled']>().toEqualTypeOf<number>()
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
    for (const how of ['ack', 'reject', 'requeue'] as const)
      expectTypeOf<Message[typeof how]>().parameter(0).toEqualTypeOf<SettleOptions | undefined>()
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

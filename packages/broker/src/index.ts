/**
 * An AMQP 0-9-1 broker in one Node process, in memory.
 *
 * @packageDocumentation
 */
export { Broker, createBroker, type ListenOptions } from './broker.ts'
export type { BrokerConnection } from './broker-connection.ts'
export type { BindingFacts, BrokerStats, ConsumerFacts, ExchangeFacts, QueueFacts } from './broker-facts.ts'
export type { BrokerOptions } from './broker-options.ts'
export type { IdleOptions } from './idle-watch.ts'
export { LIMITS, type Limits } from './limits.ts'
export type { Listening } from './listening.ts'
export type { PublishedMessage, PublishTap, PublishTapOptions } from './publish-taps.ts'
export { PROFILES, type Profile, type ProfileName } from './profile.ts'
export type { AlarmKind } from './session/alarms.ts'
export type { Advertisement } from './session/session-host.ts'
export type { BrokerUser } from './users.ts'

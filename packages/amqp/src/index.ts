/**
 * AMQP 0-9-1 for Node: the wire codec, a client that recovers, and kombu's vocabulary.
 *
 * @packageDocumentation
 */
export { formatServer, parseAmqpUrl, type AmqpUrl, type BrokerAddress } from './client/broker-address.ts'
export type { BrokerIdentity } from './client/broker-identity.ts'
export { Channel } from './client/channel.ts'
export type { QueueStatus } from './client/channel-host.ts'
export type { ChannelEnd, ChannelOptions, ChannelState } from './client/channel-options.ts'
export { Connection } from './client/connection.ts'
export type {
  ConnectionEnd,
  ConnectionEvents,
  ConnectionState,
  ConnectionStats,
  ConnectionStatus,
} from './client/connection-events.ts'
export {
  CONNECTION_DEFAULTS,
  type ConnectionOptions,
  type ConnectionTarget,
  type ServerTarget,
} from './client/connection-options.ts'
export type {
  ConsumeOptions,
  MessageHandler,
  Subscription,
  SubscriptionEnd,
  SubscriptionState,
} from './client/consumer-subscription.ts'
export type { Credentials, CredentialsSource } from './client/credentials.ts'
export type { BindOptions, ExchangeOptions, QueueOptions } from './client/declaration-options.ts'
export {
  DIAGNOSTICS,
  type ConnectionDiagnostics,
  type DeliverDiagnostics,
  type PublishDiagnostics,
  type PublishSettledDiagnostics,
  type SettleDiagnostics,
} from './client/diagnostics.ts'
export { dial, type Dial } from './client/dial.ts'
export { Message, type MessageState, type Settlement, type SettleOptions } from './client/message.ts'
export type { PublishOptions } from './client/publisher.ts'
export type { SaslMechanism } from './client/sasl.ts'
export type { FedStatus } from './client/status-feed.ts'
export type { TlsOptions } from './client/tls-options.ts'
export { Binding } from './entities/binding.ts'
export { broadcastQueue, type BroadcastOptions } from './entities/broadcast.ts'
export { Consumer } from './entities/consumer.ts'
export type {
  ConsumerEnd,
  ConsumerEvents,
  ConsumerHandler,
  ConsumerOptions,
  ConsumerStats,
  DecodeErrorPolicy,
  HandlerErrorPolicy,
  ReceivedMessage,
} from './entities/consumer-options.ts'
export {
  brotliCompression,
  zlibCompression,
  zstdCompression,
  type Compression,
} from './entities/compression.ts'
export { CompressionRegistry, DEFAULT_COMPRESSIONS } from './entities/compression-registry.ts'
export { ContentReader, decompressedBody, type ContentOptions } from './entities/content-reader.ts'
export {
  Exchange,
  type DeliveryMode,
  type ExchangeDefinition,
  type ExchangeType,
} from './entities/exchange.ts'
export { Queue, type QueueDefinition } from './entities/queue.ts'
export type { MessageIteration } from './entities/message-iteration.ts'
export type { QueueArguments } from './entities/queue-arguments.ts'
export { Runner } from './entities/runner.ts'
export type {
  RunEnd,
  RunnerConsumer,
  RunnerContext,
  RunnerOptions,
  RunOptions,
} from './entities/runner-options.ts'
export { matchesTopic } from './entities/topic-pattern.ts'
export { richJsonSerializer } from './entities/rich-json.ts'
export { RichJsonValue, type RichJsonKind } from './entities/rich-json-value.ts'
export { jsonSerializer, rawSerializer, textSerializer, type Serializer } from './entities/serializer.ts'
export { DEFAULT_SERIALIZERS, SerializerRegistry } from './entities/serializer-registry.ts'
export type { Entity } from './entities/declared-entities.ts'
export type { MessageProperties } from './entities/message-properties.ts'
export { ChannelPool } from './entities/channel-pool.ts'
export { ConnectionPool } from './entities/connection-pool.ts'
export {
  Pool,
  type AcquireOptions,
  type PoolCloseOptions,
  type PoolLimit,
  type PoolOptions,
  type PoolStats,
} from './entities/pool.ts'
export { Lease } from './entities/pool-lease.ts'
export { ProducerPool } from './entities/producer-pool.ts'
export { Producer, type ProducerEvents, type ProducerStats } from './entities/producer.ts'
export type { ProducerOptions, ProducerPublishOptions } from './entities/producer-options.ts'
export type { ContentChoice } from './entities/content-writer.ts'
export { SimpleBuffer } from './entities/simple-buffer.ts'
export { SimpleQueue, type SimpleQueueEvents, type SimpleQueueOptions } from './entities/simple-queue.ts'
export type { BasicProperties } from './wire/basic-properties.ts'
export { MAX_TABLE_DEPTH, type FieldTable, type FieldValue } from './wire/field-table.ts'
export { TypedField, type TypedFieldKind } from './wire/typed-field.ts'

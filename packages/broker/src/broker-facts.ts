import type { FieldTable } from '@hermod/amqp'
import { fromByteString } from './byte-string.ts'
import type { QueueStats } from './model/queue.ts'
import type { BindingView, ConsumerView, ExchangeDeclaration } from './model/virtual-host.ts'
import { plainFields } from './plain-fields.ts'

/** A queue at this moment. */
export interface QueueFacts extends Omit<QueueStats, 'arguments'> {
  readonly arguments: FieldTable
}

/** An exchange; the nameless default one is among them. */
export interface ExchangeFacts {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: FieldTable
}

/** A binding; those of the default exchange are left out. */
export interface BindingFacts {
  readonly source: string
  readonly destination: string
  readonly destinationKind: 'queue' | 'exchange'
  readonly routingKey: string
  readonly arguments: FieldTable
}

/** A consumer. */
export interface ConsumerFacts {
  readonly queue: string
  readonly tag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  /** 0 for no limit. */
  readonly prefetch: number
  readonly arguments: FieldTable
  /** Its connection, and the number of its channel. */
  readonly channel: string
}

/** What a broker counts. */
export interface BrokerStats {
  readonly connections: number
  /** Since the start: those that a limit of connections turned away. */
  readonly refusedConnections: number
  readonly channels: number
  readonly consumers: number
  readonly queues: number
  /** In all queues, settled ones not among them. */
  readonly ready: number
  readonly unsettled: number
  /** What clients' messages take, each counted once; publishers are held up above {@link memoryLimitBytes}. */
  readonly memoryBytes: number
  readonly memoryLimitBytes: number
  /** What exchanges, queues, bindings and consumers take: an estimate. */
  readonly declaredBytes: number
  /** The alarms that are on. */
  readonly alarms: readonly ('memory' | 'disk')[]
}

export const queueFacts = (stats: QueueStats): QueueFacts => ({
  ...stats,
  name: fromByteString(stats.name),
  arguments: plainFields(stats.arguments),
})

export const exchangeFacts = ({
  name,
  type,
  durable,
  autoDelete,
  internal,
  arguments: args,
}: ExchangeDeclaration): ExchangeFacts => ({
  name: fromByteString(name),
  type: fromByteString(type),
  durable,
  autoDelete,
  internal,
  arguments: plainFields(args),
})

export const bindingFacts = (binding: BindingView): BindingFacts => ({
  source: fromByteString(binding.source),
  destination: fromByteString(binding.destination),
  destinationKind: binding.destinationType,
  routingKey: fromByteString(binding.key),
  arguments: plainFields(binding.arguments),
})

export const consumerFacts = ({ queue, consumer }: ConsumerView): ConsumerFacts => ({
  queue: fromByteString(queue),
  tag: fromByteString(consumer.tag),
  noAck: consumer.noAck,
  exclusive: consumer.exclusive,
  prefetch: consumer.prefetch,
  arguments: plainFields(consumer.arguments),
  channel: consumer.label,
})

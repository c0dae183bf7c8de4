import type { DeadlineOptions } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { FieldTable } from '../wire/field-table.ts'
import { Binding } from './binding.ts'
import type { Exchange } from './exchange.ts'

/** RabbitMQ's queue arguments as typed fields. */
export interface QueueArguments {
  /** The queue vanishes after this long without consumers, declarations and gets, milliseconds (`x-expires`). */
  readonly expiresMs?: number | undefined
  /** Messages vanish (or are dead-lettered) after this long, milliseconds (`x-message-ttl`). */
  readonly messageTtlMs?: number | undefined
  /** So many waiting messages at the most (`x-max-length`). */
  readonly maxLength?: number | undefined
  /** So many bytes of waiting bodies at the most (`x-max-length-bytes`). */
  readonly maxLengthBytes?: number | undefined
  /** What happens at the limit (`x-overflow`); RabbitMQ's default is `drop-head`. */
  readonly overflow?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx' | undefined
  /** Where refused and expired messages go (`x-dead-letter-exchange`). */
  readonly deadLetterExchange?: string | undefined
  /** Under which routing key (`x-dead-letter-routing-key`). */
  readonly deadLetterRoutingKey?: string | undefined
  /** Priorities from 0 to this (`x-max-priority`). */
  readonly maxPriority?: number | undefined
  /** `classic`, `quorum` or `stream` (`x-queue-type`). */
  readonly queueType?: 'classic' | 'quorum' | 'stream' | undefined
  /** A message that came back so often is dropped or dead-lettered (`x-delivery-limit`, quorum queues). */
  readonly deliveryLimit?: number | undefined
  /** One consumer at a time gets everything (`x-single-active-consumer`). */
  readonly singleActiveConsumer?: boolean | undefined
}

const WIRE_NAMES: { readonly [Name in keyof Required<QueueArguments>]: string } = {
  expiresMs: 'x-expires',
  messageTtlMs: 'x-message-ttl',
  maxLength: 'x-max-length',
  maxLengthBytes: 'x-max-length-bytes',
  overflow: 'x-overflow',
  deadLetterExchange: 'x-dead-letter-exchange',
  deadLetterRoutingKey: 'x-dead-letter-routing-key',
  maxPriority: 'x-max-priority',
  queueType: 'x-queue-type',
  deliveryLimit: 'x-delivery-limit',
  singleActiveConsumer: 'x-single-active-consumer',
}

/** What a queue is like, and what it is bound to. */
export interface QueueDefinition extends QueueArguments {
  /** The exchange that it takes messages from; more of them in `bindings`. */
  readonly exchange?: Exchange | undefined
  /** For this routing key of `exchange`. Default empty. */
  readonly routingKey?: string | undefined
  readonly bindings?: readonly Binding[] | undefined
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It belongs to one connection and vanishes with it. Default false. */
  readonly exclusive?: boolean | undefined
  /** It vanishes with its last consumer. Default false. */
  readonly autoDelete?: boolean | undefined
  /** More arguments, under their names on the wire. */
  readonly arguments?: FieldTable | undefined
}

/**
 * A queue, described: immutable, bound to no connection, usable with any. An empty name lets the broker choose one.
 *
 * @example
 * const nova = new Exchange('nova', 'topic', { durable: false })
 * const queue = new Queue('notification.nova', { exchange: nova, routingKey: '#', durable: false, expiresMs: 600_000 })
 */
export class Queue {
  readonly name: string
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
  readonly arguments: FieldTable
  readonly bindings: readonly Binding[]

  constructor(name: string, definition: QueueDefinition = {}) {
    this.name = name
    this.durable = definition.durable ?? true
    this.exclusive = definition.exclusive ?? false
    this.autoDelete = definition.autoDelete ?? false
    this.arguments = Object.freeze({ ...definition.arguments, ...queueArguments(definition) })
    const { exchange, routingKey, bindings = [] } = definition
    this.bindings = Object.freeze(
      exchange === undefined ? [...bindings] : [new Binding(exchange, routingKey), ...bindings],
    )
    Object.freeze(this)
  }

  /**
   * Declares the exchanges that it is bound to, the queue, and the bindings, in this order.
   * @returns the queue's name, which the broker chose where this one's is empty.
   * @throws {ChannelError} E_CHANNEL 406 when something exists with other properties.
   */
  async declare(channel: Channel, deadline: DeadlineOptions = {}): Promise<string> {
    for (const exchange of new Set(this.bindings.map((binding) => binding.exchange)))
      await exchange.declare(channel, deadline)
    const { durable, exclusive, autoDelete, arguments: args } = this
    const { queue } = await channel.declareQueue(this.name, {
      durable,
      exclusive,
      autoDelete,
      arguments: args,
      ...deadline,
    })
    for (const binding of this.bindings) {
      // Every queue is bound to the default exchange by its name, and the broker refuses to be told so.
      if (binding.exchange.name === '') continue
      await channel.bindQueue(queue, binding.exchange.name, binding.routingKey, {
        arguments: binding.arguments,
        ...deadline,
      })
    }
    return queue
  }
}

function queueArguments(definition: QueueDefinition): FieldTable {
  const table: Record<string, string | number | boolean> = {}
  for (const [name, wireName] of Object.entries(WIRE_NAMES)) {
    const value = definition[name as keyof QueueArguments]
    if (value !== undefined) table[wireName] = value
  }
  return table
}

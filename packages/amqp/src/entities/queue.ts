import { ConfigurationError, type DeadlineOptions, type JsonObject } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { QueueStatus } from '../client/channel-host.ts'
import type { Connection } from '../client/connection.ts'
import type { BindOptions } from '../client/declaration-options.ts'
import type { FieldTable } from '../wire/field-table.ts'
import { Binding } from './binding.ts'
import type { ReceivedMessage } from './consumer-options.ts'
import { ContentReader, type ContentOptions } from './content-reader.ts'
import { DefinitionCheck, isPlainObject } from './definition-check.ts'
import { Exchange } from './exchange.ts'
import { tableFromJson, tableToJson } from './field-json.ts'
import { settleIfOpen } from './held-message.ts'
import { QUEUE_ARGUMENT_FIELDS, queueArgumentTable, type QueueArguments } from './queue-arguments.ts'

/** What a queue is like, what it is bound to, and how it is consumed. */
export interface QueueDefinition extends QueueArguments {
  /** The exchange that it takes messages from; more of them in `bindings`. */
  readonly exchange?: Exchange | undefined
  /** For this routing key of `exchange`. Default empty. */
  readonly routingKey?: string | undefined
  /** Arguments of the binding to `exchange`, for example those of a headers exchange. */
  readonly bindingArguments?: FieldTable | undefined
  /** More bindings, beside the one to `exchange`. */
  readonly bindings?: readonly Binding[] | undefined
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It belongs to one connection and vanishes with it. Default false. */
  readonly exclusive?: boolean | undefined
  /** It vanishes with its last consumer. Default: as `exclusive`. */
  readonly autoDelete?: boolean | undefined
  /** It is never declared, nor its exchanges and bindings. Default false. */
  readonly noDeclare?: boolean | undefined
  /** A Consumer of it takes messages without acks, unless told otherwise. Default false. */
  readonly noAck?: boolean | undefined
  /** Arguments of a Consumer of it, for example `x-priority` or a stream's `x-stream-offset`. */
  readonly consumerArguments?: FieldTable | undefined
  /** More arguments, under their names on the wire. */
  readonly arguments?: FieldTable | undefined
}

const FLAGS = ['durable', 'exclusive', 'autoDelete', 'noDeclare', 'noAck'] as const
const TABLES = ['arguments', 'bindingArguments', 'consumerArguments'] as const
const FIELDS: readonly string[] = [
  ...FLAGS,
  ...TABLES,
  ...QUEUE_ARGUMENT_FIELDS,
  'exchange',
  'routingKey',
  'bindings',
]

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
  readonly noDeclare: boolean
  readonly noAck: boolean
  readonly arguments: FieldTable
  readonly consumerArguments: FieldTable
  readonly bindings: readonly Binding[]

  /** @throws {ConfigurationError} E_CONFIG for a definition that cannot be meant. */
  constructor(name: string, definition: QueueDefinition = {}) {
    const check = new DefinitionCheck(`queue '${name}'`)
    check.name(name)
    check.known(definition, FIELDS)
    check.flags(definition, FLAGS)
    for (const table of TABLES) check.table(table, definition[table])
    check.text('routingKey', definition.routingKey)
    const args = queueArgumentTable(definition, check)
    const { exchange, routingKey, bindings = [], bindingArguments } = definition
    if (exchange === undefined && (routingKey !== undefined || bindingArguments !== undefined))
      check.problem('routingKey and bindingArguments belong to an exchange, which is missing')
    check.done()
    this.name = name
    this.durable = definition.durable ?? true
    this.exclusive = definition.exclusive ?? false
    this.autoDelete = definition.autoDelete ?? this.exclusive
    this.noDeclare = definition.noDeclare ?? false
    this.noAck = definition.noAck ?? false
    this.arguments = Object.freeze({ ...definition.arguments, ...args })
    this.consumerArguments = Object.freeze({ ...definition.consumerArguments })
    this.bindings = Object.freeze(
      exchange === undefined
        ? [...bindings]
        : [new Binding(exchange, routingKey, bindingArguments), ...bindings],
    )
    Object.freeze(this)
  }

  /**
   * Declares the exchanges that it is bound to, the queue, and the bindings, in this order.
   * @returns the queue's name, which the broker chose where this one's is empty.
   * @throws {ChannelError} E_CHANNEL 406 when something exists with other properties.
   */
  async declare(channel: Channel, deadline: DeadlineOptions = {}): Promise<string> {
    if (this.noDeclare) return this.#named()
    for (const exchange of new Set(this.bindings.map((binding) => binding.exchange)))
      await exchange.declare(channel, deadline)
    const name = await this.#declareAlone(channel, deadline)
    for (const { exchange, routingKey, arguments: args } of this.bindings) {
      // Every queue is bound to the default exchange by its name, and the broker refuses to be told so.
      if (exchange.name === '') continue
      await channel.bindQueue(name, exchange.name, routingKey, { arguments: args, ...deadline })
    }
    return name
  }

  async #declareAlone(channel: Channel, deadline: DeadlineOptions): Promise<string> {
    // These names are the broker's: it refuses to have them declared by anybody else.
    if (this.name.startsWith('amq.')) return this.name
    const { durable, exclusive, autoDelete, arguments: args } = this
    const options = { durable, exclusive, autoDelete, arguments: args, ...deadline }
    return (await channel.declareQueue(this.name, options)).queue
  }

  /**
   * The same queue under another name: for one that the broker named, which is known once it is declared. The name
   * goes on standing for it when it gets another one after a reconnect.
   */
  named(name: string): Queue {
    const { durable, exclusive, autoDelete, noDeclare, noAck, bindings, consumerArguments } = this
    const flags = { durable, exclusive, autoDelete, noDeclare, noAck }
    return new Queue(name, { ...flags, bindings, consumerArguments, arguments: this.arguments })
  }

  /** How full it is and who reads it; undefined when there is none. */
  async status(connection: Connection, deadline: DeadlineOptions = {}): Promise<QueueStatus | undefined> {
    return connection.queueStatus(this.#named(), deadline)
  }

  /**
   * Takes one message with its decoded body, which is to be settled unless `noAck`; undefined where there is none. One
   * that cannot be read is rejected, as by a Consumer.
   *
   * @throws {ContentDisallowedError | DecodeError} E_CONTENT, E_DECODE when it cannot be read.
   */
  async get(
    channel: Channel,
    options: DeadlineOptions & ContentOptions & { readonly noAck?: boolean } = {},
  ): Promise<ReceivedMessage | undefined> {
    const reader = new ContentReader(options)
    const { noAck = this.noAck, signal, timeoutMs } = options
    const message = await channel.get(this.#named(), { noAck, signal, timeoutMs })
    if (message === undefined) return undefined
    try {
      return { body: reader.read(message), message }
    } catch (error) {
      settleIfOpen(message, 'reject')
      throw error
    }
  }

  /** Removes the waiting messages. @returns how many there were. */
  async purge(channel: Channel, deadline: DeadlineOptions = {}): Promise<number> {
    return channel.purgeQueue(this.#named(), deadline)
  }

  /**
   * Deletes it with its messages; a missing one is no error.
   * @returns how many messages went with it.
   * @throws {ChannelError} E_CHANNEL 406 when `ifUnused` and it is consumed, or `ifEmpty` and it holds messages.
   */
  async delete(
    channel: Channel,
    options: DeadlineOptions & { readonly ifUnused?: boolean; readonly ifEmpty?: boolean } = {},
  ): Promise<number> {
    return channel.deleteQueue(this.#named(), options)
  }

  /** Makes it take what an exchange gets for a routing key; bound again after a reconnect. */
  async bindTo(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    options: BindOptions = {},
  ): Promise<void> {
    await channel.bindQueue(this.#named(), nameOf(exchange), routingKey, options)
  }

  /** Undoes {@link bindTo} or a binding of the definition; a missing one is no error. */
  async unbindFrom(
    channel: Channel,
    exchange: Exchange | string,
    routingKey = '',
    options: BindOptions = {},
  ): Promise<void> {
    await channel.unbindQueue(this.#named(), nameOf(exchange), routingKey, options)
  }

  /** To the broker the empty name means "the queue declared last on this channel", whichever that was. */
  #named(): string {
    if (this.name !== '') return this.name
    throw new ConfigurationError([
      'a queue that the broker names has no name yet: declare it, and use named() with what declare() gives',
    ])
  }

  /** A record that JSON can hold and {@link fromJSON} reads. */
  toJSON(): JsonObject {
    const { name, durable, exclusive, autoDelete, noDeclare, noAck } = this
    const bindings = this.bindings.map((binding) => ({
      exchange: binding.exchange.toJSON(),
      routingKey: binding.routingKey,
      arguments: tableToJson(binding.arguments),
    }))
    const tables = {
      arguments: tableToJson(this.arguments),
      consumerArguments: tableToJson(this.consumerArguments),
    }
    return { name, durable, exclusive, autoDelete, noDeclare, noAck, ...tables, bindings }
  }

  /**
   * The queue of a record: `name` and the fields of {@link QueueDefinition}, with exchanges as
   * {@link Exchange.fromJSON} reads them and bindings as `{ exchange, routingKey, arguments }`.
   * @throws {ConfigurationError} E_CONFIG for anything else.
   */
  static fromJSON(record: unknown): Queue {
    if (!isPlainObject(record)) throw new ConfigurationError(['the record of a queue is no object'])
    const { name, exchange, bindings, ...rest } = record
    const definition: Record<string, unknown> = { ...rest }
    for (const table of TABLES) {
      const value = definition[table]
      if (isPlainObject(value)) definition[table] = tableFromJson(value)
    }
    if (exchange !== undefined) definition['exchange'] = Exchange.fromJSON(exchange)
    if (bindings !== undefined) definition['bindings'] = bindingsFromJSON(bindings)
    return new Queue(name as string, definition)
  }
}

function bindingsFromJSON(records: unknown): Binding[] {
  if (!Array.isArray(records)) throw new ConfigurationError(['the bindings of a queue are no list'])
  return (records as readonly unknown[]).map((record) => {
    if (!isPlainObject(record)) throw new ConfigurationError(['the record of a binding is no object'])
    const { exchange, routingKey, arguments: args, ...rest } = record
    const check = new DefinitionCheck('binding')
    check.known(rest, [])
    check.table('arguments', args)
    check.done()
    const table = tableFromJson((args ?? {}) as Record<string, unknown>)
    return new Binding(Exchange.fromJSON(exchange), routingKey as string | undefined, table)
  })
}

function nameOf(exchange: Exchange | string): string {
  return typeof exchange === 'string' ? exchange : exchange.name
}

import { ChannelError, ConfigurationError, type DeadlineOptions, type JsonObject } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { BindOptions } from '../client/declaration-options.ts'
import type { FieldTable } from '../wire/field-table.ts'
import { Binding } from './binding.ts'
import { DefinitionCheck, isPlainObject } from './definition-check.ts'
import { tableFromJson, tableToJson } from './field-json.ts'

/** The exchange types that every broker has; plug-ins bring more, which go to the broker as they are. */
export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers' | (string & {})

/** Whether a message survives a broker's restart in a durable queue. */
export type DeliveryMode = 'persistent' | 'transient'

/** What an exchange is like. */
export interface ExchangeDefinition {
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It vanishes with its last binding. Default false. */
  readonly autoDelete?: boolean | undefined
  /** Only other exchanges may publish to it. Default false. */
  readonly internal?: boolean | undefined
  /** How a Producer publishes to it, unless told otherwise. Default `persistent`. */
  readonly deliveryMode?: DeliveryMode | undefined
  /** It is somebody else's: declaring it only looks whether it is there. Default false. */
  readonly passive?: boolean | undefined
  /** It is never declared, nor looked for. Default false. */
  readonly noDeclare?: boolean | undefined
  /** Where messages go that no binding takes (`alternate-exchange`). */
  readonly alternateExchange?: string | undefined
  /** More arguments, under their names on the wire. */
  readonly arguments?: FieldTable | undefined
}

const FLAGS = ['durable', 'autoDelete', 'internal', 'passive', 'noDeclare'] as const
const FIELDS: readonly string[] = [...FLAGS, 'deliveryMode', 'alternateExchange', 'arguments']
const ALTERNATE = 'alternate-exchange'
const NOT_FOUND = 404

/**
 * An exchange, described: immutable, bound to no connection, usable with any.
 *
 * The default exchange (the empty name) and those that begin with `amq.` exist anyway and are never declared.
 */
export class Exchange {
  readonly name: string
  readonly type: ExchangeType
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly deliveryMode: DeliveryMode
  readonly passive: boolean
  readonly noDeclare: boolean
  readonly arguments: FieldTable

  /** @throws {ConfigurationError} E_CONFIG for a definition that cannot be meant. */
  constructor(name: string, type: ExchangeType = 'direct', definition: ExchangeDefinition = {}) {
    const check = new DefinitionCheck(`exchange '${name}'`)
    const { alternateExchange } = definition
    check.name(name)
    check.text('the type', type)
    check.known(definition, FIELDS)
    check.flags(definition, FLAGS)
    check.choice('deliveryMode', definition.deliveryMode, ['persistent', 'transient'])
    check.text('alternateExchange', alternateExchange)
    check.table('arguments', definition.arguments)
    if (alternateExchange !== undefined) check.clash('alternateExchange', ALTERNATE, definition.arguments)
    check.done()
    this.name = name
    this.type = type
    this.durable = definition.durable ?? true
    this.autoDelete = definition.autoDelete ?? false
    this.internal = definition.internal ?? false
    this.deliveryMode = definition.deliveryMode ?? 'persistent'
    this.passive = definition.passive ?? false
    this.noDeclare = definition.noDeclare ?? false
    this.arguments = Object.freeze({
      ...definition.arguments,
      ...(alternateExchange === undefined ? {} : { [ALTERNATE]: alternateExchange }),
    })
    Object.freeze(this)
  }

  /** A binding to this exchange, for a queue's `bindings`. */
  binding(routingKey = '', args: FieldTable = {}): Binding {
    return new Binding(this, routingKey, args)
  }

  /**
   * Declares it; it is declared again after a reconnect. A passive one is only looked for, on a channel of its own,
   * so that a "no" does no harm to this one.
   *
   * @throws {ChannelError} E_CHANNEL 406 when it exists with other properties; 404 when it is passive and not there.
   * @throws {ConnectionClosedError | ConnectionLostError} when the broker does not know the type: RabbitMQ closes the
   *   connection over it (503).
   */
  async declare(channel: Channel, deadline: DeadlineOptions = {}): Promise<void> {
    if (this.noDeclare || this.name === '' || this.name.startsWith('amq.')) return
    if (this.passive) {
      if (await channel.exchangeExists(this.name, deadline)) return
      throw new ChannelError(NOT_FOUND, `NOT_FOUND - no exchange '${this.name}'`, 'exchange.declare')
    }
    const { durable, autoDelete, internal, arguments: args } = this
    await channel.declareExchange(this.name, this.type, {
      durable,
      autoDelete,
      internal,
      arguments: args,
      ...deadline,
    })
  }

  /**
   * Deletes it; a missing one is no error.
   * @throws {ChannelError} E_CHANNEL 406 when `ifUnused` and it has bindings.
   */
  async delete(
    channel: Channel,
    options: DeadlineOptions & { readonly ifUnused?: boolean } = {},
  ): Promise<void> {
    await channel.deleteExchange(this.name, options)
  }

  /** Makes it take what `source` gets for a routing key; bound again after a reconnect. */
  async bindTo(
    channel: Channel,
    source: Exchange | string,
    routingKey = '',
    options: BindOptions = {},
  ): Promise<void> {
    await channel.bindExchange(this.name, nameOf(source), routingKey, options)
  }

  /** Undoes {@link bindTo}; a missing binding is no error. */
  async unbindFrom(
    channel: Channel,
    source: Exchange | string,
    routingKey = '',
    options: BindOptions = {},
  ): Promise<void> {
    await channel.unbindExchange(this.name, nameOf(source), routingKey, options)
  }

  /** A record that JSON can hold and {@link fromJSON} reads. */
  toJSON(): JsonObject {
    const { name, type, durable, autoDelete, internal, deliveryMode, passive, noDeclare } = this
    const flags = { durable, autoDelete, internal, deliveryMode, passive, noDeclare }
    return { name, type, ...flags, arguments: tableToJson(this.arguments) }
  }

  /**
   * The exchange of a record: `name`, `type` (direct where absent), and the fields of {@link ExchangeDefinition}.
   * @throws {ConfigurationError} E_CONFIG for anything else.
   */
  static fromJSON(record: unknown): Exchange {
    if (!isPlainObject(record)) throw new ConfigurationError(['the record of an exchange is no object'])
    const { name, type, arguments: args, ...definition } = record
    const table = isPlainObject(args) ? tableFromJson(args) : args
    const whole = { ...definition, ...(table === undefined ? {} : { arguments: table }) }
    return new Exchange(name as string, type as ExchangeType | undefined, whole as ExchangeDefinition)
  }
}

function nameOf(exchange: Exchange | string): string {
  return typeof exchange === 'string' ? exchange : exchange.name
}

import type { DeadlineOptions } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { FieldTable } from '../wire/field-table.ts'

/** The exchange types that every broker has; plug-ins bring more. */
export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers' | (string & {})

/** What an exchange is like. */
export interface ExchangeDefinition {
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It vanishes with its last binding. Default false. */
  readonly autoDelete?: boolean | undefined
  /** Only other exchanges may publish to it. Default false. */
  readonly internal?: boolean | undefined
  /** Where messages go that no binding takes (`alternate-exchange`). */
  readonly alternateExchange?: string | undefined
  /** More arguments, under their names on the wire. */
  readonly arguments?: FieldTable | undefined
}

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
  readonly arguments: FieldTable

  constructor(name: string, type: ExchangeType = 'direct', definition: ExchangeDefinition = {}) {
    this.name = name
    this.type = type
    this.durable = definition.durable ?? true
    this.autoDelete = definition.autoDelete ?? false
    this.internal = definition.internal ?? false
    this.arguments = Object.freeze({
      ...definition.arguments,
      ...(definition.alternateExchange === undefined
        ? {}
        : { 'alternate-exchange': definition.alternateExchange }),
    })
    Object.freeze(this)
  }

  /** @throws {ChannelError} E_CHANNEL 406 when it exists with other properties. */
  async declare(channel: Channel, deadline: DeadlineOptions = {}): Promise<void> {
    if (this.name === '' || this.name.startsWith('amq.')) return
    const { durable, autoDelete, internal, arguments: args } = this
    await channel.declareExchange(this.name, this.type, {
      durable,
      autoDelete,
      internal,
      arguments: args,
      ...deadline,
    })
  }
}

import type { FieldTable } from '../wire/field-table.ts'
import { DefinitionCheck } from './definition-check.ts'
import type { Exchange } from './exchange.ts'

/** That a queue takes messages from an exchange: those for a routing key, or that match the arguments. */
export class Binding {
  readonly exchange: Exchange
  readonly routingKey: string
  readonly arguments: FieldTable

  /** @throws {ConfigurationError} E_CONFIG for a routing key of more than 255 bytes. */
  constructor(exchange: Exchange, routingKey = '', args: FieldTable = {}) {
    const check = new DefinitionCheck(`binding to exchange '${exchange.name}'`)
    check.text('the routing key', routingKey)
    check.table('arguments', args)
    check.done()
    this.exchange = exchange
    this.routingKey = routingKey
    this.arguments = Object.freeze({ ...args })
    Object.freeze(this)
  }
}

import type { FieldTable } from '../wire/field-table.ts'
import type { Exchange } from './exchange.ts'

/** That a queue takes messages from an exchange: those for a routing key, or that match the arguments. */
export class Binding {
  readonly exchange: Exchange
  readonly routingKey: string
  readonly arguments: FieldTable

  constructor(exchange: Exchange, routingKey = '', args: FieldTable = {}) {
    this.exchange = exchange
    this.routingKey = routingKey
    this.arguments = Object.freeze({ ...args })
    Object.freeze(this)
  }
}

import type { DeadlineOptions } from '@hermod/kernel'
import type { FieldTable } from '../wire/field-table.ts'

/** How an exchange is declared. */
export interface ExchangeOptions extends DeadlineOptions {
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It vanishes with its last binding. Default false. */
  readonly autoDelete?: boolean | undefined
  /** Only other exchanges may publish to it. Default false. */
  readonly internal?: boolean | undefined
  readonly arguments?: FieldTable | undefined
}

/** How a queue is declared. */
export interface QueueOptions extends DeadlineOptions {
  /** It survives a broker's restart. Default true. */
  readonly durable?: boolean | undefined
  /** It belongs to this connection and vanishes with it. Default false. */
  readonly exclusive?: boolean | undefined
  /** It vanishes with its last consumer. Default false. */
  readonly autoDelete?: boolean | undefined
  readonly arguments?: FieldTable | undefined
}

/** How a binding is made or undone. */
export interface BindOptions extends DeadlineOptions {
  readonly arguments?: FieldTable | undefined
}

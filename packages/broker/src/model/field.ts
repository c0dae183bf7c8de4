/**
 * The types of AMQP tables by the names that RabbitMQ's texts give them.
 * @source rabbit_binary_parser:parse_table
 */
export type FieldType =
  | 'longstr'
  | 'signedint'
  | 'decimal'
  | 'timestamp'
  | 'table'
  | 'array'
  | 'byte'
  | 'unsignedbyte'
  | 'double'
  | 'float'
  | 'long'
  | 'short'
  | 'unsignedshort'
  | 'unsignedint'
  | 'bool'
  | 'binary'
  | 'void'

/** A decimal: `digits` · 10^-`scale`. */
export interface Decimal {
  readonly scale: number
  readonly digits: number
}

/** What a field holds: byte strings for `longstr` and `binary`, `null` for `void`, seconds for `timestamp`. */
export type FieldData = string | number | bigint | boolean | null | Decimal | readonly Field[] | Fields

/** One value with the type that it has on the wire. A broker compares and repeats types; a client need not. */
export interface Field {
  readonly type: FieldType
  readonly value: FieldData
}

/** A table as a broker needs it: names are byte strings, types are kept, no name is special. */
export type Fields = ReadonlyMap<string, Field>

export const NO_FIELDS: Fields = new Map()

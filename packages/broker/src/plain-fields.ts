import { TypedField, type FieldTable, type FieldValue } from '@hermod/amqp'
import { fromByteString } from './byte-string.ts'
import type { Decimal, Field, Fields } from './model/field.ts'

/** A table as a program reads it: texts are texts, and numbers numbers whatever their width. */
export function plainFields(fields: Fields): FieldTable {
  return Object.fromEntries([...fields].map(([name, field]) => [fromByteString(name), plainField(field)]))
}

function plainField({ type, value }: Field): FieldValue {
  switch (type) {
    case 'longstr':
      return fromByteString(value as string)
    case 'binary':
      return Buffer.from(value as string, 'latin1')
    case 'decimal': {
      const { scale, digits } = value as Decimal
      return TypedField.decimal(scale, digits | 0)
    }
    case 'timestamp':
      return new Date(Number(value) * 1000)
    case 'table':
      return plainFields(value as Fields)
    case 'array':
      return (value as readonly Field[]).map(plainField)
    default:
      return value as number | bigint | boolean | null
  }
}

import type { FieldTable, FieldValue } from '@hermod/amqp'
import { TypedField } from '@hermod/amqp'
import type { ByteReader, ByteWriter } from '@hermod/amqp/wire'
import { ProtocolError } from '@hermod/kernel'
import { AmqpError, preconditionFailed } from '../amqp-error.ts'
import { toByteString } from '../byte-string.ts'
import type { Field, FieldData, FieldType, Fields } from './field.ts'

/** How deep a table may be nested and how many values it may hold, all levels together. */
export interface TableLimits {
  readonly maxDepth: number
  readonly maxFields: number
}

/** @source rabbit_binary_parser:parse_table; `L` is read like `l` */
const TYPES: Readonly<Record<number, FieldType>> = {
  0x53: 'longstr',
  0x49: 'signedint',
  0x44: 'decimal',
  0x54: 'timestamp',
  0x46: 'table',
  0x41: 'array',
  0x62: 'byte',
  0x42: 'unsignedbyte',
  0x64: 'double',
  0x66: 'float',
  0x6c: 'long',
  0x4c: 'long',
  0x73: 'short',
  0x75: 'unsignedshort',
  0x69: 'unsignedint',
  0x74: 'bool',
  0x78: 'binary',
  0x56: 'void',
}

const LETTERS = Object.fromEntries(
  Object.entries(TYPES)
    .filter(([letter]) => Number(letter) !== 0x4c)
    .map(([letter, type]) => [type, Number(letter)]),
) as Readonly<Record<FieldType, number>>

/** What RabbitMQ answers to a table that is none: its parser has no case for it. */
const unreadable = (): AmqpError => new AmqpError(502, 'malformed field table')

/** RabbitMQ has no such limits; what they refuse is told from what is no table. */
export const overLimits = ({ maxDepth, maxFields }: TableLimits): AmqpError =>
  preconditionFailed(
    `a field table is nested deeper than ${maxDepth} levels or holds more than ${maxFields} values`,
  )

/** How many fields may still come. */
interface Budget {
  fields: number
  readonly limits: TableLimits
}

/**
 * @throws {AmqpError | ProtocolError} 502 for what is no table, 406 for what is over a limit, E_PROTOCOL for what is cut
 * short.
 */
export function readFields(reader: ByteReader, limits: TableLimits): Fields {
  return readTable(reader, limits.maxDepth, { fields: limits.maxFields, limits })
}

function nested(reader: ByteReader, depth: number, { limits }: Budget): number {
  const length = reader.uint32()
  if (length > reader.left) throw new ProtocolError('a table is longer than its frame')
  if (depth < 0) throw overLimits(limits)
  return reader.offset + length
}

function readTable(reader: ByteReader, depth: number, budget: Budget): Fields {
  const end = nested(reader, depth, budget)
  const outer = reader.end
  reader.end = end
  const fields = new Map<string, Field>()
  while (reader.offset < end) {
    const name = byteString(reader, reader.uint8())
    const field = readField(reader, depth, budget)
    // Of several fields of one name RabbitMQ looks at the first.
    if (!fields.has(name)) fields.set(name, field)
  }
  reader.end = outer
  return fields
}

function byteString(reader: ByteReader, length: number): string {
  const at = reader.offset
  reader.skip(length)
  return reader.buffer.toString('latin1', at, at + length)
}

function readField(reader: ByteReader, depth: number, budget: Budget): Field {
  if (--budget.fields < 0) throw overLimits(budget.limits)
  const type = TYPES[reader.uint8()]
  if (type === undefined) throw unreadable()
  return { type, value: readData(reader, type, depth, budget) }
}

function readData(reader: ByteReader, type: FieldType, depth: number, budget: Budget): FieldData {
  switch (type) {
    case 'longstr':
    case 'binary':
      return byteString(reader, reader.uint32())
    case 'signedint':
      return reader.int32()
    case 'decimal':
      // RabbitMQ reads the digits unsigned, and so it compares and repeats them.
      return { scale: reader.uint8(), digits: reader.uint32() }
    case 'timestamp':
      return reader.uint64()
    case 'table':
      return readTable(reader, depth - 1, budget)
    case 'array':
      return readArray(reader, depth - 1, budget)
    case 'byte':
      return reader.int8()
    case 'unsignedbyte':
      return reader.uint8()
    case 'double':
      return reader.float64()
    case 'float':
      return reader.float32()
    case 'long':
      return reader.int64()
    case 'short':
      return reader.int16()
    case 'unsignedshort':
      return reader.uint16()
    case 'unsignedint':
      return reader.uint32()
    case 'bool':
      return reader.uint8() !== 0
    case 'void':
      return null
  }
}

function readArray(reader: ByteReader, depth: number, budget: Budget): readonly Field[] {
  const end = nested(reader, depth, budget)
  const outer = reader.end
  reader.end = end
  const items: Field[] = []
  while (reader.offset < end) items.push(readField(reader, depth, budget))
  reader.end = outer
  return items
}

/** Appends a table as it would come from a client: every value with its own type. */
export function writeFields(writer: ByteWriter, fields: Fields): void {
  const mark = writer.beginLength()
  for (const [name, field] of fields) {
    writer.uint8(name.length)
    writeByteString(writer, name)
    writeField(writer, field)
  }
  writer.endLength(mark)
}

function writeByteString(writer: ByteWriter, text: string): void {
  writer.ensure(text.length)
  writer.buffer.write(text, writer.offset, 'latin1')
  writer.offset += text.length
}

function writeField(writer: ByteWriter, { type, value }: Field): void {
  writer.uint8(LETTERS[type])
  switch (type) {
    case 'longstr':
    case 'binary':
      writer.uint32((value as string).length)
      return writeByteString(writer, value as string)
    case 'decimal': {
      const { scale, digits } = value as { scale: number; digits: number }
      writer.uint8(scale)
      return writer.uint32(digits)
    }
    case 'timestamp':
    case 'long':
      return writer.uint64(value as number | bigint)
    case 'table':
      return writeFields(writer, value as Fields)
    case 'array': {
      const mark = writer.beginLength()
      for (const item of value as readonly Field[]) writeField(writer, item)
      return writer.endLength(mark)
    }
    case 'byte':
      return writer.uint8((value as number) & 0xff)
    case 'unsignedbyte':
      return writer.uint8(value as number)
    case 'short':
      return writer.uint16((value as number) & 0xffff)
    case 'unsignedshort':
      return writer.uint16(value as number)
    case 'signedint':
      return writer.uint32((value as number) >>> 0)
    case 'unsignedint':
      return writer.uint32(value as number)
    case 'double':
      return writer.float64(value as number)
    case 'float':
      return writer.float32(value as number)
    case 'bool':
      return writer.uint8(value === true ? 1 : 0)
    case 'void':
  }
}

/** The fields of a table that a program wrote, or that was decoded for one: types as the codec would choose them. */
export function fieldsFrom(table: FieldTable): Fields {
  const fields = new Map<string, Field>()
  for (const [name, value] of Object.entries(table)) {
    if (value !== undefined) fields.set(toByteString(name), fieldFrom(value))
  }
  return fields
}

const KINDS = {
  int8: 'byte',
  uint8: 'unsignedbyte',
  int16: 'short',
  uint16: 'unsignedshort',
  int32: 'signedint',
  uint32: 'unsignedint',
  int64: 'long',
  timestamp: 'timestamp',
  float: 'float',
  double: 'double',
} as const

function fieldFrom(value: FieldValue): Field {
  if (value === null) return { type: 'void', value }
  if (typeof value === 'string') return { type: 'longstr', value: toByteString(value) }
  if (typeof value === 'boolean') return { type: 'bool', value }
  if (typeof value === 'bigint') return { type: 'long', value }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return { type: 'double', value }
    return { type: value === (value | 0) ? 'signedint' : 'long', value }
  }
  if (value instanceof Uint8Array) return { type: 'binary', value: Buffer.from(value).toString('latin1') }
  if (value instanceof Date) return { type: 'timestamp', value: Math.floor(value.getTime() / 1000) }
  if (value instanceof TypedField) {
    if (value.kind === 'decimal') {
      return { type: 'decimal', value: { scale: value.scale, digits: Number(value.value) >>> 0 } }
    }
    return { type: KINDS[value.kind], value: value.value }
  }
  if (Array.isArray(value)) {
    return { type: 'array', value: (value as readonly FieldValue[]).map((item) => fieldFrom(item)) }
  }
  return { type: 'table', value: fieldsFrom(value as FieldTable) }
}

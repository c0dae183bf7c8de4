/*
 * table := length:u32 *(name:short-string value)       value := type:octet data      (AMQP 0-9-1 §4.2.5.5)
 *
 * The type letters are RabbitMQ's and not the specification's, which contradict each other; see RabbitMQ's
 * "0-9-1 errata". `L` is only read: py-amqp writes it for integers beyond 32 bits, and RabbitMQ takes it, like
 * `l`, for 64 bits in two's complement.
 */
import { FieldEncodeError, ProtocolError } from '@hermod/kernel'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { TypedField, type TypedFieldKind } from './typed-field.ts'

/**
 * A value in an AMQP table.
 *
 * Written: boolean as `t`; integers as `I` where they fit into 32 bits, else as `l`; other numbers as `d`, but not
 * NaN and the infinities, over which RabbitMQ closes the connection; bigint as `l`; string as `S`; bytes as `x`; Date as `T` (whole seconds); null as `V`; arrays as `A`; objects as `F`;
 * {@link TypedField} for everything else. Read: the reverse; integers are `number` while safe and `bigint` beyond,
 * a string that is no UTF-8 arrives as its bytes. A lone surrogate has no UTF-8 and is written as U+FFFD.
 */
export type FieldValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | null
  | TypedField
  | readonly FieldValue[]
  | FieldTable

/** A table of named values; members that are `undefined` are left out. */
export interface FieldTable {
  readonly [name: string]: FieldValue | undefined
}

/** Tables and arrays may be nested this deep; more is a fault, or an attack on the stack. */
export const MAX_TABLE_DEPTH = 64

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const LONGEST_DATE_S = 8_640_000_000_000

/** @throws {FieldEncodeError} E_FIELD for a value that AMQP cannot carry. */
export function writeTable(writer: ByteWriter, table: FieldTable, depth = 0): void {
  if (depth > MAX_TABLE_DEPTH)
    throw new FieldEncodeError(`a table is nested deeper than ${MAX_TABLE_DEPTH} levels`)
  const mark = writer.beginLength()
  for (const name of Object.keys(table)) {
    const value = table[name]
    if (value === undefined) continue
    writer.shortString(name)
    writeValue(writer, value, name, depth)
  }
  writer.endLength(mark)
}

function writeValue(writer: ByteWriter, value: FieldValue, name: string, depth: number): void {
  switch (typeof value) {
    case 'string':
      writer.uint8(0x53) // S
      return writer.longString(value)
    case 'boolean':
      writer.uint8(0x74) // t
      return writer.uint8(value ? 1 : 0)
    case 'number':
      return writeNumber(writer, value, name)
    case 'bigint':
      if (value < INT64_MIN || value > INT64_MAX) {
        throw new FieldEncodeError(`field '${name}': ${value} does not fit into 64 bits`)
      }
      writer.uint8(0x6c) // l
      return writer.uint64(value)
    case 'object':
      return writeObject(writer, value, name, depth)
    default:
      throw new FieldEncodeError(`field '${name}': a ${typeof value} cannot be written as an AMQP value`)
  }
}

function writeNumber(writer: ByteWriter, value: number, name: string): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (value === (value | 0)) {
      writer.uint8(0x49) // I
      writer.uint32(value >>> 0)
    } else {
      writer.uint8(0x6c) // l
      writer.uint64(value)
    }
  } else {
    if (!Number.isFinite(value))
      throw new FieldEncodeError(`field '${name}': RabbitMQ cannot read ${value}; give a text`)
    writer.uint8(0x64) // d
    writer.float64(value)
  }
}

function writeObject(writer: ByteWriter, value: object | null, name: string, depth: number): void {
  if (value === null) {
    writer.uint8(0x56) // V
  } else if (value instanceof Date) {
    const seconds = Math.floor(value.getTime() / 1000)
    if (!(seconds >= 0))
      throw new FieldEncodeError(`field '${name}': a timestamp before 1970 cannot be written`)
    writer.uint8(0x54) // T
    writer.uint64(seconds)
  } else if (value instanceof Uint8Array) {
    writer.uint8(0x78) // x
    writer.longString(value)
  } else if (value instanceof TypedField) {
    value.write(writer)
  } else if (Array.isArray(value)) {
    if (depth >= MAX_TABLE_DEPTH)
      throw new FieldEncodeError(`field '${name}' is nested deeper than ${MAX_TABLE_DEPTH} levels`)
    writer.uint8(0x41) // A
    const mark = writer.beginLength()
    for (const item of value as readonly FieldValue[]) writeValue(writer, item ?? null, name, depth + 1)
    writer.endLength(mark)
  } else {
    writer.uint8(0x46) // F
    writeTable(writer, value as FieldTable, depth + 1)
  }
}

/** @throws {ProtocolError} E_PROTOCOL for anything that is no table. */
export function readTable(reader: ByteReader, depth = 0): FieldTable {
  const end = beginNested(reader, depth)
  const outer = reader.end
  reader.end = end
  const table: Record<string, FieldValue> = {}
  while (reader.offset < end) {
    const name = reader.shortString()
    const value = readValue(reader, depth)
    // A peer's `__proto__` is a name like any other; assigning it would change the prototype instead.
    if (name === '__proto__')
      Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true })
    else table[name] = value
  }
  reader.end = outer
  return table
}

function readArray(reader: ByteReader, depth: number): FieldValue[] {
  const end = beginNested(reader, depth)
  const outer = reader.end
  reader.end = end
  const items: FieldValue[] = []
  while (reader.offset < end) items.push(readValue(reader, depth))
  reader.end = outer
  return items
}

/** Reads a length, checks it and the depth, and returns where the nested range ends. */
function beginNested(reader: ByteReader, depth: number): number {
  if (depth > MAX_TABLE_DEPTH)
    throw new ProtocolError(`a table is nested deeper than ${MAX_TABLE_DEPTH} levels`)
  const length = reader.uint32()
  if (length > reader.left) {
    throw new ProtocolError(
      `a table of ${length} bytes does not fit into the ${reader.left} that are left of the frame`,
    )
  }
  return reader.offset + length
}

const typed = (kind: TypedFieldKind, value: number | bigint): TypedField => new TypedField(kind, value)

function readValue(reader: ByteReader, depth: number): FieldValue {
  const type = reader.uint8()
  switch (type) {
    case 0x53: // S
      return reader.longStringOrBytes()
    case 0x49: // I
      return reader.int32()
    case 0x6c: // l
    case 0x4c: // L
      return reader.int64()
    case 0x74: // t
      return reader.uint8() !== 0
    case 0x46: // F
      return readTable(reader, depth + 1)
    case 0x41: // A
      return readArray(reader, depth + 1)
    case 0x54: // T
      return readTimestamp(reader)
    case 0x78: // x
      return reader.longBytes()
    case 0x56: // V
      return null
    case 0x62: // b
      return reader.int8()
    case 0x42: // B
      return reader.uint8()
    case 0x73: // s
      return reader.int16()
    case 0x75: // u
      return reader.uint16()
    case 0x69: // i
      return reader.uint32()
    case 0x64: // d
      return reader.float64()
    case 0x66: // f
      return reader.float32()
    case 0x44: // D
      return TypedField.decimal(reader.uint8(), reader.int32())
    default:
      throw new ProtocolError(`unknown field type 0x${type.toString(16).padStart(2, '0')} in a table`)
  }
}

/** A moment that JavaScript's Date cannot hold stays the number of seconds that it is. */
function readTimestamp(reader: ByteReader): Date | TypedField {
  const seconds = reader.uint64()
  return seconds <= LONGEST_DATE_S ? new Date(Number(seconds) * 1000) : typed('timestamp', seconds)
}

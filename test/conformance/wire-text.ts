import { createHash } from 'node:crypto'
import { ByteReader } from '@hermod/amqp/wire'

/** Bodies up to this length are shown whole. */
const SHOWN_BYTES = 64

const text = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString('latin1'))

/**
 * A field table as text, with the type letter of every value and its names sorted, for their order means nothing.
 *
 * It does not use the codec's own reader, which forgets the types of integers.
 */
function tableText(reader: ByteReader): string {
  const length = reader.uint32()
  const end = reader.offset + length
  const fields: string[] = []
  while (reader.offset < end) fields.push(`${reader.shortString()}=${valueText(reader)}`)
  return `{${fields.toSorted().join(' ')}}`
}

function arrayText(reader: ByteReader): string {
  const length = reader.uint32()
  const end = reader.offset + length
  const items: string[] = []
  while (reader.offset < end) items.push(valueText(reader))
  return `[${items.join(' ')}]`
}

/** @source RabbitMQ's AMQP 0-9-1 errata: the letters of field values */
function valueText(reader: ByteReader): string {
  const letter = String.fromCharCode(reader.uint8())
  switch (letter) {
    case 'S':
    case 'x':
      return letter + text(reader.longBytes())
    case 'F':
      return letter + tableText(reader)
    case 'A':
      return letter + arrayText(reader)
    case 'T':
      // What the broker stamps differs by the second; that it is a timestamp is what counts.
      reader.skip(8)
      return 'T<time>'
    case 'V':
      return letter
    case 't':
      return reader.uint8() === 0 ? 't:false' : 't:true'
    case 'b':
      return `b${reader.int8()}`
    case 'B':
      return `B${reader.uint8()}`
    case 's':
      return `s${reader.int16()}`
    case 'u':
      return `u${reader.uint16()}`
    case 'I':
      return `I${reader.int32()}`
    case 'i':
      return `i${reader.uint32()}`
    case 'l':
    case 'L':
      return `${letter}${reader.int64()}`
    case 'f':
      return `f${reader.float32()}`
    case 'd':
      return `d${reader.float64()}`
    case 'D':
      return `D${reader.uint8()}/${reader.int32()}`
    default:
      return `unknown type ${letter}`
  }
}

const PROPERTIES: readonly (readonly [name: string, read: (reader: ByteReader) => string])[] = [
  ['contentType', (reader) => JSON.stringify(reader.shortString())],
  ['contentEncoding', (reader) => JSON.stringify(reader.shortString())],
  ['headers', tableText],
  ['deliveryMode', (reader) => String(reader.uint8())],
  ['priority', (reader) => String(reader.uint8())],
  ['correlationId', (reader) => JSON.stringify(reader.shortString())],
  ['replyTo', (reader) => JSON.stringify(reader.shortString())],
  ['expiration', (reader) => JSON.stringify(reader.shortString())],
  ['messageId', (reader) => JSON.stringify(reader.shortString())],
  ['timestamp', (reader) => String(reader.uint64())],
  ['type', (reader) => JSON.stringify(reader.shortString())],
  ['userId', (reader) => JSON.stringify(reader.shortString())],
  ['appId', (reader) => JSON.stringify(reader.shortString())],
  ['clusterId', (reader) => JSON.stringify(reader.shortString())],
]

/** The properties of a content header whose reader stands behind the body size. */
export function propertiesText(reader: ByteReader): string {
  const flags = reader.uint16()
  const shown = PROPERTIES.flatMap(([name, read], index) =>
    (flags & (1 << (15 - index))) === 0 ? [] : [`${name}=${read(reader)}`],
  )
  if ((flags & 3) !== 0) shown.push(`reserved flags ${flags & 3}`)
  if (reader.left > 0) shown.push(`${reader.left} bytes left over`)
  return shown.join(' ')
}

/** A body and the sizes of its frames where there are several. */
export function bodyText(frames: readonly Buffer[]): string {
  const body = Buffer.concat(frames)
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 12)
  const shown = body.length <= SHOWN_BYTES ? text(body) : `${body.length} bytes ${digest}`
  return frames.length < 2 ? shown : `${shown} in frames of ${frames.map(({ length }) => length).join(',')}`
}

/** Arguments of a method: named values, tables without their types. */
export function argumentsText(args: object): string {
  return Object.entries(args)
    .map(([name, value]) => `${name}=${argumentText(value)}`)
    .join(' ')
}

function argumentText(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  return (
    JSON.stringify(value, (_name, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ??
    'absent'
  )
}

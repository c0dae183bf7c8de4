import { ByteReader, ByteWriter } from '@hermod/amqp/wire'
import { AmqpError, preconditionFailed } from '../amqp-error.ts'
import { DEEPEST_TABLE } from '../limits.ts'
import { erlangString } from './erlang-text.ts'
import { overLimits, readFields, writeFields, type TableLimits } from './field-table.ts'
import { isTable } from './table-check.ts'
import type { Fields } from './field.ts'
import { NO_FIELDS } from './field.ts'
import type { Message } from './message.ts'

/*
 * payload := class:u16 weight:u16 body-size:u64 flags:u16 *value       (AMQP 0-9-1 §4.2.6)
 *
 * A broker needs four of the fourteen properties, and hands the rest on as it came. So the list is walked once, without
 * making anything of it, and rewritten by copying what does not change.
 */
/** Where the properties begin: with their flags. */
export const FLAGS_OFFSET = 12
const VALUES_OFFSET = 14

const HEADERS = 13
const PRIORITY = 11
const REPLY_TO = 9
const EXPIRATION = 8
const USER_ID = 4
const LAST = 2

/** How each property is written, by its bit: short string unless listed. */
const TABLE_BIT = HEADERS
const OCTET_BITS = new Set([12, PRIORITY])
const TIMESTAMP_BIT = 6

/** @source rabbit_misc:check_expiry: about ten years */
const LONGEST_EXPIRY_MS = 315_360_000_000

const reader = new ByteReader()
const writer = new ByteWriter()

/** RabbitMQ's channel crashes over such a list, and that is what it answers then. */
const unreadable = (): AmqpError => new AmqpError(541, '')

/** Where each property of interest lies, from {@link Message.headerStart}; 0 for none. */
export interface PropertyOffsets {
  replyTo: number
  expiration: number
  userId: number
}

const offsets: PropertyOffsets = { replyTo: 0, expiration: 0, userId: 0 }

/**
 * Walks the list of a message that has just come in: notes priority and table, and returns where the others lie (the
 * same object each time).
 *
 * @throws {AmqpError} for what is no list of properties: handed on, it would cost every consumer its connection.
 */
export function scanProperties(message: Message, limits: TableLimits): PropertyOffsets {
  const { header, headerStart, headerEnd } = message
  offsets.replyTo = 0
  offsets.expiration = 0
  offsets.userId = 0
  if (headerEnd - headerStart < VALUES_OFFSET) throw unreadable()
  const flags = header.readUInt16BE(headerStart + FLAGS_OFFSET)
  if (flags === 0) return offsets
  let at = headerStart + VALUES_OFFSET
  for (let bit = 15; bit >= LAST; bit--) {
    if ((flags & (1 << bit)) === 0) continue
    const offset = at - headerStart
    if (bit === TABLE_BIT) {
      message.tableOffset = offset
      if (!isTable(header, at, headerEnd, limits))
        throw isTable(header, at, headerEnd, EVERYTHING) ? overLimits(limits) : unreadable()
    } else if (bit === PRIORITY) message.priority = header[at] ?? 0
    else if (bit === REPLY_TO) offsets.replyTo = offset
    else if (bit === EXPIRATION) offsets.expiration = offset
    else if (bit === USER_ID) offsets.userId = offset
    at = endOf(header, bit, at)
    if (at > headerEnd) throw unreadable()
  }
  return offsets
}

function endOf(header: Buffer, bit: number, at: number): number {
  if (bit === TABLE_BIT) return at + 4 + (at + 4 <= header.length ? header.readUInt32BE(at) : header.length)
  if (OCTET_BITS.has(bit)) return at + 1
  if (bit === TIMESTAMP_BIT) return at + 8
  return at + 1 + (header[at] ?? header.length)
}

/** A short string at an offset that {@link scanProperties} gave, as byte string. */
export function shortStringAt({ header, headerStart }: Message, offset: number): string {
  const at = headerStart + offset
  return header.toString('latin1', at + 1, at + 1 + (header[at] as number))
}

/** Of a message that was admitted: what the broker adds to its headers must not make it unreadable. */
export const EVERYTHING: TableLimits = { maxDepth: DEEPEST_TABLE, maxFields: Infinity }

/** The headers of a message that was scanned. */
export function headersOf(message: Message): Fields {
  if (message.tableOffset === 0) return NO_FIELDS
  const { header, headerStart, headerEnd, tableOffset } = message
  return readFields(reader.reset(header, headerStart + tableOffset, headerEnd), EVERYTHING)
}

/**
 * What `expiration` says. @throws {AmqpError} 406
 * @source rabbit_basic:parse_expiration, Erlang's string:to_integer
 */
export function parseExpiration(text: string): number {
  const refuse = (reason: string): AmqpError => preconditionFailed(`invalid expiration '${text}': ${reason}`)
  const digits = /^[+-]?\d+/.exec(text)?.[0]
  if (digits === undefined) throw refuse('no_integer')
  if (digits.length < text.length)
    throw refuse(`{leftover_string,${erlangString(text.slice(digits.length))}}`)
  const value = BigInt(digits.replace('+', ''))
  if (value < 0n) throw refuse(`{value_negative,${value}}`)
  if (value > LONGEST_EXPIRY_MS) throw refuse(`{value_too_large,${value}}`)
  return Number(value)
}

/** What to change in the properties of a message: `null` takes a property out, `undefined` leaves it. */
export interface PropertyChanges {
  readonly headers?: Fields | undefined
  readonly expiration?: null
  /** Byte string. */
  readonly replyTo?: string | undefined
}

/** A payload with these changes; everything else is copied. */
export function rewriteProperties(message: Message, changes: PropertyChanges): Buffer {
  const { header, headerStart } = message
  const flags = header.readUInt16BE(headerStart + FLAGS_OFFSET)
  let written = flags
  let at = headerStart + VALUES_OFFSET
  writer.offset = 0
  writer.bytes(header.subarray(headerStart, at))
  for (let bit = 15; bit >= LAST; bit--) {
    const present = (flags & (1 << bit)) !== 0
    const end = present ? endOf(header, bit, at) : at
    if (bit === HEADERS && changes.headers !== undefined) {
      written |= 1 << bit
      writeFields(writer, changes.headers)
    } else if (bit === REPLY_TO && changes.replyTo !== undefined) {
      written |= 1 << bit
      writer.uint8(changes.replyTo.length)
      writer.bytes(Buffer.from(changes.replyTo, 'latin1'))
    } else if (bit === EXPIRATION && changes.expiration === null) {
      written &= ~(1 << bit)
    } else if (present) {
      writer.bytes(header.subarray(at, end))
    }
    at = end
  }
  writer.buffer.writeUInt16BE(written, FLAGS_OFFSET)
  return Buffer.from(writer.written())
}

/** A message of the same body with these changes, and perhaps another address. */
export function withProperties(
  message: Message,
  changes: PropertyChanges,
  exchange: string = message.exchange,
  routingKey: string = message.routingKey,
): Message {
  const changed = message.with(rewriteProperties(message, changes), exchange, routingKey)
  scanProperties(changed, EVERYTHING)
  return changed
}

/*
 * property-list := flags:u16 *value     one bit a property, from bit 15 down to bit 2, in this order
 * (AMQP 0-9-1 §4.2.6.1; content class basic)
 */
import { FieldEncodeError } from '@hermod/kernel'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { readTable, writeTable, type FieldTable } from './field-table.ts'

/** The properties that travel with a message. Absent ones are absent on the wire. */
export interface BasicProperties {
  /** MIME type of the body. */
  readonly contentType?: string | undefined
  /** Character set or encoding of the body. */
  readonly contentEncoding?: string | undefined
  readonly headers?: FieldTable | undefined
  /** 1: gone when the broker stops; 2: kept with a durable queue. */
  readonly deliveryMode?: number | undefined
  /** 0 to 255; RabbitMQ uses 0 to `x-max-priority`. */
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  /** Milliseconds as decimal text: after this long the broker drops the message. */
  readonly expiration?: string | undefined
  readonly messageId?: string | undefined
  /** Whole seconds on the wire; a `bigint` of seconds where Date cannot hold it. */
  readonly timestamp?: Date | bigint | undefined
  readonly type?: string | undefined
  /** RabbitMQ refuses a message whose user id is not the connection's user. */
  readonly userId?: string | undefined
  readonly appId?: string | undefined
  readonly clusterId?: string | undefined
}

type Writable = { -readonly [Name in keyof BasicProperties]: BasicProperties[Name] }

const CONTENT_TYPE = 1 << 15
const CONTENT_ENCODING = 1 << 14
const HEADERS = 1 << 13
const DELIVERY_MODE = 1 << 12
const PRIORITY = 1 << 11
const CORRELATION_ID = 1 << 10
const REPLY_TO = 1 << 9
const EXPIRATION = 1 << 8
const MESSAGE_ID = 1 << 7
const TIMESTAMP = 1 << 6
const TYPE = 1 << 5
const USER_ID = 1 << 4
const APP_ID = 1 << 3
const CLUSTER_ID = 1 << 2

const LONGEST_DATE_S = 8_640_000_000_000

/**
 * @throws {FieldEncodeError} E_FIELD for a text over 255 bytes, a number beyond its octet, a moment before 1970 or a
 * header that AMQP cannot carry.
 */
export function writeProperties(writer: ByteWriter, properties: BasicProperties): void {
  writer.ensure(2)
  const mark = writer.offset
  writer.offset += 2
  let flags = 0
  const { contentType, contentEncoding, headers, deliveryMode, priority, correlationId, replyTo } = properties
  const { expiration, messageId, timestamp, type, userId, appId, clusterId } = properties
  if (contentType !== undefined) {
    flags |= CONTENT_TYPE
    writer.shortString(contentType)
  }
  if (contentEncoding !== undefined) {
    flags |= CONTENT_ENCODING
    writer.shortString(contentEncoding)
  }
  if (headers !== undefined) {
    flags |= HEADERS
    writeTable(writer, headers)
  }
  if (deliveryMode !== undefined) {
    flags |= DELIVERY_MODE
    writer.uint8(deliveryMode)
  }
  if (priority !== undefined) {
    flags |= PRIORITY
    writer.uint8(priority)
  }
  if (correlationId !== undefined) {
    flags |= CORRELATION_ID
    writer.shortString(correlationId)
  }
  if (replyTo !== undefined) {
    flags |= REPLY_TO
    writer.shortString(replyTo)
  }
  if (expiration !== undefined) {
    flags |= EXPIRATION
    writer.shortString(expiration)
  }
  if (messageId !== undefined) {
    flags |= MESSAGE_ID
    writer.shortString(messageId)
  }
  if (timestamp !== undefined) {
    flags |= TIMESTAMP
    const seconds = typeof timestamp === 'bigint' ? timestamp : Math.floor(timestamp.getTime() / 1000)
    // Also true for an invalid Date, whose seconds are NaN.
    if (!(seconds >= 0))
      throw new FieldEncodeError('property timestamp: a moment before 1970 cannot be written')
    writer.uint64(seconds)
  }
  if (type !== undefined) {
    flags |= TYPE
    writer.shortString(type)
  }
  if (userId !== undefined) {
    flags |= USER_ID
    writer.shortString(userId)
  }
  if (appId !== undefined) {
    flags |= APP_ID
    writer.shortString(appId)
  }
  if (clusterId !== undefined) {
    flags |= CLUSTER_ID
    writer.shortString(clusterId)
  }
  writer.buffer[mark] = flags >>> 8
  writer.buffer[mark + 1] = flags
}

/**
 * Reads a property list.
 *
 * The two lowest flags are ignored. RabbitMQ does the same and hands a message on with the flags that it came with,
 * so refusing them would let any publisher end the connections of its consumers.
 *
 * @throws {ProtocolError} E_PROTOCOL for anything that is no property list.
 */
export function readProperties(reader: ByteReader): BasicProperties {
  const flags = reader.uint16()
  const properties: Writable = {}
  if (flags & CONTENT_TYPE) properties.contentType = reader.shortString()
  if (flags & CONTENT_ENCODING) properties.contentEncoding = reader.shortString()
  if (flags & HEADERS) properties.headers = readTable(reader)
  if (flags & DELIVERY_MODE) properties.deliveryMode = reader.uint8()
  if (flags & PRIORITY) properties.priority = reader.uint8()
  if (flags & CORRELATION_ID) properties.correlationId = reader.shortString()
  if (flags & REPLY_TO) properties.replyTo = reader.shortString()
  if (flags & EXPIRATION) properties.expiration = reader.shortString()
  if (flags & MESSAGE_ID) properties.messageId = reader.shortString()
  if (flags & TIMESTAMP) {
    const seconds = reader.uint64()
    properties.timestamp = seconds <= LONGEST_DATE_S ? new Date(Number(seconds) * 1000) : BigInt(seconds)
  }
  if (flags & TYPE) properties.type = reader.shortString()
  if (flags & USER_ID) properties.userId = reader.shortString()
  if (flags & APP_ID) properties.appId = reader.shortString()
  if (flags & CLUSTER_ID) properties.clusterId = reader.shortString()
  return properties
}

import type { BasicProperties, Compression } from '@hermod/amqp'

/** A body with the properties that it travels with. */
export interface EncodedMessage {
  readonly body: Uint8Array
  readonly properties: BasicProperties
}

const PROPERTIES: BasicProperties = Object.freeze({
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: Object.freeze({}),
  // Also for queues that do not survive a restart, as kombu has it.
  deliveryMode: 2,
  priority: 0,
})

/** RabbitMQ closes the channel over a longer one: ten years. */
const LONGEST_EXPIRATION_MS = 315_360_000_000

/** What a message has beside its text. */
export interface MessageExtras {
  /** Text headers; Python's peers do not look at them. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** After this long in a queue the broker drops it, milliseconds; what is longer than it takes is left out. */
  readonly expirationMs?: number | undefined
}

/**
 * The text of a message as its bytes and properties.
 *
 * @param compression undefined: none.
 * @source oslo.messaging _drivers/impl_rabbit.py _publish; kombu messaging.py Producer.publish, compression.py
 */
export function encodeMessage(
  text: string,
  compression: Compression | undefined,
  { headers, expirationMs = Infinity }: MessageExtras = {},
): EncodedMessage {
  const plain = Buffer.from(text)
  const body = compression === undefined ? plain : compression.compress(plain)
  const base = expirationMs <= LONGEST_EXPIRATION_MS ? expiringProperties(expirationMs) : PROPERTIES
  if (compression !== undefined)
    return { body, properties: { ...base, headers: { ...headers, compression: compression.contentType } } }
  const hasHeaders = headers !== undefined && Object.keys(headers).length > 0
  return { body, properties: hasHeaders ? { ...base, headers: { ...headers } } : base }
}

let latest: BasicProperties = PROPERTIES

/** The calls of a program mostly have the same time, and making the properties costs as much as a body's bytes. */
function expiringProperties(expirationMs: number): BasicProperties {
  const expiration = String(Math.trunc(Math.max(0, expirationMs)))
  if (latest.expiration !== expiration) latest = Object.freeze({ ...PROPERTIES, expiration })
  return latest
}

import { ConfigurationError } from '@hermod/kernel'
import type { BasicProperties } from '../wire/basic-properties.ts'
import type { FieldTable } from '../wire/field-table.ts'
import type { WrittenContent } from './content-writer.ts'
import type { DeliveryMode } from './exchange.ts'
import { Queue } from './queue.ts'

/** What RabbitMQ's timers can hold; the broker closes the channel over more. */
const LONGEST_EXPIRATION_MS = 2 ** 32 - 1

/** The properties that a message gets from whoever publishes it; those of the body come from its serializer. */
export interface MessageProperties {
  /** Added to those of the producer, name by name. */
  readonly headers?: FieldTable | undefined
  /** Whether it survives a broker's restart in a durable queue. Default: the exchange's, which is `persistent`. */
  readonly deliveryMode?: DeliveryMode | undefined
  /** 0 to 255; RabbitMQ uses 0 to the queue's `maxPriority`. */
  readonly priority?: number | undefined
  /** After this long in a queue the broker drops or dead-letters it, milliseconds. Default: never. */
  readonly expirationMs?: number | undefined
  /** The queue that answers are wanted in. */
  readonly replyTo?: string | Queue | undefined
  readonly correlationId?: string | undefined
  readonly messageId?: string | undefined
  /** Whole seconds on the wire. */
  readonly timestamp?: Date | bigint | undefined
  readonly type?: string | undefined
  /** RabbitMQ refuses a message whose user id is not the connection's user. */
  readonly userId?: string | undefined
  readonly appId?: string | undefined
}

/**
 * The properties on the wire.
 * @throws {ConfigurationError} E_CONFIG for an expiration that the broker would close the channel over, and for a
 *   reply queue without a name.
 */
export function wireProperties(
  defaults: MessageProperties,
  given: MessageProperties,
  content: WrittenContent,
  deliveryMode: DeliveryMode,
): BasicProperties {
  const { contentType, contentEncoding, compression } = content
  const expirationMs = given.expirationMs ?? defaults.expirationMs
  const replyTo = given.replyTo ?? defaults.replyTo
  return {
    contentType,
    contentEncoding,
    headers: headersOf(defaults.headers, given.headers, compression),
    deliveryMode: deliveryMode === 'persistent' ? 2 : 1,
    priority: given.priority ?? defaults.priority,
    correlationId: given.correlationId ?? defaults.correlationId,
    replyTo: replyTo === undefined ? undefined : queueName(replyTo),
    expiration: expirationMs === undefined ? undefined : expirationText(expirationMs),
    messageId: given.messageId ?? defaults.messageId,
    timestamp: given.timestamp ?? defaults.timestamp,
    type: given.type ?? defaults.type,
    userId: given.userId ?? defaults.userId,
    appId: given.appId ?? defaults.appId,
  }
}

function headersOf(
  defaults: FieldTable | undefined,
  given: FieldTable | undefined,
  compression: string | undefined,
): FieldTable | undefined {
  if (compression !== undefined) return { ...defaults, ...given, compression }
  return defaults === undefined || given === undefined ? (given ?? defaults) : { ...defaults, ...given }
}

function queueName(queue: string | Queue): string {
  const name = typeof queue === 'string' ? queue : queue.name
  if (name !== '') return name
  throw new ConfigurationError([
    'the queue of replyTo has no name; give the one that the broker chose when it was declared',
  ])
}

function expirationText(expirationMs: number): string {
  if (Number.isInteger(expirationMs) && expirationMs >= 0 && expirationMs <= LONGEST_EXPIRATION_MS)
    return String(expirationMs)
  throw new ConfigurationError([
    `expirationMs is ${expirationMs}; it is a whole number from 0 to ${LONGEST_EXPIRATION_MS}`,
  ])
}

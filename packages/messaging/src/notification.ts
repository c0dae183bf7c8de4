import { DecodeError, type JsonObject, type JsonValue } from '@hermod/kernel'

/**
 * The priorities of notifications as topics end with them (`notifications.info`); in a message they are upper case.
 * @source oslo.messaging notify/dispatcher.py PRIORITIES
 */
export const PRIORITIES = ['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'] as const

/** One of {@link PRIORITIES}. */
export type Priority = (typeof PRIORITIES)[number]

/** Whether the text is one of {@link PRIORITIES}. */
export function isPriority(text: string): text is Priority {
  return (PRIORITIES as readonly string[]).includes(text)
}

/** A notification as a service sent it. */
export interface Notification {
  /** A UUID with dashes; the same in every copy that goes to several topics. */
  readonly messageId: string | null
  /** Who says that it sent this, mostly `service.host`: a claim, for any user of the broker can write it. */
  readonly publisherId: string | null
  /** What happened, for example `compute.instance.create.end`. */
  readonly eventType: string
  /** As on the wire, mostly upper case; empty when the message has none. */
  readonly priority: string
  readonly payload: JsonValue
  /** UTC without a zone, `2026-05-13 12:53:00.123456`; the fraction is missing when it is zero. */
  readonly timestamp: string | null
  /** 32 hexadecimal digits, new for each sending: what duplicates are known by. */
  readonly uniqueId: string | null
  /** The request's context: every `_context_NAME` of the message under its NAME. */
  readonly context: JsonObject
}

const CONTEXT_PREFIX = '_context_'

/**
 * Takes a notification out of a message that {@link readEnvelope} returned.
 *
 * Whatever else the message holds is left out; a member of an unexpected type reads as absent.
 *
 * @throws {DecodeError} E_DECODE when the message is none: a request, a reply, or without `event_type`.
 * @source oslo.messaging notify/notifier.py Notifier._notify; _drivers/amqp.py unpack_context
 */
export function readNotification(message: JsonObject): Notification {
  if (Object.hasOwn(message, 'method')) {
    throw new DecodeError("the message is a remote call (it has a 'method'), no notification")
  }
  const eventType = textOf(message, 'event_type')
  if (eventType === null) throw new DecodeError("the message has no 'event_type', so it is no notification")
  return {
    messageId: textOf(message, 'message_id'),
    publisherId: textOf(message, 'publisher_id'),
    eventType,
    priority: textOf(message, 'priority') ?? '',
    payload: Object.hasOwn(message, 'payload') ? message['payload']! : null,
    timestamp: textOf(message, 'timestamp'),
    uniqueId: textOf(message, '_unique_id'),
    context: contextOf(message),
  }
}

function textOf(message: JsonObject, key: string): string | null {
  const value = Object.hasOwn(message, key) ? message[key] : undefined
  return typeof value === 'string' ? value : null
}

function contextOf(message: JsonObject): JsonObject {
  // fromEntries defines members, so that a context entry called `__proto__` stays an ordinary one.
  return Object.fromEntries(
    Object.entries(message)
      .filter(([key]) => key.startsWith(CONTEXT_PREFIX))
      .map(([key, value]) => [key.slice(CONTEXT_PREFIX.length), value]),
  )
}

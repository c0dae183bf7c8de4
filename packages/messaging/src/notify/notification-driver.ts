import type { JsonObject, JsonValue, Logger } from '@hermod/kernel'
import type { Priority } from '../notification.ts'
import type { Transport } from '../transport.ts'

/**
 * A notification as a notifier makes it, in the order of its members on the wire.
 * @source oslo.messaging notify/notifier.py Notifier._notify
 */
export type NotificationMessage = {
  /** A UUID with dashes; the same in every copy, whatever topic or driver takes it. */
  readonly message_id: string
  readonly publisher_id: string | null
  readonly event_type: string
  readonly priority: Uppercase<Priority>
  readonly payload: JsonValue
  /** UTC, `2026-05-13 12:53:00.123456`. */
  readonly timestamp: string
}

/** What a {@link NotificationDriver} is to emit, and how. */
export interface NotificationEmission {
  readonly message: NotificationMessage
  readonly priority: Priority
  /** Without secrets. */
  readonly context: JsonObject
  /** How often sending is tried again when the peer cannot be reached; undefined: for ever. */
  readonly retries: number | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number | undefined
}

/** Takes notifications somewhere: to a broker, into a log, to nowhere. */
export interface NotificationDriver {
  /** As conf files name it. */
  readonly name: string
  /** Resolves when the notification is where it belongs. Emissions begin in the order of the calls. */
  notify(emission: NotificationEmission): Promise<void>
}

/** What a {@link NotificationDriver} may need. */
export interface NotificationDriverOptions {
  readonly transport: Transport
  /** The topics of the notifier. */
  readonly topics: readonly string[]
  /** Masks secrets. */
  readonly logger: Logger
}

/** Makes a driver for a notifier that names it. */
export type NotificationDriverFactory = (options: NotificationDriverOptions) => NotificationDriver

import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { Notification } from '../notification.ts'

/** A notification as handlers get it. */
export interface ReceivedNotification<Context = JsonObject, Payload = JsonValue> extends Omit<
  Notification,
  'context' | 'payload'
> {
  readonly context: Context
  readonly payload: Payload
  /** The topic that it was sent to, without the priority. */
  readonly topic: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether it was delivered before, to anybody. */
  readonly redelivered: boolean
  /** Aborts when the listener waits no longer for handlers that run; the notification has gone back then. */
  readonly signal: AbortSignal
}

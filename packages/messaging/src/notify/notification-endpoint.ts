import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { Priority } from '../notification.ts'
import type { NotificationFilter, NotificationFilterParts } from './notification-filter.ts'
import type { NotificationResult } from './notification-result.ts'
import type { ReceivedNotification } from './received-notification.ts'

/** Handles what it is given. Throwing or rejecting means that it could not. */
export type NotificationHandler<Input> = (
  input: Input,
) => NotificationResult | void | Promise<NotificationResult | void>

/** Handlers by priority: an object or an instance of a class. Other members are ignored. */
export type NotificationHandlers<Input> = {
  readonly [Name in Priority]?: NotificationHandler<Input>
} & {
  /** Which notifications it gets; absent: all of its priorities. */
  readonly filter?: NotificationFilter | NotificationFilterParts | undefined
}

/** Handles notifications one by one. */
export type NotificationEndpoint<Context = JsonObject, Payload = JsonValue> = NotificationHandlers<
  ReceivedNotification<Context, Payload>
>

/** Handles notifications of one priority by the list. */
export type BatchNotificationEndpoint<Context = JsonObject, Payload = JsonValue> = NotificationHandlers<
  readonly ReceivedNotification<Context, Payload>[]
>

import { ConfigurationError, type JsonObject, type JsonValue } from '@hermod/kernel'
import type { PayloadSerializer } from '../payload-serializer.ts'
import { checkRetry, type HandlerRetryOptions } from './handler-attempts.ts'
import type { BatchNotificationEndpoint, NotificationEndpoint } from './notification-endpoint.ts'
import type { NotificationCounters, PoisonedNotification } from './notification-settler.ts'
import type { ListenedTopics } from './notification-sources.ts'

/** How many notifications may be handed over and not yet settled, by default. */
export const DEFAULT_NOTIFICATION_PREFETCH = 100

/** How long a notification waits by default before it goes back. */
export const DEFAULT_REQUEUE_DELAY_MS = 1000

/** What both kinds of listeners take. */
export interface ListeningOptions<Context = JsonObject> extends ListenedTopics {
  /** Every pool gets every notification, each to one of its listeners; absent: the listeners of no pool. */
  readonly pool?: string | undefined
  /**
   * Lets handlers give notifications back with `requeue`. A handler that fails, without `retry`, then gives it back too.
   * Default false: what a handler gives back all the same is refused for good, as is what it fails on.
   */
  readonly allowRequeue?: boolean | undefined
  /** How long a notification waits here before it goes back, so that it does not run in a circle; 1000, 0 for not at all. */
  readonly requeueDelayMs?: number | undefined
  /** How many may be handed over and not yet settled; what is more waits with the broker. 100, or two batches. */
  readonly prefetchCount?: number | undefined
  /** Calls a handler again that failed; after the last attempt the notification is refused for good. Absent: it is not. */
  readonly retry?: HandlerRetryOptions | undefined
  readonly serializer?: PayloadSerializer<Context> | undefined
}

/** How a listener is made that handles notifications one by one. */
export interface NotificationListenerOptions<
  Context = JsonObject,
  Payload = JsonValue,
> extends ListeningOptions<Context> {
  readonly endpoints: readonly NotificationEndpoint<Context, Payload>[]
  /** How many are handled at a time; 1, which keeps their order. */
  readonly concurrency?: number | undefined
}

/** How a listener is made that handles them by the list; one of `batchSize` and `batchTimeoutMs` at least. */
export interface BatchNotificationListenerOptions<
  Context = JsonObject,
  Payload = JsonValue,
> extends ListeningOptions<Context> {
  readonly endpoints: readonly BatchNotificationEndpoint<Context, Payload>[]
  /** So many are enough for a batch; never more than `prefetchCount`, which it is by default. */
  readonly batchSize?: number | undefined
  /** So long after its first notification a batch is handled whatever its size. */
  readonly batchTimeoutMs?: number | undefined
}

/** What a listener has done since it was made, and is doing. */
export interface NotificationListenerStats extends Readonly<NotificationCounters> {
  /** Notifications whose handlers run. */
  readonly running: number
  /** Those that wait for one of them to end, or for their batch to begin. */
  readonly waiting: number
}

/** What a listener reports. */
export interface NotificationListenerEvents {
  /** A notification was refused for good: to the dead-letter exchange, or where there is none, it is lost. */
  poisoned: PoisonedNotification
}

/** @throws {ConfigurationError} E_CONFIG for every number that cannot be meant. */
export function checkListening(options: {
  readonly prefetchCount: number
  readonly concurrency?: number | undefined
  readonly batchSize?: number | undefined
  readonly batchTimeoutMs?: number | undefined
  readonly requeueDelayMs?: number | undefined
  readonly retry?: HandlerRetryOptions | undefined
}): void {
  const issues: string[] = []
  for (const name of ['prefetchCount', 'concurrency', 'batchSize'] as const) {
    const count = options[name]
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
      issues.push(`'${name}' is ${count}; it is a whole number from 1`)
  }
  for (const name of ['requeueDelayMs', 'batchTimeoutMs'] as const) {
    const delayMs = options[name]
    if (delayMs !== undefined && !(delayMs >= 0 && delayMs < Infinity))
      issues.push(`'${name}' is ${delayMs}; it is a time of 0 ms or more`)
  }
  if (issues.length > 0) throw new ConfigurationError(issues)
  checkRetry(options.retry)
}

import type { IncomingNotification } from '../driver/driver.ts'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { HandlerAttempts } from './handler-attempts.ts'
import type { BoundHandler, HandlerTable } from './handler-table.ts'
import { HANDLED, INTERRUPTED, REQUEUE, type NotificationOutcome } from './notification-outcome.ts'
import { NotificationResult } from './notification-result.ts'
import type { ReceivedNotification } from './received-notification.ts'

/**
 * Calls the handlers of a notification's priority that its filter lets it through to, in the order of the endpoints.
 * The first that wants it back, or fails, ends the row.
 *
 * The priority is the one that the body names, not the one of the topic that it came by.
 *
 * @source oslo.messaging notify/dispatcher.py NotificationDispatcher
 */
export class NotificationDispatcher {
  readonly #table: HandlerTable
  readonly #serializer: PayloadSerializer<never>

  constructor(table: HandlerTable, serializer: PayloadSerializer<never>) {
    this.#table = table
    this.#serializer = serializer
  }

  /** @returns a promise only when a handler returned one, so that handlers that do not are called without waiting. Never fails. */
  dispatch(
    incoming: IncomingNotification,
    attempts: HandlerAttempts,
    signal: AbortSignal,
  ): NotificationOutcome | Promise<NotificationOutcome> {
    const handlers = this.#table.for(incoming.notification.priority.toLowerCase())
    let at = 0
    try {
      const accepting = handlers.filter((handler) => handler.accepts(incoming.notification))
      if (accepting.length === 0) return HANDLED
      const received = receive(incoming, this.#serializer, signal)
      for (; at < accepting.length; at++) {
        const call = callOf(accepting[at]!, received)
        if (call instanceof Promise) return goOn(call, accepting, at, received, attempts)
        if (call === NotificationResult.REQUEUE) return REQUEUE
      }
      return HANDLED
    } catch (error) {
      return { kind: 'failed', error }
    }
  }
}

/** A handler that throws at once must look like one that rejects. */
function callOf(handler: BoundHandler, input: unknown): unknown {
  try {
    const result = handler.call(input)
    return isThenable(result) ? Promise.resolve(result) : result
  } catch (error) {
    return Promise.reject(error)
  }
}

/** The rest of the row, from the handler at `at`, whose call is under way. */
async function goOn(
  first: Promise<unknown>,
  handlers: readonly BoundHandler[],
  at: number,
  received: unknown,
  attempts: HandlerAttempts,
): Promise<NotificationOutcome> {
  let call = first
  try {
    for (let next = at; ;) {
      const handler = handlers[next]!
      const result = await attempts.finish(call, () => handler.call(received))
      if (result === NotificationResult.REQUEUE) return REQUEUE
      const following = handlers[++next]
      if (following === undefined) return HANDLED
      call = Promise.resolve(callOf(following, received))
    }
  } catch (error) {
    return attempts.isInterrupted(error) ? INTERRUPTED : { kind: 'failed', error }
  }
}

/** What the handlers get of it. @throws what the serializer throws. */
export function receive(
  { notification, topic, headers, redelivered }: IncomingNotification,
  serializer: PayloadSerializer<never>,
  signal: AbortSignal,
): ReceivedNotification<unknown, unknown> {
  const context = serializer.deserializeContext(notification.context)
  const payload = serializer.deserializeEntity(context, notification.payload)
  // Member by member: a spread costs more here than everything else of a dispatch together.
  return {
    messageId: notification.messageId,
    publisherId: notification.publisherId,
    eventType: notification.eventType,
    priority: notification.priority,
    payload,
    timestamp: notification.timestamp,
    uniqueId: notification.uniqueId,
    context,
    topic,
    headers,
    redelivered,
    signal,
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

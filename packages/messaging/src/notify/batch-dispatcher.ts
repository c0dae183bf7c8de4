import type { IncomingNotification } from '../driver/driver.ts'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { HandlerAttempts } from './handler-attempts.ts'
import type { HandlerTable } from './handler-table.ts'
import { receive } from './notification-dispatcher.ts'
import { HANDLED, INTERRUPTED, REQUEUE, type NotificationOutcome } from './notification-outcome.ts'
import { NotificationResult } from './notification-result.ts'
import type { ReceivedNotification } from './received-notification.ts'

type Conclude = (incoming: IncomingNotification, outcome: NotificationOutcome) => void

interface Item {
  readonly incoming: IncomingNotification
  readonly received: ReceivedNotification<unknown, unknown>
}

/**
 * Calls handlers with lists of notifications: those of one priority, of a handler's filter, in the order in which they
 * came; the priorities in the order of the alphabet.
 *
 * What a handler wants back or fails on is exactly what it was given. Later handlers get the rest (oslo.messaging gives
 * back the whole priority, also what the filter had kept from the handler).
 *
 * @source oslo.messaging notify/dispatcher.py BatchNotificationDispatcher
 */
export class BatchDispatcher {
  readonly #table: HandlerTable
  readonly #serializer: PayloadSerializer<never>

  constructor(table: HandlerTable, serializer: PayloadSerializer<never>) {
    this.#table = table
    this.#serializer = serializer
  }

  /** Resolves when every notification was concluded, each once. Never rejects. */
  async dispatch(
    batch: readonly IncomingNotification[],
    attempts: HandlerAttempts,
    signal: AbortSignal,
    conclude: Conclude,
  ): Promise<void> {
    const byPriority = new Map<string, Item[]>()
    for (const incoming of batch) {
      const item = this.#read(incoming, signal, conclude)
      if (item === undefined) continue
      const priority = incoming.notification.priority.toLowerCase()
      const group = byPriority.get(priority)
      if (group === undefined) byPriority.set(priority, [item])
      else group.push(item)
    }
    for (const priority of [...byPriority.keys()].toSorted())
      await this.#dispatchGroup(priority, byPriority.get(priority)!, attempts, conclude)
  }

  #read(incoming: IncomingNotification, signal: AbortSignal, conclude: Conclude): Item | undefined {
    try {
      return { incoming, received: receive(incoming, this.#serializer, signal) }
    } catch (error) {
      conclude(incoming, { kind: 'failed', error })
      return undefined
    }
  }

  async #dispatchGroup(
    priority: string,
    group: readonly Item[],
    attempts: HandlerAttempts,
    conclude: Conclude,
  ): Promise<void> {
    let left = group
    for (const handler of this.#table.for(priority)) {
      const given = left.filter(({ incoming }) => handler.accepts(incoming.notification))
      if (given.length === 0) continue
      const call = (): unknown => handler.call(given.map(({ received }) => received))
      const outcome = await concluded(call, attempts)
      if (outcome === HANDLED) continue
      for (const { incoming } of given) conclude(incoming, outcome)
      left = left.filter((item) => !given.includes(item))
    }
    for (const { incoming } of left) conclude(incoming, HANDLED)
  }
}

async function concluded(call: () => unknown, attempts: HandlerAttempts): Promise<NotificationOutcome> {
  try {
    const result = await attempts.finish(new Promise((resolve) => resolve(call())), call)
    return result === NotificationResult.REQUEUE ? REQUEUE : HANDLED
  } catch (error) {
    return attempts.isInterrupted(error) ? INTERRUPTED : { kind: 'failed', error }
  }
}

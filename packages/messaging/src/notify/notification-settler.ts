import { UnsupportedFeatureError, type Clock, type Logger, type Timer } from '@hermod/kernel'
import type { IncomingNotification } from '../driver/driver.ts'
import { isPriority, type Notification } from '../notification.ts'
import type { NotificationOutcome } from './notification-outcome.ts'

/** What a listener has done since it was made. */
export interface NotificationCounters {
  /** Notifications that came. */
  received: number
  /** Those that every handler of theirs is through with, or that had none. */
  handled: number
  /** Those that went back because a handler wanted it, or failed. */
  requeued: number
  /** Those that were refused for good after a handler had failed: to the dead-letter exchange, where the broker has one. */
  poisoned: number
  /** Calls of handlers that had failed before. */
  retried: number
  /** Copies of notifications that were acknowledged before: acknowledged, and handed to nobody. */
  duplicates: number
  /** Those of a priority that is none: acknowledged, and handed to nobody. */
  unknownPriority: number
  /** Those that went back because the listener stopped. */
  released: number
  /** Those whose handlers still ran when the listener waited no longer. */
  aborted: number
  /** Those that the peer had taken back before they were settled, and delivers again. */
  stale: number
}

export function notificationCounters(): NotificationCounters {
  return {
    received: 0,
    handled: 0,
    requeued: 0,
    poisoned: 0,
    retried: 0,
    duplicates: 0,
    unknownPriority: 0,
    released: 0,
    aborted: 0,
    stale: 0,
  }
}

/** A notification that no handler could deal with. */
export interface PoisonedNotification {
  readonly notification: Notification
  /** What its handler threw. */
  readonly error: unknown
}

/** How notifications are settled. */
export interface NotificationSettlerOptions {
  readonly allowRequeue: boolean
  readonly requeueDelayMs: number
  /** Whether handlers that failed were tried again: then a failure is final. */
  readonly retried: boolean
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: NotificationCounters
  readonly onPoisoned: (poisoned: PoisonedNotification) => void
}

/** Settles notifications by what became of them, each once. */
export class NotificationSettler {
  readonly #options: NotificationSettlerOptions
  /** Those that wait before they go back. */
  readonly #pausing = new Map<IncomingNotification, Timer>()

  constructor(options: NotificationSettlerOptions) {
    this.#options = options
  }

  /**
   * Whether anybody is to handle it, asked just before: a copy may have been acknowledged while it waited. Otherwise it
   * is settled.
   */
  admit(incoming: IncomingNotification): boolean {
    const { counters, logger } = this.#options
    const { priority, eventType } = incoming.notification
    if (incoming.duplicate) {
      counters.duplicates++
    } else if (!isPriority(priority.toLowerCase())) {
      counters.unknownPriority++
      logger.warn({ priority, eventType }, 'a notification has an unknown priority, so nobody handles it')
    } else {
      return true
    }
    this.#note(incoming.acknowledge())
    return false
  }

  settle(incoming: IncomingNotification, outcome: NotificationOutcome): void {
    const { allowRequeue, retried, counters } = this.#options
    switch (outcome.kind) {
      case 'handled':
        counters.handled++
        this.#note(incoming.acknowledge())
        return
      case 'interrupted':
        this.release(incoming)
        return
      case 'requeue':
        if (allowRequeue) this.#requeueLater(incoming)
        else this.#poison(incoming, notAllowed())
        return
      case 'failed':
        if (allowRequeue && !retried) this.#requeueLater(incoming, outcome.error)
        else this.#poison(incoming, outcome.error)
    }
  }

  /** Gives back what no handler has dealt with. */
  release(incoming: IncomingNotification): void {
    this.#options.counters.released++
    this.#note(incoming.requeue())
  }

  /** What waits goes back now. */
  endPauses(): void {
    for (const [incoming, timer] of Array.from(this.#pausing)) {
      timer.cancel()
      this.#requeue(incoming)
    }
  }

  /** The broker delivers what it gets back at once: without a pause a handler that never accepts it would run in a circle. */
  #requeueLater(incoming: IncomingNotification, error?: unknown): void {
    const { requeueDelayMs, clock, logger } = this.#options
    const { eventType } = incoming.notification
    if (error !== undefined)
      logger.error({ eventType, error }, 'a handler failed; the notification goes back')
    if (requeueDelayMs === 0) {
      this.#requeue(incoming)
      return
    }
    this.#pausing.set(
      incoming,
      clock.after(requeueDelayMs, () => this.#requeue(incoming)),
    )
  }

  #requeue(incoming: IncomingNotification): void {
    this.#pausing.delete(incoming)
    this.#options.counters.requeued++
    this.#note(incoming.requeue())
  }

  /** Acknowledging it, as oslo.messaging does, would lose it without a trace. */
  #poison(incoming: IncomingNotification, error: unknown): void {
    const { counters, logger, onPoisoned } = this.#options
    counters.poisoned++
    const { notification } = incoming
    const { eventType, messageId } = notification
    logger.error({ eventType, messageId, error }, 'a handler failed; the notification is refused for good')
    this.#note(incoming.reject())
    onPoisoned({ notification, error })
  }

  #note(inTime: boolean): void {
    if (!inTime) this.#options.counters.stale++
  }
}

function notAllowed(): UnsupportedFeatureError {
  return new UnsupportedFeatureError("a handler returned 'requeue', but the listener lacks 'allowRequeue'")
}

import type { Clock } from '@hermod/kernel'
import type { IncomingNotification } from '../driver/driver.ts'
import type { SubscribedWork } from '../subscription-run.ts'
import type { HandlerRetryOptions } from './handler-attempts.ts'
import type { NotificationCounters, NotificationSettler } from './notification-settler.ts'

/** What handlers of notifications need, of whatever kind they are. */
export interface HandlingOptions {
  readonly settler: NotificationSettler
  readonly counters: NotificationCounters
  readonly retry: HandlerRetryOptions | undefined
  readonly clock: Clock
  /** The name of the driver. */
  readonly driver: string
}

/** Takes notifications from a driver. */
export interface NotificationIntake extends SubscribedWork {
  take(incoming: IncomingNotification): void
  /** Notifications whose handlers run. */
  readonly runningCount: number
  /** Those that wait for one of them to end. */
  readonly waitingCount: number
}

import type { DeadlineOptions, HermodError, JsonObject } from '@hermod/kernel'
import type { RedactableContext } from '../context/redact-context.ts'
import type { Priority } from '../notification.ts'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { NotificationDriver, NotificationDriverFactory } from './notification-driver.ts'

/** A context as notifiers take it by default. */
export type NotifierContext = JsonObject | RedactableContext

/** How a {@link Notifier} is made. */
export interface NotifierOptions<Context = NotifierContext> {
  /** Who says it, mostly `service.host`. */
  readonly publisherId?: string | undefined
  /**
   * `messaging`, `messagingv2`, `log`, `noop`, `routing`, names of `driverFactories`, or drivers. By default those of the
   * transport's conf file (none, when it names none), and without such a file `messagingv2`.
   */
  readonly drivers?: readonly (string | NotificationDriver)[] | undefined
  /** By default those of the transport's conf file, else `notifications`. */
  readonly topics?: readonly string[] | undefined
  /** How often sending is tried again when the peer cannot be reached; by default the conf file's `retry`, else `Infinity`. */
  readonly retries?: number | undefined
  readonly serializer?: PayloadSerializer<Context> | undefined
  /** More drivers, by the names under which `drivers`, a conf file or `routing` ask for them. */
  readonly driverFactories?: Readonly<Record<string, NotificationDriverFactory>> | undefined
  /** The rules of the driver `routing`, as a YAML reader gives them; see {@link NotificationRoutes}. */
  readonly routing?: unknown
}

/** How one notification is sent. */
export interface NotifyCallOptions<Context = NotifierContext> extends DeadlineOptions {
  /** Who asked for it; secrets of it stay here (see {@link redactContext}). */
  readonly context?: Context | null | undefined
}

/** What a notifier has done, together with those that were prepared from it. */
export interface NotifierStats {
  /** Notifications that reached all their places. */
  readonly sent: number
  /** Notifications that missed one at least. */
  readonly failed: number
}

/** What a notifier reports. */
export interface NotifierEvents {
  /** A notification missed a place at least; whoever awaits it gets the same error. */
  'notify-failed': { readonly eventType: string; readonly priority: Priority; readonly error: HermodError }
}

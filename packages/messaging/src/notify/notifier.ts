import {
  ConfigurationError,
  EncodeError,
  isHermodError,
  MessageDeliveryError,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'
import { randomUUID } from 'node:crypto'
import { isRedactable, redactContext } from '../context/redact-context.ts'
import type { Priority } from '../notification.ts'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { Transport } from '../transport.ts'
import { deliverToAll } from './deliver-to-all.ts'
import { makeNotificationDrivers } from './make-notification-drivers.ts'
import type { NotificationEmission } from './notification-driver.ts'
import { notificationTimestamp } from './notification-timestamp.ts'
import { notifierConfFrom } from './notifier-conf.ts'
import type {
  NotifierContext,
  NotifierEvents,
  NotifierOptions,
  NotifierStats,
  NotifyCallOptions,
} from './notifier-options.ts'
import { NotifierOutlet } from './notifier-outlet.ts'

/** What a notifier says of itself, beside its outlet. */
interface Emitter {
  readonly publisherId: string | null
  readonly retries: number
}

/**
 * Emits notifications. Each call resolves when every place has the notification (each topic of each driver), which with
 * a broker is when it has confirmed it; it rejects when one has not, after all were tried. A rejection that nobody
 * awaits does not end the process; it is counted, logged and reported as `notify-failed`. Notifications of one notifier
 * leave in the order of the calls.
 *
 * Payloads are written when the call is made; contexts are redacted (see {@link redactContext}).
 *
 * @source oslo.messaging notify/notifier.py Notifier
 */
export class Notifier<Context extends object = NotifierContext> {
  readonly #outlet: NotifierOutlet<Context>
  readonly #emitter: Emitter

  /** For {@link createNotifier}. */
  constructor(outlet: NotifierOutlet<Context>, emitter: Emitter) {
    this.#outlet = outlet
    this.#emitter = emitter
  }

  get publisherId(): string | null {
    return this.#emitter.publisherId
  }

  /** Whether it emits anything anywhere: it has a driver other than `noop`. */
  get isEnabled(): boolean {
    return this.#outlet.drivers.some(({ name }) => name !== 'noop')
  }

  /**
   * The same notifier under another name or with other retries. It costs nothing, and shares drivers, counters and
   * listeners with this one.
   *
   * @throws {ConfigurationError} E_CONFIG for retries that are no whole number from 0 on and not `Infinity`.
   */
  prepare(changes: {
    readonly publisherId?: string | undefined
    readonly retries?: number | undefined
  }): Notifier<Context> {
    const { publisherId, retries } = this.#emitter
    return new Notifier(this.#outlet, {
      publisherId: changes.publisherId ?? publisherId,
      retries: checkedRetries(changes.retries ?? retries),
    })
  }

  /**
   * Emits at level audit.
   * @param payload whatever has a JSON form; undefined is written as null.
   * @throws {HermodError} what kept it from a place; {@link MessageDeliveryError} where there are several places.
   */
  audit(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('audit', eventType, payload, options)
  }

  /** Emits at level debug; see {@link audit}. */
  debug(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('debug', eventType, payload, options)
  }

  /** Emits at level info; see {@link audit}. */
  info(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('info', eventType, payload, options)
  }

  /** Emits at level warn; see {@link audit}. */
  warn(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('warn', eventType, payload, options)
  }

  /** The same as {@link warn}. */
  warning(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('warn', eventType, payload, options)
  }

  /** Emits at level error; see {@link audit}. */
  error(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('error', eventType, payload, options)
  }

  /** Emits at level critical; see {@link audit}. */
  critical(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('critical', eventType, payload, options)
  }

  /** Emits at level sample, meant for small and frequent ones; see {@link audit}. */
  sample(eventType: string, payload: unknown, options?: NotifyCallOptions<Context>): Promise<void> {
    return this.notify('sample', eventType, payload, options)
  }

  /** Emits at the level given; see {@link audit}. */
  notify(
    priority: Priority,
    eventType: string,
    payload: unknown,
    options: NotifyCallOptions<Context> = {},
  ): Promise<void> {
    const done = this.#emit(priority, eventType, payload, options).catch((reason: unknown) => {
      throw this.#failure(reason, options.signal)
    })
    done.then(
      () => this.#outlet.sent++,
      (reason: unknown) => {
        this.#outlet.failed++
        if (isHermodError(reason)) this.#outlet.report(eventType, priority, reason)
      },
    )
    return done
  }

  /** Counters since it was made, of this notifier and all that share its drivers. */
  stats(): NotifierStats {
    const { sent, failed } = this.#outlet
    return { sent, failed }
  }

  /** Calls `listener` at every such event, of this notifier and all that share its drivers, until {@link off}. */
  on<Name extends keyof NotifierEvents>(name: Name, listener: (event: NotifierEvents[Name]) => void): this {
    this.#outlet.on(name, listener)
    return this
  }

  /** Stops calling `listener`. */
  off<Name extends keyof NotifierEvents>(name: Name, listener: (event: NotifierEvents[Name]) => void): this {
    this.#outlet.off(name, listener)
    return this
  }

  /** Async for its errors; what it does before the first driver has the notification, it does at once. */
  async #emit(
    priority: Priority,
    eventType: string,
    payload: unknown,
    { context, signal, timeoutMs }: NotifyCallOptions<Context>,
  ): Promise<void> {
    signal?.throwIfAborted()
    const { drivers, transport } = this.#outlet
    const written = this.#write(payload, context ?? ({} as Context))
    const emission: NotificationEmission = {
      message: {
        message_id: randomUUID(),
        publisher_id: this.publisherId,
        event_type: eventType,
        priority: priority.toUpperCase() as Uppercase<Priority>,
        payload: written.payload,
        timestamp: notificationTimestamp(transport.clock.now()),
      },
      priority,
      context: written.context,
      retries: this.#emitter.retries === Infinity ? undefined : this.#emitter.retries,
      signal,
      timeoutMs,
    }
    const [only] = drivers
    if (only !== undefined && drivers.length === 1) return only.notify(emission)
    return deliverToAll(
      drivers.map((driver) => ({ place: `driver '${driver.name}'`, send: () => driver.notify(emission) })),
      signal,
    )
  }

  #write(payload: unknown, context: Context): { readonly payload: JsonValue; readonly context: JsonObject } {
    const { serializer } = this.#outlet
    try {
      return {
        payload: (serializer.serializeEntity(context, payload) ?? null) as JsonValue,
        context: serializer.serializeContext(redactContext(context) as Context) as JsonObject,
      }
    } catch (error) {
      if (isHermodError(error)) throw error
      throw new EncodeError('the serializer cannot write the notification', { cause: error })
    }
  }

  #failure(reason: unknown, signal: AbortSignal | undefined): unknown {
    if (isHermodError(reason) || (signal?.aborted === true && reason === signal.reason)) return reason
    return new MessageDeliveryError('the notification was not sent: its driver failed', { cause: reason })
  }
}

/** Leaves payloads as they are, and contexts that were redacted. */
const notifierSerializer: PayloadSerializer<NotifierContext> = {
  serializeEntity: (_, entity) => entity,
  deserializeEntity: (_, entity) => entity,
  serializeContext: (context) => (isRedactable(context) ? context.toWire() : context),
  deserializeContext: (context) => context,
}

/**
 * Makes a notifier. Sends nothing yet.
 *
 * @throws {ConfigurationError} E_CONFIG for drivers that nobody knows, and for options that cannot be used.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the transport cannot carry notifications.
 */
export function createNotifier<Context extends object = NotifierContext>(
  transport: Transport,
  options: NotifierOptions<Context> = {},
): Notifier<Context> {
  const conf = transport.conf && notifierConfFrom(transport.conf)
  const retries = checkedRetries(options.retries ?? conf?.retries ?? Infinity)
  const drivers = makeNotificationDrivers(
    {
      drivers: options.drivers ?? conf?.drivers ?? ['messagingv2'],
      factories: options.driverFactories ?? {},
      routing: options.routing,
    },
    { transport, topics: options.topics ?? conf?.topics ?? ['notifications'], logger: transport.logger },
  )
  const serializer = options.serializer ?? (notifierSerializer as unknown as PayloadSerializer<Context>)
  if (drivers.length === 0) transport.logger.warn({}, 'the notifier has no drivers, so it emits nothing')
  const outlet = new NotifierOutlet(transport, drivers, serializer)
  return new Notifier(outlet, { publisherId: options.publisherId ?? null, retries })
}

function checkedRetries(retries: number): number {
  if (retries === Infinity || (Number.isSafeInteger(retries) && retries >= 0)) return retries
  throw new ConfigurationError([`'retries' is ${retries}; it is a whole number from 0 on, or Infinity`])
}

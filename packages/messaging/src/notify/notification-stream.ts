import { AsyncQueue, ConfigurationError, onAbort, withDeadline, type DeadlineOptions } from '@hermod/kernel'
import { requireCapabilities } from '../driver/driver-capabilities.ts'
import type { DriverSubscription, IncomingNotification, NotificationSource } from '../driver/driver.ts'
import { PRIORITIES, type Priority } from '../notification.ts'
import type { Transport } from '../transport.ts'
import { CopiesInHand } from './copies-in-hand.ts'
import { checkListening, DEFAULT_NOTIFICATION_PREFETCH } from './notification-listener-options.ts'
import { notificationSources, type ListenedTopics } from './notification-sources.ts'
import { StreamedNotification } from './streamed-notification.ts'

/** How a {@link NotificationStream} is made. */
export interface NotificationStreamOptions extends ListenedTopics {
  /** Which priorities are taken; all seven by default. A broker keeps a queue for each. */
  readonly priorities?: readonly Priority[] | undefined
  /** Every pool gets every notification, each to one of its listeners; absent: the listeners of no pool. */
  readonly pool?: string | undefined
  /** How many may be handed over and not yet settled; what is more waits with the broker. 100. */
  readonly prefetchCount?: number | undefined
  /** Aborting ends the loop with `signal.reason` and closes the stream. */
  readonly signal?: AbortSignal | undefined
}

/** What a stream has done, and is doing. */
export interface NotificationStreamStats {
  /** Notifications that came. */
  readonly received: number
  /** Of these, those that nobody has taken yet. */
  readonly waiting: number
  /** Those that were taken and not settled yet. */
  readonly unsettled: number
  /** Copies of notifications that were acknowledged before: acknowledged, and not handed out. */
  readonly duplicates: number
  /** Those that the peer had taken back before they were settled, and delivers again. */
  readonly stale: number
}

/** What a stream is doing. */
export type NotificationStreamState = 'new' | 'opening' | 'open' | 'closed'

/**
 * Notifications, one after the other, for one reader. Each is settled by whoever takes it: the peer hands over no more
 * than `prefetchCount` that are not.
 *
 * It listens from the first step of the loop on, or from {@link open}. Leaving the loop closes it: what was not settled
 * goes back, also what the loop held. It is opened once.
 */
export class NotificationStream implements AsyncIterable<StreamedNotification>, AsyncDisposable {
  readonly #transport: Transport
  readonly #sources: readonly NotificationSource[]
  readonly #pool: string | undefined
  readonly #prefetchCount: number
  readonly #signal: AbortSignal | undefined
  readonly #queue = new AsyncQueue<IncomingNotification>()
  readonly #copies = new CopiesInHand()
  readonly #starting = new AbortController()
  #opening: Promise<void> | undefined
  #subscription: DriverSubscription | undefined
  #closing: Promise<void> | undefined
  #listening: Disposable | undefined
  #state: NotificationStreamState = 'new'
  #received = 0
  #unsettled = 0
  #duplicates = 0
  #stale = 0

  /** For {@link listenForNotifications}. */
  constructor(transport: Transport, options: NotificationStreamOptions) {
    const { driver, controlExchange } = transport
    const { pool, priorities = PRIORITIES, prefetchCount = DEFAULT_NOTIFICATION_PREFETCH } = options
    requireCapabilities(driver.name, driver.capabilities, [
      'notifications',
      ...(pool === undefined ? [] : (['pools'] as const)),
    ])
    checkListening({ prefetchCount })
    if (priorities.length === 0)
      throw new ConfigurationError(["'priorities' is empty; leave it out for all of them"])
    this.#transport = transport
    this.#sources = notificationSources(options, controlExchange, priorities)
    this.#pool = pool
    this.#prefetchCount = prefetchCount
    this.#signal = options.signal
  }

  get state(): NotificationStreamState {
    return this.#state
  }

  stats(): NotificationStreamStats {
    return {
      received: this.#received,
      waiting: this.#queue.size + this.#copies.waiting,
      unsettled: this.#unsettled,
      duplicates: this.#duplicates,
      stale: this.#stale,
    }
  }

  /**
   * Resolves when notifications sent from now on come. Further calls wait for the first one. Giving up the wait does not
   * close the stream.
   *
   * @throws {ConfigurationError} E_CONFIG when it was closed.
   * @throws what kept it from listening; the stream is closed then, and the loop ends with the same.
   */
  open(options: DeadlineOptions = {}): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(closedError())
    this.#opening ??= this.#open().catch((error: unknown) => {
      void this.#end(error)
      throw error
    })
    return withDeadline(this.#opening, options, 'the start of the listener', this.#transport.clock)
  }

  /** Ends the loop and gives back what is not settled. Never rejects. */
  close(): Promise<void> {
    return this.#end(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** One reader only. */
  [Symbol.asyncIterator](): AsyncIterator<StreamedNotification, undefined> {
    return {
      next: async () => {
        // Its failure ends the queue, and with it the loop.
        if (this.#state === 'new') this.open().catch(() => {})
        for (;;) {
          const { value: incoming, done } = await this.#queue.next()
          if (done === true) return { done, value: undefined }
          if (!this.#isCopy(incoming) && this.#copies.begin(incoming))
            return { done: false, value: this.#handOut(incoming) }
        }
      },
      return: async () => {
        await this.close()
        return { done: true, value: undefined }
      },
    }
  }

  async #open(): Promise<void> {
    this.#signal?.throwIfAborted()
    this.#state = 'opening'
    if (this.#signal !== undefined) {
      const signal = this.#signal
      this.#listening = onAbort(signal, () => void this.#end(signal.reason))
    }
    const subscription = await this.#transport.driver.listen(this.#sources, {
      pool: this.#pool,
      backlog: this.#prefetchCount,
      onNotification: (incoming) => this.#take(incoming),
      signal: this.#starting.signal,
    })
    this.#subscription = subscription
    if (this.#closing !== undefined) {
      // Nobody else knows of the subscription yet.
      await subscription.close()
      this.#signal?.throwIfAborted()
      throw closedError()
    }
    this.#state = 'open'
    void subscription.closed.then(({ error }) => this.#end(error))
  }

  #take(incoming: IncomingNotification): void {
    this.#received++
    if (this.#closing !== undefined) {
      this.#noteStale(incoming.requeue())
      return
    }
    this.#queue.put(incoming)
  }

  /** Asked when it is handed out: the one before it may have been acknowledged while it waited. */
  #isCopy(incoming: IncomingNotification): boolean {
    if (!incoming.duplicate) return false
    this.#duplicates++
    this.#noteStale(incoming.acknowledge())
    return true
  }

  #handOut(incoming: IncomingNotification): StreamedNotification {
    this.#unsettled++
    return new StreamedNotification(incoming, (inTime) => {
      this.#unsettled--
      this.#noteStale(inTime)
      for (const copy of this.#copies.end(incoming)) this.#queue.put(copy)
    })
  }

  #end(error: unknown): Promise<void> {
    return (this.#closing ??= this.#close(error))
  }

  async #close(error: unknown): Promise<void> {
    this.#state = 'closed'
    this.#listening?.[Symbol.dispose]()
    // What nobody has taken yet goes back with all else; a loop that goes on must not get it.
    while (this.#queue.take() !== undefined);
    this.#queue.end(error)
    this.#starting.abort(error ?? closedError())
    await this.#subscription?.close()
  }

  #noteStale(inTime: boolean): void {
    if (!inTime) this.#stale++
  }
}

function closedError(): ConfigurationError {
  return new ConfigurationError(['the stream is closed; make a new one'])
}

/**
 * Notifications for `for await`, each to be settled with `ack()`, `requeue()` or `reject()`. Listens when the loop begins,
 * or with `open()`.
 *
 * @throws {ConfigurationError} E_CONFIG for options that cannot be used.
 * @throws {InvalidTargetError} E_TARGET for a target without topic.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver lacks notifications, or pools where one is named.
 * @example
 * for await (const notification of listenForNotifications(transport, { topics: ['notifications'] })) {
 *   await record(notification.eventType, notification.payload)
 *   notification.ack()
 * }
 */
export function listenForNotifications(
  transport: Transport,
  options: NotificationStreamOptions,
): NotificationStream {
  return new NotificationStream(transport, options)
}

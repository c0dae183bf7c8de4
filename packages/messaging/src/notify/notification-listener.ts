import {
  ConfigurationError,
  TypedEvents,
  type DeadlineOptions,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'
import { requireCapabilities } from '../driver/driver-capabilities.ts'
import { plainSerializer, type PayloadSerializer } from '../payload-serializer.ts'
import { RestartableRun } from '../restartable-run.ts'
import type { RunOutcome, RunState, StopOptions } from '../subscription-run.ts'
import type { Transport } from '../transport.ts'
import { BatchDispatcher } from './batch-dispatcher.ts'
import { BatchRunner } from './batch-runner.ts'
import { HandlerTable } from './handler-table.ts'
import { NotificationDispatcher } from './notification-dispatcher.ts'
import type { HandlingOptions, NotificationIntake } from './notification-intake.ts'
import {
  checkListening,
  DEFAULT_NOTIFICATION_PREFETCH,
  DEFAULT_REQUEUE_DELAY_MS,
  type BatchNotificationListenerOptions,
  type ListeningOptions,
  type NotificationListenerEvents,
  type NotificationListenerOptions,
  type NotificationListenerStats,
} from './notification-listener-options.ts'
import { NotificationRunner } from './notification-runner.ts'
import { notificationCounters, NotificationSettler } from './notification-settler.ts'
import { notificationSources } from './notification-sources.ts'

/** What distinguishes one kind of listener from the other. */
interface Kind {
  readonly table: HandlerTable
  readonly prefetchCount: number
  readonly makeIntake: (options: HandlingOptions) => NotificationIntake
}

/**
 * Has the notifications of topics handled, at least once each: acknowledged when their handlers are through. It takes
 * only those priorities that an endpoint has a method for. It may be started, stopped and started again.
 *
 * What a handler fails on is refused for good (to the dead-letter exchange, where the broker has one), counted as
 * `poisoned`, logged and reported; oslo.messaging acknowledges it and so loses it. `retry` and `allowRequeue` change that.
 *
 * @source oslo.messaging notify/listener.py NotificationServer, BatchNotificationServer
 */
export class NotificationListener extends TypedEvents<NotificationListenerEvents> implements AsyncDisposable {
  readonly #counters = notificationCounters()
  readonly #run: RestartableRun<NotificationIntake>

  /** For {@link createNotificationListener} and {@link createBatchNotificationListener}. */
  constructor(transport: Transport, options: ListeningOptions<never>, kind: Kind) {
    super()
    const { driver, clock, logger, controlExchange } = transport
    const { pool, allowRequeue = false, requeueDelayMs = DEFAULT_REQUEUE_DELAY_MS, retry } = options
    requireCapabilities(driver.name, driver.capabilities, [
      'notifications',
      ...(pool === undefined ? [] : (['pools'] as const)),
      ...(allowRequeue ? (['requeue'] as const) : []),
    ])
    const sources = notificationSources(options, controlExchange, kind.table.priorities)
    const settler = {
      allowRequeue,
      requeueDelayMs,
      retried: retry !== undefined,
      clock,
      logger,
      counters: this.#counters,
      onPoisoned: (poisoned: NotificationListenerEvents['poisoned']) => this.emit('poisoned', poisoned),
    }
    this.#run = new RestartableRun('the listener', clock, logger, () => {
      const work = kind.makeIntake({
        settler: new NotificationSettler(settler),
        counters: this.#counters,
        retry,
        clock,
        driver: driver.name,
      })
      const listening = { pool, backlog: kind.prefetchCount, onNotification: work.take.bind(work) }
      return { work, subscribe: (signal) => driver.listen(sources, { ...listening, signal }) }
    })
  }

  get state(): RunState {
    return this.#run.state
  }

  /** Settles when it has stopped, with the error when the peer ended it or the start failed; never rejects. */
  get closed(): Promise<RunOutcome> {
    return this.#run.closed
  }

  stats(): NotificationListenerStats {
    const { runningCount: running = 0, waitingCount: waiting = 0 } = this.#run.work ?? {}
    return { ...this.#counters, running, waiting }
  }

  /**
   * Resolves when notifications sent from now on arrive. While it is stopping, it starts when it has stopped; when it
   * runs, nothing is done. A start that is given up (signal, time) is undone, unless somebody else had begun it.
   */
  start(options?: DeadlineOptions): Promise<void> {
    return this.#run.start(options)
  }

  /**
   * Takes no more, gives back what no handler runs for, and resolves when the handlers that run have ended and what they
   * handled is settled, or when `timeoutMs` is over: the signals of their notifications abort then, and these go back. A
   * start that is under way is awaited; a listener that does not run stops at once. Never rejects.
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.#run.stop(options.timeoutMs)
  }

  /** As {@link stop}: a stopped listener holds nothing. */
  close(options?: StopOptions): Promise<void> {
    return this.stop(options)
  }

  /**
   * Resolves when it has stopped, whoever stops it; before its first start, when that one's run has ended.
   * @throws what ended it, when it was not stopped here.
   */
  wait(options: DeadlineOptions = {}): Promise<void> {
    return this.#run.wait(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/**
 * Makes a listener that handles notifications one by one; it listens when it is started.
 *
 * @throws {ConfigurationError} E_CONFIG for endpoints, filters and options that cannot be used.
 * @throws {InvalidTargetError} E_TARGET for a target without topic.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver lacks notifications, pools or requeueing that it needs.
 * @example
 * const listener = createNotificationListener(transport, {
 *   topics: ['notifications'],
 *   endpoints: [{ filter: { publisherId: 'compute\\.' }, info: ({ eventType, payload }) => record(eventType, payload) }],
 * })
 * await listener.start()
 */
export function createNotificationListener<Context = JsonObject, Payload = JsonValue>(
  transport: Transport,
  options: NotificationListenerOptions<Context, Payload>,
): NotificationListener {
  const { prefetchCount = DEFAULT_NOTIFICATION_PREFETCH, concurrency = 1 } = options
  checkListening({ ...options, prefetchCount })
  const table = new HandlerTable(options.endpoints)
  const dispatcher = new NotificationDispatcher(table, serializerOf(options))
  return new NotificationListener(transport, options as ListeningOptions<never>, {
    table,
    prefetchCount,
    makeIntake: (handling) => new NotificationRunner(dispatcher, concurrency, handling),
  })
}

/**
 * Makes a listener that handles notifications by the list: those of one priority of each batch together, the priorities
 * in the order of the alphabet, one batch after the other. It listens when it is started.
 *
 * @throws as {@link createNotificationListener}.
 */
export function createBatchNotificationListener<Context = JsonObject, Payload = JsonValue>(
  transport: Transport,
  options: BatchNotificationListenerOptions<Context, Payload>,
): NotificationListener {
  const { batchSize, batchTimeoutMs: timeoutMs } = options
  const { prefetchCount = Math.max(DEFAULT_NOTIFICATION_PREFETCH, 2 * (batchSize ?? 0)) } = options
  checkListening({ ...options, prefetchCount })
  if (batchSize === undefined && timeoutMs === undefined)
    throw new ConfigurationError(["nothing ends a batch; pass 'batchSize', 'batchTimeoutMs' or both"])
  const table = new HandlerTable(options.endpoints)
  const dispatcher = new BatchDispatcher(table, serializerOf(options))
  const size = Math.min(batchSize ?? prefetchCount, prefetchCount)
  return new NotificationListener(transport, options as ListeningOptions<never>, {
    table,
    prefetchCount,
    makeIntake: (handling) => new BatchRunner(dispatcher, { size, timeoutMs }, handling),
  })
}

function serializerOf<Context>(options: ListeningOptions<Context>): PayloadSerializer<never> {
  return (options.serializer ?? plainSerializer) as PayloadSerializer<never>
}

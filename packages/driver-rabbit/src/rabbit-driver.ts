import { Connection, DEFAULT_COMPRESSIONS, type Compression, type ConnectionStatus } from '@hermod/amqp'
import { ConnectionClosedError, isHermodError, type DeadlineOptions, type HermodError } from '@hermod/kernel'
import type {
  CallSendOptions,
  ConnectOptions,
  Destination,
  Driver,
  DriverCapabilities,
  DriverOptions,
  DriverStats,
  DriverSubscription,
  ListenOptions,
  NotificationDestination,
  NotificationSource,
  NotifyOptions,
  OutgoingNotification,
  OutgoingRequest,
  Reply,
  SendOptions,
  ServedTarget,
  ServeOptions,
} from '@hermod/messaging'
import { newCounters, type DriverCounters } from './driver-counters.ts'
import { encodeMessage } from './encoded-message.ts'
import { IncomingMessages } from './incoming-messages.ts'
import { LazyConnection } from './lazy-connection.ts'
import { newMessageId } from './message-id.ts'
import { MissingReplyQueues } from './missing-reply-queues.ts'
import { notificationText } from './notification-message.ts'
import { ObsoleteReplies } from './obsolete-replies.ts'
import { notificationQueueName } from './queue-names.ts'
import { newQueueSuffix } from './queue-suffix.ts'
import { QueueSubscription, type SubscribedQueue } from './queue-subscription.ts'
import { rabbitConnectionOptions } from './rabbit-servers.ts'
import type { RabbitSettings } from './rabbit-settings.ts'
import { RabbitTopology } from './rabbit-topology.ts'
import { ReplyQueue } from './reply-queue.ts'
import { ReplySender } from './reply-sender.ts'
import { requestText, writeRequest } from './request-message.ts'
import { SendTargets } from './send-targets.ts'
import { Sender } from './sender.ts'
import { TakenMessages } from './taken-messages.ts'

/** What AMQP can carry for one consumer. */
const MOST_PREFETCHED = 65_535

/** How long {@link RabbitDriver.close} waits for confirms by default. */
const DRAIN_TIMEOUT_MS = 5_000

const CAPABILITIES: DriverCapabilities = Object.freeze({
  rpc: true,
  fanout: true,
  mandatory: true,
  callMonitoring: true,
  redelivery: true,
  notifications: true,
  pools: true,
  requeue: true,
  headers: true,
})

const ignore = (): void => {}

/** What a {@link RabbitDriver} is made from. */
export interface RabbitDriverOptions extends DriverOptions {
  readonly settings: RabbitSettings
  /** Makes a connection, see `Connection.connect`. */
  readonly connect: (
    options: Required<Pick<Parameters<typeof Connection.connect>[1] & object, 'signal' | 'onStatus'>> &
      ReturnType<typeof rabbitConnectionOptions>,
  ) => Promise<Connection>
}

/**
 * oslo.messaging over RabbitMQ, so that Python's processes cannot tell it from one of theirs.
 *
 * One connection sends, another one receives: a broker that blocks publishers must not hold up what comes. Both are
 * made when they are needed, and come back by themselves.
 *
 * @source oslo.messaging _drivers/amqpdriver.py AMQPDriverBase, _drivers/impl_rabbit.py
 */
export class RabbitDriver implements Driver {
  readonly name: string
  readonly capabilities: DriverCapabilities = CAPABILITIES
  readonly #options: RabbitDriverOptions
  readonly #settings: RabbitSettings
  readonly #topology: RabbitTopology
  readonly #targets: SendTargets
  readonly #compression: Compression | undefined
  readonly #counters: DriverCounters = newCounters()
  readonly #sending: LazyConnection
  readonly #receiving: LazyConnection
  readonly #sender: Sender
  readonly #replyQueue: ReplyQueue
  readonly #missing: MissingReplyQueues
  readonly #taken = new TakenMessages()
  readonly #incoming: IncomingMessages
  readonly #subscriptions = new Set<QueueSubscription>()
  #closing: Promise<void> | undefined

  constructor(options: RabbitDriverOptions) {
    const { settings, clock } = options
    this.name = options.url.driver
    this.#options = options
    this.#settings = settings
    this.#topology = new RabbitTopology(settings)
    this.#targets = new SendTargets(this.#topology)
    this.#compression =
      settings.compression === undefined ? undefined : DEFAULT_COMPRESSIONS.require(settings.compression)
    this.#sending = this.#link(() => this.#sender.reset())
    this.#receiving = this.#link(ignore)
    const counters = this.#counters
    const onRefused = (source: string, error: HermodError): void => this.#refused(source, error)
    this.#sender = new Sender(this.#sending, settings, counters, clock)
    this.#replyQueue = new ReplyQueue({
      link: this.#receiving,
      makeQueue: async (signal) => this.#topology.replyQueue(await newQueueSuffix(settings, signal)),
      settings,
      counters,
      clock,
      onRefused,
    })
    this.#missing = new MissingReplyQueues({
      obsolete: new ObsoleteReplies(clock),
      keptMs: settings.missingConsumerTimeoutMs,
      clock,
    })
    this.#incoming = new IncomingMessages({
      counters,
      taken: this.#taken,
      onRefused,
    })
  }

  async connect(options: ConnectOptions = {}): Promise<void> {
    await this.#sending.ready(options)
  }

  call(destination: Destination, request: OutgoingRequest, options: CallSendOptions): Promise<Reply> {
    return settledQuietly(this.#call(destination, request, options))
  }

  cast(destination: Destination, request: OutgoingRequest, options: SendOptions): Promise<void> {
    return settledQuietly(this.#cast(destination, request, options))
  }

  notify(
    destination: NotificationDestination,
    notification: OutgoingNotification,
    options: NotifyOptions,
  ): Promise<void> {
    return settledQuietly(this.#notify(destination, notification, options))
  }

  async serve(
    { exchange, topic, server }: ServedTarget,
    { backlog, onRequest, signal }: ServeOptions,
  ): Promise<DriverSubscription> {
    signal?.throwIfAborted()
    const topology = this.#topology
    const fanout = topology.fanoutQueue(topic, await newQueueSuffix(this.#settings, signal))
    const prefetchCount = this.#prefetch(backlog)
    const replies = this.#newReplySender()
    const queues = [
      { queue: topology.requestQueue(exchange, topic) },
      { queue: topology.requestQueue(exchange, topic, server) },
      { queue: fanout, deleteOnClose: topology.deletesFanoutQueue },
    ].map((one) => ({
      ...one,
      prefetchCount,
      onMessage: this.#incoming.requests(one.queue, replies, onRequest),
    }))
    return this.#subscribe(queues, signal, () => replies.hurry())
  }

  listen(sources: readonly NotificationSource[], options: ListenOptions): Promise<DriverSubscription> {
    const { pool, backlog, onNotification, signal } = options
    const prefetchCount = this.#prefetch(backlog)
    // A queue has no exchange in its name: sources that differ in it alone share one.
    const byQueue = new Map<string, NotificationSource[]>()
    for (const source of sources) {
      const name = pool ?? notificationQueueName(source.topic, source.priority)
      byQueue.set(name, [...(byQueue.get(name) ?? []), source])
    }
    const queues = Array.from(byQueue, ([name, ofQueue]) => {
      const queue = this.#topology.poolQueue(name, ofQueue)
      return { queue, prefetchCount, onMessage: this.#incoming.notifications(queue, onNotification) }
    })
    return this.#subscribe(queues, signal)
  }

  stats(): DriverStats {
    return { ...this.#counters, waitingCalls: this.#replyQueue.waiting }
  }

  close(options: DeadlineOptions = {}): Promise<void> {
    return (this.#closing ??= this.#close(options))
  }

  async #call(destination: Destination, request: OutgoingRequest, options: CallSendOptions): Promise<Reply> {
    const { timeoutMs, monitorTimeoutMs, signal, retries, mandatory } = options
    const { clock } = this.#options
    const replies = this.#replyQueue
    signal?.throwIfAborted()
    const written = writeRequest(request)
    const { headers } = request
    const target = this.#targets.ofRequest(destination)
    let leftMs = timeoutMs
    if (!replies.ready) {
      const beganMs = clock.monotonicMs()
      await replies.open({ signal, retries, timeoutMs })
      leftMs -= clock.monotonicMs() - beganMs
    }
    const msgId = newMessageId()
    const address = { msgId, replyQueue: replies.name, monitorTimeoutMs }
    const text = requestText(written, newMessageId(), address)
    const message = encodeMessage(text, this.#compression, { headers, expirationMs: timeoutMs })
    const what = `the call of '${request.message.method}' on topic '${destination.topic}'`
    const call = replies.expect(msgId, { what, leftMs, timeoutMs, monitorTimeoutMs, signal })
    this.#sender
      .send(target, message, { mandatory, signal, retries, timeoutMs: leftMs })
      .catch((error: unknown) => {
        // The server may have it all the same: the reply will tell, or the time will be over.
        if (!isHermodError(error) || error.code !== 'E_UNCERTAIN') call.fail(error)
      })
    return call.promise
  }

  async #cast(destination: Destination, request: OutgoingRequest, options: SendOptions): Promise<void> {
    const { signal, retries, mandatory } = options
    signal?.throwIfAborted()
    const text = requestText(writeRequest(request), newMessageId())
    const message = encodeMessage(text, this.#compression, { headers: request.headers })
    await this.#sender.send(this.#targets.ofRequest(destination), message, {
      mandatory: mandatory && !destination.fanout,
      signal,
      retries,
    })
  }

  async #notify(
    destination: NotificationDestination,
    notification: OutgoingNotification,
    { signal, timeoutMs, retries, envelope }: NotifyOptions,
  ): Promise<void> {
    signal?.throwIfAborted()
    const text = notificationText(notification, newMessageId(), envelope)
    const message = encodeMessage(text, this.#compression, { headers: notification.headers })
    const options = { signal, timeoutMs, retries, resend: true }
    await this.#sender.send(this.#targets.ofNotification(destination), message, options)
  }

  async #subscribe(
    queues: readonly SubscribedQueue[],
    signal: AbortSignal | undefined,
    onStop: () => void = ignore,
  ): Promise<DriverSubscription> {
    signal?.throwIfAborted()
    if (this.#closing !== undefined) throw closedError()
    const { clock, logger } = this.#options
    const subscription = new QueueSubscription({
      link: this.#receiving,
      queues,
      settings: this.#settings,
      clock,
      onTrouble: (what, error) => logger.warn({ code: error.code }, `${what} failed: ${error.message}`),
      onStop,
      onClosed: () => {
        this.#subscriptions.delete(subscription)
        for (const { queue, deleteOnClose } of queues)
          if (deleteOnClose === true) this.#taken.forget(queue.name)
      },
    })
    this.#subscriptions.add(subscription)
    await subscription.start(signal)
    return subscription
  }

  #newReplySender(): ReplySender {
    return new ReplySender({
      sender: this.#sender,
      missing: this.#missing,
      settings: this.#settings,
      compression: this.#compression,
      counters: this.#counters,
      clock: this.#options.clock,
    })
  }

  /** For each of the queues: RabbitMQ counts by consumer. */
  #prefetch(backlog: number): number {
    return Math.min(this.#settings.prefetchCount || MOST_PREFETCHED, backlog, MOST_PREFETCHED)
  }

  #link(onConnected: () => void): LazyConnection {
    const { settings, connect, clock, onEvent } = this.#options
    return new LazyConnection({
      connect: (signal, onStatus) => connect({ ...rabbitConnectionOptions(settings), signal, onStatus }),
      onStatus: (status) => this.#onStatus(status),
      onConnected: ({ server }) => {
        onConnected()
        onEvent({ type: 'connected', server: server.address })
      },
      clock,
    })
  }

  #onStatus(status: ConnectionStatus): void {
    const { onEvent, logger } = this.#options
    switch (status.type) {
      case 'lost':
        this.#counters.disconnects++
        return onEvent({ type: 'disconnected', reason: status.error.message })
      case 'restored':
        return onEvent({ type: 'connected', server: status.server.address })
      case 'blocked':
        return onEvent({ type: 'blocked', reason: status.reason })
      case 'unblocked':
        return onEvent({ type: 'unblocked' })
      case 'topology-error':
        return logger.warn(
          { code: status.error.code },
          `${status.what} could not be declared again: ${status.error.message}`,
        )
      default:
    }
  }

  #refused(source: string, error: HermodError): void {
    const reason = error.message
    this.#options.logger.warn({ source, code: error.code }, `a message was refused: ${reason}`)
    this.#options.onEvent({ type: 'refused', source, reason })
  }

  async #close({ signal, timeoutMs = DRAIN_TIMEOUT_MS }: DeadlineOptions): Promise<void> {
    const closed = closedError()
    this.#replyQueue.close(closed)
    this.#missing.close()
    this.#sender.close(closed)
    await Promise.all(Array.from(this.#subscriptions, (subscription) => subscription.close()))
    const sending = this.#sending.close()
    // A connection that is away cannot confirm anything.
    if (sending?.state === 'open') await sending.drain({ signal, timeoutMs }).catch(ignore)
    await Promise.all([sending?.close(), this.#receiving.close()?.close()])
  }
}

/** A rejection that nobody awaits does not end the process; whoever awaits still gets it. */
function settledQuietly<T>(work: Promise<T>): Promise<T> {
  work.catch(ignore)
  return work
}

function closedError(): ConnectionClosedError {
  return new ConnectionClosedError('the transport is closed')
}

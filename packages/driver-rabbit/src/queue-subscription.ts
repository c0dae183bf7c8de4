import type { Channel, Connection, FieldTable, Message, Queue, Subscription } from '@hermod/amqp'
import {
  Backoff,
  ConnectionClosedError,
  createDeferred,
  isHermodError,
  onAbort,
  sleep,
  withDeadline,
  type Clock,
  type DeadlineOptions,
  type HermodError,
} from '@hermod/kernel'
import type { DriverSubscription } from '@hermod/messaging'
import { declareEntity } from './declare.ts'
import type { LazyConnection } from './lazy-connection.ts'
import type { RabbitSettings } from './rabbit-settings.ts'

/** A queue that a subscription takes messages from. */
export interface SubscribedQueue {
  readonly queue: Queue
  readonly prefetchCount: number
  readonly onMessage: (message: Message) => void
  /** Nobody will find it again: it is deleted when the subscription closes. */
  readonly deleteOnClose?: boolean | undefined
}

/** What a {@link QueueSubscription} is made from. */
export interface QueueSubscriptionOptions {
  readonly link: LazyConnection
  /** In the order in which they are declared and consumed. */
  readonly queues: readonly SubscribedQueue[]
  readonly settings: RabbitSettings
  readonly clock: Clock
  /** Something that goes wrong while it lives, and is tried again. */
  readonly onTrouble: (what: string, error: HermodError) => void
  /** Nothing new is wanted. */
  readonly onStop: () => void
  /** It is over. */
  readonly onClosed: () => void
}

const STREAM_OFFSET = 'x-stream-offset'

/** A delete of our own queue that the broker does not answer must not hold up the end. */
const DELETE_TIMEOUT_MS = 5_000

/**
 * Queues that are consumed together on one channel, declared by us and declared again whenever they may be gone: after
 * a reconnect, and when the broker cancels a consumer.
 *
 * The declarations are not left to the connection, which would go on making them when this is closed, and which does
 * not know that the exchange of a fanout queue vanished with it.
 */
export class QueueSubscription implements DriverSubscription {
  readonly #options: QueueSubscriptionOptions
  readonly #closing = new AbortController()
  readonly #closed = createDeferred<{ readonly error?: Error }>()
  #connection: Connection | undefined
  #channel: Channel | undefined
  #consumers: Subscription[] = []
  #redeclaring = false
  /** Queues that may be gone. */
  readonly #missing = new Set<Queue>()
  /** Where the queues were declared for the first time, or may have been. */
  #declaredOn: Connection | undefined
  /** Never rejects. */
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #ending: Promise<void> | undefined

  constructor(options: QueueSubscriptionOptions) {
    this.#options = options
  }

  get closed(): Promise<{ readonly error?: Error }> {
    return this.#closed.promise
  }

  /**
   * Declares and consumes; resolves when whatever is sent from now on arrives. However often the connection breaks
   * meanwhile, it goes on. When it fails or is given up, no consumer and no queue of ours is left.
   *
   * @throws what {@link declareEntity} throws.
   * @throws {AuthenticationError | AccessRefusedError} E_AUTH, E_ACCESS
   * @throws the signal's reason.
   */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const listening =
      signal === undefined ? undefined : onAbort(signal, () => this.#closing.abort(signal.reason))
    const starting = this.#start()
    this.#starting = starting.catch(() => {})
    try {
      await starting
    } catch (error) {
      await this.close()
      throw error
    } finally {
      listening?.[Symbol.dispose]()
    }
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  close(): Promise<void> {
    return (this.#ending ??= this.#close())
  }

  async #stop(): Promise<void> {
    this.#options.onStop()
    // One that cannot be told ends with its channel.
    await Promise.allSettled(this.#consumers.map((consumer) => consumer.cancel()))
  }

  async #start(): Promise<void> {
    const { link, clock } = this.#options
    const { signal } = this.#closing
    const backoff = new Backoff({ initialMs: 50, maxMs: 2_000 })
    for (;;) {
      const connection = await link.get({ signal })
      try {
        await this.#begin(connection)
        return
      } catch (error) {
        await this.#channel?.close()
        if (!isHermodError(error) || !error.retryable || signal.aborted) throw error
      }
      await sleep(backoff.nextMs(), { signal }, clock)
    }
  }

  async #begin(connection: Connection): Promise<void> {
    const { signal } = this.#closing
    this.#declaredOn = connection
    const queues = this.#options.queues.map(({ queue }) => queue)
    await this.#declare(queues, connection)
    const channel = (this.#channel = await openedChannel(connection, { signal }, this.#options.clock))
    this.#consumers = []
    for (const { queue, prefetchCount, onMessage } of this.#options.queues) {
      const isStream = queue.arguments['x-queue-type'] === 'stream'
      const args: Record<string, FieldTable[string]> = { ...queue.consumerArguments }
      const handler = isStream ? followingOffset(args, onMessage) : onMessage
      const options = { prefetchCount, arguments: args, signal }
      const consumer = await channel.consume(queue.name, options, handler)
      this.#consumers.push(consumer)
      void consumer.closed.then(({ error }) => error !== undefined && this.#lost(channel, error))
    }
    signal.throwIfAborted()
    this.#attach(connection, channel)
  }

  #attach(connection: Connection, channel: Channel): void {
    this.#connection = connection
    connection.on('restored', this.#onRestored).on('consumer-cancelled', this.#onCancelled)
    void channel.closed.then(({ error }) => error !== undefined && this.#lost(channel, error))
  }

  #detach(): void {
    this.#connection?.off('restored', this.#onRestored).off('consumer-cancelled', this.#onCancelled)
    this.#connection = undefined
  }

  readonly #onRestored = (): void => this.#redeclare(() => true)

  /**
   * The other queues are left alone, for they may be on their way out too: before version 4 RabbitMQ moves a consumer to
   * a queue that comes back before it has told of the cancellation, and then delivers into the void. Pinned by "gets its
   * queues back when somebody deletes them" in test/fault/driver-rabbit.test.ts.
   */
  readonly #onCancelled = ({ queue: name }: { readonly queue: string }): void =>
    this.#redeclare((queue) => queue.name === name)

  /** The consumers begin again by themselves, once their queues are there. */
  #redeclare(mayBeMissing: (queue: Queue) => boolean): void {
    for (const { queue } of this.#options.queues) if (mayBeMissing(queue)) this.#missing.add(queue)
    if (!this.#redeclaring) void this.#redeclareMissing()
  }

  async #redeclareMissing(): Promise<void> {
    const { clock, onTrouble } = this.#options
    const { signal } = this.#closing
    const backoff = new Backoff({ initialMs: 200, maxMs: 10_000 })
    this.#redeclaring = true
    while (this.#missing.size > 0 && !signal.aborted && this.#connection !== undefined) {
      const queues = Array.from(this.#missing)
      this.#missing.clear()
      try {
        await this.#declare(queues, this.#connection)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) break
        if (isHermodError(error)) onTrouble('declaring the queues again', error)
        for (const queue of queues) this.#missing.add(queue)
        await sleep(backoff.nextMs(), { signal }, clock).catch(() => {})
      }
    }
    this.#redeclaring = false
  }

  async #declare(queues: readonly Queue[], connection: Connection): Promise<void> {
    const { settings, clock } = this.#options
    const { signal } = this.#closing
    const openChannel = (): Promise<Channel> => openedChannel(connection, { signal }, clock, false)
    for (const queue of queues) await declareEntity(queue, { openChannel, settings, signal, clock })
  }

  /** The connection, the channel or a consumer ended for good, and it was not us. */
  #lost(channel: Channel, error: HermodError): void {
    if (this.#channel !== channel || this.#ending !== undefined || this.#connection === undefined) return
    this.#ending = this.#close(error)
  }

  async #close(error?: HermodError): Promise<void> {
    this.#closing.abort(error ?? new ConnectionClosedError('the subscription is closed'))
    // What is declared only now would be left behind.
    await this.#starting
    await this.stop()
    await this.#deleteQueues()
    this.#detach()
    await this.#channel?.close()
    this.#end(error)
  }

  async #deleteQueues(): Promise<void> {
    const ours = this.#options.queues.filter(({ deleteOnClose }) => deleteOnClose === true)
    if (ours.length === 0) return
    try {
      const channel = await this.#openForDeleting()
      // Without a connection they are left to their own time-out.
      if (channel === undefined) return
      for (const { queue } of ours) await channel.deleteQueue(queue.name, { timeoutMs: DELETE_TIMEOUT_MS })
    } catch (error) {
      const names = ours.map(({ queue }) => `'${queue.name}'`).join(', ')
      if (isHermodError(error)) this.#options.onTrouble(`deleting queue ${names}`, error)
    }
  }

  /** The channel that consumes, or, where the start did not get that far, one of its own. */
  async #openForDeleting(): Promise<Channel | undefined> {
    if (this.#channel?.state === 'open') return this.#channel
    const isStarted = this.#connection !== undefined
    if (isStarted || this.#declaredOn?.state !== 'open') return undefined
    const limits = { timeoutMs: DELETE_TIMEOUT_MS }
    return (this.#channel = await openedChannel(this.#declaredOn, limits, this.#options.clock, false))
  }

  #end(error?: HermodError): void {
    this.#closed.resolve(error === undefined ? {} : { error })
    this.#options.onClosed()
  }
}

/** A channel, unless that takes too long: it is closed again then, when it opens after all. */
async function openedChannel(
  connection: Connection,
  limits: DeadlineOptions,
  clock: Clock,
  recover = true,
): Promise<Channel> {
  const opening = connection.openChannel({ recover })
  try {
    return await withDeadline(opening, limits, 'opening a channel', clock)
  } catch (error) {
    opening.then(
      (channel) => channel.close(),
      () => {},
    )
    throw error
  }
}

/**
 * A stream is read on behind the last message that came, when its consumer begins again: the arguments are looked at
 * each time.
 * @source oslo.messaging _drivers/impl_rabbit.py Consumer._callback
 */
function followingOffset(
  args: Record<string, FieldTable[string]>,
  onMessage: (message: Message) => void,
): (message: Message) => void {
  return (message) => {
    const offset = message.properties.headers?.[STREAM_OFFSET]
    if (typeof offset === 'number') args[STREAM_OFFSET] = offset + 1
    else if (typeof offset === 'bigint') args[STREAM_OFFSET] = offset + 1n
    onMessage(message)
  }
}

import {
  ChannelClosedError,
  ConfigurationError,
  createDeferred,
  isHermodError,
  TypedEvents,
  withDeadline,
  type DeadlineOptions,
  type HermodError,
} from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { Connection } from '../client/connection.ts'
import type { Message } from '../client/message.ts'
import { channelWithin } from './channel-within.ts'
import { ConsumedQueues } from './consumed-queues.ts'
import {
  checkConsumerOptions,
  prefetchIssues,
  type ConsumerEnd,
  type ConsumerEvents,
  type ConsumerHandler,
  type ConsumerOptions,
  type ConsumerStats,
} from './consumer-options.ts'
import { ContentReader } from './content-reader.ts'
import { settleIfOpen, type MessageSource } from './held-message.ts'
import { MessageHandling } from './message-handling.ts'
import { MessageIteration } from './message-iteration.ts'
import type { Queue } from './queue.ts'

/** How long disposing waits for handlers. */
const DISPOSAL_MS = 30_000

/**
 * Consumes one or several queues with one handler or one loop: declares them, decodes bodies whose type is accepted,
 * and goes on after reconnects. At least once: what is not settled when the connection breaks is delivered again, and
 * settling a message of before then changes nothing and returns false.
 *
 * It has a channel of its own. Queues come and go while it consumes.
 *
 * @example
 * const consumer = new Consumer(connection, [queue], (body, message) => {
 *   console.log('Receive message', body)
 *   message.ack()
 * })
 * await consumer.start()
 */
export class Consumer extends TypedEvents<ConsumerEvents> {
  readonly #connection: Connection
  readonly #queues: ConsumedQueues
  readonly #options: ConsumerOptions
  readonly #reader: ContentReader
  readonly #handling: MessageHandling | undefined
  readonly #closed = createDeferred<ConsumerEnd>()
  #prefetchCount: number | undefined
  #iteration: MessageIteration | undefined
  #channel: Channel | undefined
  #consuming = false
  #isClosed = false
  /** Starting, adding, cancelling: one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #undecodable = 0

  /**
   * @param handler not needed with `onMessage`, or for {@link messages}.
   * @throws {ConfigurationError} E_CONFIG for options that cannot be meant.
   */
  constructor(
    connection: Connection,
    queues: Queue | readonly Queue[],
    handler?: ConsumerHandler,
    options: ConsumerOptions = {},
  ) {
    super()
    checkConsumerOptions(options, handler)
    this.#connection = connection
    this.#options = options
    this.#reader = new ContentReader(options)
    this.#prefetchCount = options.prefetchCount
    this.#queues = new ConsumedQueues(
      Array.isArray(queues) ? (queues as readonly Queue[]) : [queues as Queue],
      {
        onMessage: (message, source) => this.#receive(message, source),
        onEnded: (queue, error) => {
          this.emit('subscription-ended', { queue, error })
          if (this.#queues.consumedCount === 0) this.#iteration?.end(error)
        },
      },
    )
    const handle = options.onMessage === undefined ? handler : onlyMessage(options.onMessage)
    const read =
      options.onMessage === undefined
        ? (message: Message) => this.#read(message)
        : () => ({ body: undefined })
    if (handle !== undefined) {
      const onError = options.settle === 'auto' ? (options.onHandlerError ?? 'reject') : undefined
      const { concurrency = Infinity } = options
      this.#handling = new MessageHandling(read, handle, { concurrency, onError }, (error, message) =>
        this.#onHandlerError(error, message),
      )
    }
  }

  /** Its queues, consumed or not. */
  get queues(): readonly Queue[] {
    return this.#queues.all
  }

  /** Resolves, and never rejects, when it is over for good. */
  get closed(): Promise<ConsumerEnd> {
    return this.#closed.promise
  }

  /** Counters since the start. */
  stats(): ConsumerStats {
    const handling = this.#handling
    return {
      received: handling?.started ?? this.#iteration?.taken ?? 0,
      undecodable: this.#undecodable,
      failed: handling?.failed ?? 0,
      running: handling?.running ?? 0,
      waiting: handling?.waiting ?? this.#iteration?.waiting ?? 0,
    }
  }

  /**
   * Declares its queues with their exchanges and bindings and consumes those that are not consumed yet. Resolves when
   * the broker has said so for every one.
   *
   * @throws {ChannelError} E_CHANNEL when the broker refuses a declaration (406) or a queue (403, 404, 405). Nothing
   *   is consumed then that was not before.
   */
  async start(deadline: DeadlineOptions = {}): Promise<void> {
    if (this.#handling === undefined && this.#iteration === undefined)
      throw new ConfigurationError(['a consumer without a handler is read with messages()'])
    await this.#within(deadline, 'consumer.start', async (left) => {
      const channel = (this.#channel ??= await this.#openChannel(left))
      await this.#consume(channel, this.#queues.missing, left)
      this.#consuming = true
    })
  }

  /** Consumes one queue more; it is consumed at once where the others are. Rejects as {@link start}. */
  async addQueue(queue: Queue, deadline: DeadlineOptions = {}): Promise<void> {
    await this.#within(deadline, 'consumer.addQueue', async (left) => {
      this.#queues.add(queue)
      if (this.#channel === undefined || !this.#consuming || this.#queues.isConsumed(queue)) return
      try {
        await this.#consume(this.#channel, [queue], left)
      } catch (error) {
        this.#queues.remove(queue)
        throw error
      }
    })
  }

  /** Stops consuming a queue, by itself or by its name. Messages of it that came before are still handled. */
  async cancelQueue(queue: Queue | string): Promise<void> {
    await this.#inTurn(async () => {
      const found = this.#queues.find(queue)
      if (found === undefined) return
      this.#queues.remove(found)
      await this.#queues.cancel(found)
    })
  }

  /** Whether a queue, by itself or by its name, is consumed. */
  isConsumingFrom(queue: Queue | string): boolean {
    const found = this.#queues.find(queue)
    return found !== undefined && this.#queues.isConsumed(found)
  }

  /**
   * Changes how many unsettled messages the broker may have out for each queue. The broker counts for each consumer
   * from its start, so every queue is consumed anew: messages that are on their way at that moment may come later than
   * their successors, and marked as redelivered.
   */
  async setPrefetch(count: number, deadline: DeadlineOptions = {}): Promise<void> {
    const issues = prefetchIssues(count)
    if (issues.length > 0) throw new ConfigurationError(issues)
    await this.#within(deadline, 'consumer.setPrefetch', async (left) => {
      if (this.#channel !== undefined) {
        const options = { prefetchCount: count, noAck: this.#options.noAck }
        await this.#queues.consumeAnew(this.#channel, options, left)
      }
      this.#prefetchCount = count
    })
  }

  /** Removes the waiting messages of all its queues. @returns how many there were. */
  async purge(deadline: DeadlineOptions = {}): Promise<number> {
    let count = 0
    await this.#apart(deadline, async (channel) => {
      for (const queue of this.#queues.all)
        count += await queue.named(this.#queues.nameOf(queue)).purge(channel, deadline)
    })
    return count
  }

  /** Has the broker deliver anew what came and is not settled; settling it afterwards is stale and returns false. */
  async recover(deadline: DeadlineOptions = {}): Promise<void> {
    this.#release()
    await this.#channel?.recover(deadline)
  }

  /**
   * The messages for a `for await` loop, in place of a handler. The consumer starts with the loop, if it has not
   * before. Nothing is settled by the loop: each message is settled by its body. At most `prefetchCount` for each queue
   * wait here. Leaving the loop stops consuming, and what it has not taken goes back to its queue (a `noAck` message is
   * lost then); what it has taken can be settled until {@link close}.
   *
   * @throws {ConfigurationError} E_CONFIG when there is a handler, or a loop already.
   */
  messages(options: { readonly signal?: AbortSignal | undefined } = {}): MessageIteration {
    if (this.#handling !== undefined) throw new ConfigurationError(['a consumer with a handler has no loop'])
    if (this.#iteration !== undefined) throw new ConfigurationError(['a consumer has one loop only'])
    this.#iteration = new MessageIteration(this, (message) => this.#read(message), options.signal)
    return this.#iteration
  }

  /** Stops consuming. Messages that came before can still be settled until {@link close}. {@link start} goes on. */
  async cancel(): Promise<void> {
    if (!this.#isClosed) await this.#inTurn(() => this.#cancel())
  }

  async #cancel(): Promise<void> {
    this.#consuming = false
    await this.#queues.cancelAll()
  }

  /**
   * Stops consuming and resolves when every message that it holds is settled and every promise of a handler has ended.
   * What waits here for a handler goes back to its queue. The acks leave with {@link close}, or at the end of the turn.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT when a message is still not settled by then.
   */
  async drain(options: DeadlineOptions = {}): Promise<void> {
    if (this.#isClosed) return
    await withDeadline(
      this.#inTurn(async () => {
        await this.#cancel()
        this.#release()
        await this.#handling?.idle()
        await this.#channel?.settle()
        this.#iteration?.end()
      }),
      options,
      'consumer.drain',
    )
  }

  /** Stops consuming and closes the channel: what is not settled by then is delivered again, to whoever comes next. */
  async close(): Promise<void> {
    if (this.#isClosed) return void (await this.closed)
    this.#isClosed = true
    this.#release()
    this.#iteration?.end()
    await this.#channel?.close()
    this.#closed.resolve({})
  }

  /** {@link drain}s for at most 30 s, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) await this.drain({ timeoutMs: DISPOSAL_MS }).catch(() => {})
    await this.close()
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(() => {
      if (this.#isClosed) throw new ChannelClosedError('the consumer is closed')
      return work()
    })
    this.#turn = done.catch(() => {})
    return done
  }

  /**
   * Works in its turn, all of it within one deadline. What is begun ends when that is over, and the next turn comes when
   * it has ended.
   */
  async #within(
    deadline: DeadlineOptions,
    what: string,
    work: (left: DeadlineOptions) => Promise<void>,
  ): Promise<void> {
    const over = new AbortController()
    const left = { signal: over.signal, timeoutMs: deadline.timeoutMs }
    const done = this.#inTurn(async () => {
      over.signal.throwIfAborted()
      await work(left)
    })
    try {
      await withDeadline(done, deadline, what)
    } catch (error) {
      over.abort(error)
      throw error
    }
  }

  async #openChannel(deadline: DeadlineOptions): Promise<Channel> {
    const channel = await channelWithin(this.#connection.openChannel(), deadline)
    if (this.#isClosed) {
      await channel.close()
      throw new ChannelClosedError('the consumer was closed while it started')
    }
    void this.#watch(channel)
    return channel
  }

  async #watch(channel: Channel): Promise<void> {
    const end = await channel.closed
    this.#isClosed = true
    this.#release()
    this.#iteration?.end(end.error)
    this.#closed.resolve(end)
  }

  /** All of them or none. */
  async #consume(channel: Channel, queues: readonly Queue[], deadline: DeadlineOptions): Promise<void> {
    const names = new Map<Queue, string>()
    // A refusal closes the channel, and takes every message with it that is being worked on.
    await this.#apart(deadline, async (declaring) => {
      for (const queue of queues) names.set(queue, await queue.declare(declaring, deadline))
    })
    const options = { prefetchCount: this.#prefetchCount, noAck: this.#options.noAck }
    try {
      for (const [queue, name] of names) await this.#queues.consume(channel, queue, name, options, deadline)
    } catch (error) {
      await Promise.allSettled(queues.map((queue) => this.#queues.cancel(queue)))
      throw error
    }
  }

  async #apart(deadline: DeadlineOptions, work: (channel: Channel) => Promise<void>): Promise<void> {
    const channel = await channelWithin(this.#connection.openChannel(), deadline)
    try {
      await work(channel)
    } finally {
      await channel.close()
    }
  }

  #release(): void {
    this.#handling?.release()
    this.#iteration?.release()
  }

  #receive(message: Message, source: MessageSource): void {
    if (this.#handling !== undefined) this.#handling.handle(message, source)
    else this.#iteration?.put({ message, source })
  }

  #read(message: Message): { readonly body: unknown } | undefined {
    try {
      return { body: this.#reader.read(message) }
    } catch (error) {
      if (!isHermodError(error)) throw error
      this.#onUndecodable(error, message)
      return undefined
    }
  }

  #onUndecodable(error: HermodError, message: Message): void {
    this.#undecodable++
    const policy = this.#options.onDecodeError ?? 'reject'
    if (typeof policy === 'function') {
      const judged = new Promise<void>((resolve) => resolve(policy(error, message)))
      void judged
        .catch((reason: unknown) => this.#onHandlerError(reason, message))
        .then(() => settleIfOpen(message, 'reject'))
    } else {
      settleIfOpen(message, policy)
    }
    this.emit('decode-error', { error, message })
  }

  #onHandlerError(error: unknown, message: Message): void {
    const heard = this.listenerCount('handler-error') > 0
    this.emit('handler-error', { error, message })
    if (heard || this.#options.settle === 'auto') return
    queueMicrotask(() => {
      throw error
    })
  }
}

function onlyMessage(onMessage: (message: Message) => unknown): ConsumerHandler {
  return (_, message) => onMessage(message)
}

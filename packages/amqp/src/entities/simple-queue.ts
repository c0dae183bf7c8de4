import {
  ChannelClosedError,
  ConfigurationError,
  createDeferred,
  isHermodError,
  MessagingTimeoutError,
  TypedEvents,
  withDeadline,
  type DeadlineOptions,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { Connection } from '../client/connection.ts'
import type { Subscription } from '../client/consumer-subscription.ts'
import type { Message } from '../client/message.ts'
import type { ReceivedMessage } from './consumer-options.ts'
import { ContentReader, type ContentOptions } from './content-reader.ts'
import { Exchange, type ExchangeDefinition, type ExchangeType } from './exchange.ts'
import { Producer } from './producer.ts'
import type { ProducerPublishOptions } from './producer-options.ts'
import { Queue, type QueueDefinition } from './queue.ts'

/** How a {@link SimpleQueue} behaves. */
export interface SimpleQueueOptions extends ContentOptions {
  /** Name or content type. Default: bytes as `raw`, text as `text`, everything else as `json`. */
  readonly serializer?: string | undefined
  /** Label or alias of a compression, for example `gzip`. Default: none. */
  readonly compression?: string | undefined
  /** Messages that are taken from the broker ahead of `get`, and may be unsettled here, at the most. Default 250. */
  readonly prefetchCount?: number | undefined
  /** `get` acks the message that it gives. Default false: whoever gets it settles it. */
  readonly ackOnGet?: boolean | undefined
  /** What the queue is like, where only its name is given. */
  readonly queue?: Omit<QueueDefinition, 'exchange' | 'routingKey' | 'bindings'> | undefined
  /** What its exchange is like, where only its name is given. Default: direct and durable. */
  readonly exchange?: (ExchangeDefinition & { readonly type?: ExchangeType | undefined }) | undefined
}

/** What a {@link SimpleQueue} reports. */
export interface SimpleQueueEvents {
  /** A body could not be read: the message was rejected, and is dead-lettered where its queue says so. */
  'decode-error': { readonly error: HermodError; readonly message: Message }
}

/**
 * A queue to put into and get from, as `queue.Queue` is in Python. One name stands for an exchange, a queue and the
 * routing key between them, declared as kombu's SimpleQueue declares them.
 *
 * Nothing happens before it is used. `get` takes messages ahead, up to `prefetchCount`; those go back to the queue at
 * {@link close}. It survives reconnects.
 *
 * @example
 * await using jobs = new SimpleQueue(connection, 'jobs')
 * await jobs.put({ id: 7 })
 * const { body, message } = await jobs.get({ timeoutMs: 1000 })
 * message.ack()
 * @source kombu simple.py
 */
export class SimpleQueue extends TypedEvents<SimpleQueueEvents> implements AsyncIterable<ReceivedMessage> {
  readonly #connection: Connection
  readonly #queue: Queue
  readonly #producer: Producer
  readonly #reader: ContentReader
  readonly #prefetchCount: number | undefined
  readonly #ackOnGet: boolean
  readonly #waiting: Deferred<ReceivedMessage>[] = []
  /** Taken ahead, oldest first. */
  #held: Message[] = []
  #opening: Promise<Channel> | undefined
  #consuming: Promise<void> | undefined
  #subscription: Subscription | undefined
  #ended: HermodError | undefined
  #closing: Promise<void> | undefined

  /**
   * @param queue a name, or a queue of whatever kind; what is put then goes to its first exchange.
   * @throws {ConfigurationError} E_CONFIG for a queue without a name, and for options that cannot be meant.
   */
  constructor(connection: Connection, queue: string | Queue, options: SimpleQueueOptions = {}) {
    super()
    const { type, ...exchange } = options.exchange ?? {}
    this.#queue =
      typeof queue === 'string'
        ? new Queue(queue, {
            ...options.queue,
            exchange: new Exchange(queue, type, exchange),
            routingKey: queue,
          })
        : queue
    const { name, bindings } = this.#queue
    if (name === '') throw new ConfigurationError(['a simple queue needs a name'])
    this.#connection = connection
    this.#reader = new ContentReader(options)
    this.#prefetchCount = options.prefetchCount
    this.#ackOnGet = options.ackOnGet ?? false
    const { serializer, compression, serializers, compressions } = options
    this.#producer = new Producer(connection, {
      exchange: bindings[0]?.exchange,
      routingKey: bindings[0]?.routingKey ?? name,
      // With its queue its exchanges are declared.
      autoDeclare: false,
      declare: [this.#queue],
      serializer,
      compression,
      serializers,
      compressions,
    })
  }

  /** The queue's name. */
  get name(): string {
    return this.#queue.name
  }

  /** Puts a value in; resolves when the broker has it. Options and errors are those of `Producer.publish`. */
  put(body: unknown, options: ProducerPublishOptions = {}): Promise<void> {
    return this.#producer.publish(body, options)
  }

  /**
   * Takes the next message, and waits for it if there is none.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT when none came in time.
   * @throws {ChannelError} E_CHANNEL 406: the queue exists with other properties; 405: it is somebody else's.
   * @throws {ChannelClosedError | ConnectionClosedError} the queue or its connection is closed.
   */
  async get(deadline: DeadlineOptions = {}): Promise<ReceivedMessage> {
    const { signal, timeoutMs = Infinity } = deadline
    const endMs = performance.now() + timeoutMs
    signal?.throwIfAborted()
    for (;;) {
      const left = { signal, timeoutMs: Math.max(1, endMs - performance.now()) }
      try {
        await withDeadline(this.#consume(), left, 'get')
        const received = this.#next() ?? (await this.#wait(left))
        // A channel that died meanwhile: the broker delivers the message again.
        if (this.#ackOnGet && !received.message.ack()) continue
        return received
      } catch (error) {
        if (error instanceof MessagingTimeoutError && timeoutMs !== Infinity)
          throw new MessagingTimeoutError(`get from '${this.name}'`, timeoutMs)
        throw error
      }
    }
  }

  /** Takes the next message if there is one, else undefined. Errors as for {@link get}. */
  async getNow(deadline: DeadlineOptions = {}): Promise<ReceivedMessage | undefined> {
    for (;;) {
      let received = this.#ended === undefined ? this.#next() : undefined
      if (received === undefined) {
        const channel = await withDeadline(this.#open(), deadline, `get from '${this.name}'`)
        const message = await channel.get(this.name, deadline)
        // What came for the consumer while the broker was asked is older.
        if (message !== undefined) this.#held.push(message)
        received = this.#next()
        if (received === undefined) {
          if (message === undefined) return undefined
          continue
        }
      }
      if (!this.#ackOnGet || received.message.ack()) return received
    }
  }

  /** Messages that wait, at the broker and here; those that somebody got and did not settle are not among them. */
  async size(deadline: DeadlineOptions = {}): Promise<number> {
    await withDeadline(this.#open(), deadline, `size of '${this.name}'`)
    const status = await this.#connection.queueStatus(this.name, deadline)
    this.#held = this.#held.filter((message) => !this.#isStale(message))
    return (status?.messageCount ?? 0) + this.#held.length
  }

  /** Removes the messages that wait, at the broker and here. @returns how many there were. */
  async clear(deadline: DeadlineOptions = {}): Promise<number> {
    const channel = await withDeadline(this.#open(), deadline, `clear '${this.name}'`)
    const purged = await channel.purgeQueue(this.name, deadline)
    const held = this.#held
    this.#held = []
    return purged + held.filter((message) => message.ack()).length
  }

  /** Every message, as {@link get} gives them, until it is closed. Leaving the loop closes nothing. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, void, undefined> {
    for (;;) {
      let received: ReceivedMessage
      try {
        received = await this.get()
      } catch (error) {
        if (this.#closing !== undefined) return
        throw error
      }
      yield received
    }
  }

  /**
   * Waits for the confirms of what was put in (30 s at the most) and closes the channels. Messages that are not
   * settled go back to the queue; who waits in `get` is rejected. Never rejects; concurrent callers share it.
   */
  async close(deadline: DeadlineOptions = {}): Promise<void> {
    await (this.#closing ??= this.#close(deadline))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(deadline: DeadlineOptions): Promise<void> {
    this.#end(new ChannelClosedError(`the simple queue '${this.name}' is closed`))
    await this.#producer.close(deadline)
    const channel = await this.#opening?.catch(() => undefined)
    await channel?.close()
  }

  #end(error: HermodError): void {
    this.#ended ??= error
    this.#held = []
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#ended)
  }

  #open(): Promise<Channel> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return (this.#opening ??= this.#declare().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    }))
  }

  async #declare(): Promise<Channel> {
    const channel = await this.#connection.openChannel()
    try {
      await this.#queue.declare(channel)
    } catch (error) {
      await channel.close()
      throw error
    }
    return channel
  }

  #consume(): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return (this.#consuming ??= this.#subscribe().catch((error: unknown) => {
      this.#consuming = undefined
      throw error
    }))
  }

  async #subscribe(): Promise<void> {
    const channel = await this.#open()
    const options = { prefetchCount: this.#prefetchCount, arguments: this.#queue.consumerArguments }
    const subscription = await channel.consume(this.name, options, (message) => {
      this.#held.push(message)
      this.#serve()
    })
    this.#subscription = subscription
    void subscription.closed.then(({ error }) => {
      this.#end(error ?? new ChannelClosedError(`the consumer of '${this.name}' has ended`))
      return undefined
    })
  }

  async #wait(deadline: DeadlineOptions): Promise<ReceivedMessage> {
    const waiter = createDeferred<ReceivedMessage>()
    this.#waiting.push(waiter)
    try {
      return await withDeadline(waiter.promise, deadline, 'get')
    } catch (error) {
      const at = this.#waiting.indexOf(waiter)
      if (at >= 0) this.#waiting.splice(at, 1)
      // It was served in the moment in which it gave up.
      else waiter.promise.then(({ message }) => this.#putBack(message)).catch(() => {})
      throw error
    }
  }

  #putBack(message: Message): void {
    this.#held.unshift(message)
    this.#serve()
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const received = this.#next()
      if (received === undefined) return
      this.#waiting.shift()?.resolve(received)
    }
  }

  /** The oldest message that is held and can be read. */
  #next(): ReceivedMessage | undefined {
    for (let message = this.#held.shift(); message !== undefined; message = this.#held.shift()) {
      if (this.#isStale(message)) continue
      try {
        return { body: this.#reader.read(message), message }
      } catch (error) {
        if (!isHermodError(error)) throw error
        message.reject()
        this.emit('decode-error', { error, message })
      }
    }
    return undefined
  }

  /** What came on a channel that has died since is delivered again. */
  #isStale({ consumerTag }: Message): boolean {
    const subscription = this.#subscription
    if (subscription === undefined || consumerTag === '') return false
    return subscription.state === 'away' || subscription.consumerTag !== consumerTag
  }
}

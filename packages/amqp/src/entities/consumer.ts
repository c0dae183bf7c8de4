import { isHermodError, TypedEvents, type HermodError } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { Connection } from '../client/connection.ts'
import type { Subscription } from '../client/consumer-subscription.ts'
import type { Message } from '../client/message.ts'
import { ContentReader, type ContentOptions } from './content-reader.ts'
import type { Queue } from './queue.ts'

/** How a {@link Consumer} behaves. */
export interface ConsumerOptions extends ContentOptions {
  /** Unsettled messages that the broker may have out at once, for each queue. Default 250. */
  readonly prefetchCount?: number | undefined
}

/** What a {@link Consumer} reports. */
export interface ConsumerEvents {
  /** A body could not be read: the message was rejected, and is dead-lettered where its queue says so. */
  'decode-error': { readonly error: HermodError; readonly message: Message }
}

/** What is done with each message: its decoded body, and the message itself, which is to be settled. */
export type ConsumerHandler = (body: unknown, message: Message) => void

/** Counters of a {@link Consumer}. */
export interface ConsumerStats {
  /** Messages handed to the handler. */
  readonly received: number
  /** Messages that could not be read, and were rejected. */
  readonly undecodable: number
}

/**
 * Consumes one or several queues with one handler: declares them, decodes bodies whose type is accepted, and goes on
 * after reconnects. At least once: what is not settled when the connection breaks is delivered again.
 *
 * A message that cannot be read is rejected without requeue, counted, and reported as `decode-error`.
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
  readonly #queues: readonly Queue[]
  readonly #handler: ConsumerHandler
  readonly #reader: ContentReader
  readonly #prefetchCount: number | undefined
  #started: Promise<Channel> | undefined
  #subscriptions: Subscription[] = []
  #received = 0
  #undecodable = 0

  /** @throws {ConfigurationError} E_CONFIG for an unknown name on the accept list. */
  constructor(
    connection: Connection,
    queues: readonly Queue[],
    handler: ConsumerHandler,
    options: ConsumerOptions = {},
  ) {
    super()
    this.#connection = connection
    this.#queues = queues
    this.#handler = handler
    this.#reader = new ContentReader(options)
    this.#prefetchCount = options.prefetchCount
  }

  /** Counters since the start. */
  stats(): ConsumerStats {
    return { received: this.#received, undecodable: this.#undecodable }
  }

  /**
   * Declares the queues with their exchanges and bindings and consumes them. Resolves when every queue is consumed.
   * @throws {ChannelError} E_CHANNEL when the broker refuses a declaration (406) or a queue (403, 405).
   */
  async start(): Promise<void> {
    await (this.#started ??= this.#start())
  }

  async #start(): Promise<Channel> {
    const channel = await this.#connection.openChannel()
    try {
      for (const queue of this.#queues) {
        const name = await queue.declare(channel)
        const options = { prefetchCount: this.#prefetchCount }
        this.#subscriptions.push(await channel.consume(name, options, (message) => this.#receive(message)))
      }
    } catch (error) {
      await channel.close()
      throw error
    }
    return channel
  }

  /** Stops consuming. Messages that are being worked on can still be settled until {@link close}. */
  async cancel(): Promise<void> {
    await this.#started
    await Promise.all(this.#subscriptions.map((subscription) => subscription.cancel()))
  }

  /** Stops consuming and closes the channel: what is not settled by then is delivered again, to whoever comes next. */
  async close(): Promise<void> {
    const channel = await this.#started
    await this.cancel()
    await channel?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #receive(message: Message): void {
    let body: unknown
    try {
      body = this.#reader.read(message)
    } catch (error) {
      if (!isHermodError(error)) throw error
      this.#undecodable++
      message.reject()
      this.emit('decode-error', { error, message })
      return
    }
    this.#received++
    this.#handler(body, message)
  }
}

import { randomBytes } from 'node:crypto'
import type { Channel, Connection, Message, Subscription } from '@hermod/amqp'
import {
  AccessRefusedError,
  ChannelClosedError,
  ChannelError,
  isHermodError,
  type HermodError,
} from '@hermod/kernel'
import type { ResolvedTapOptions } from './tap-options.ts'

const ACCESS_REFUSED = 403
const NOT_FOUND = 404

/** How a search for exchanges ended. */
export interface SearchResult {
  /** Exchanges that are bound now and were not before. */
  readonly appeared: readonly string[]
  /** Exchanges that may not be read, with the broker's words; said once for each. */
  readonly refused: readonly { readonly exchange: string; readonly error: ChannelError }[]
}

/**
 * One queue of a tap: exclusive, so that it vanishes with its connection, and named `hermod.tap.<random>`, so that a
 * permission can name it. A tap that comes back gets another one with a fresh name, because the broker may not have
 * noticed yet that the old connection is dead.
 */
export class TapQueue {
  readonly name: string
  readonly #connection: Connection
  readonly #channel: Channel
  readonly #options: ResolvedTapOptions
  readonly #bound = new Set<string>()
  readonly #missing = new Set<string>()
  readonly #refused = new Set<string>()
  #deleted: HermodError | undefined

  private constructor(name: string, connection: Connection, channel: Channel, options: ResolvedTapOptions) {
    this.name = name
    this.#connection = connection
    this.#channel = channel
    this.#options = options
  }

  /**
   * Declares the queue, binds it to every exchange that is there, and begins to consume it. Each message is acked as
   * soon as `onMessage` has returned.
   *
   * @throws {AccessRefusedError} E_ACCESS when the user may not have such a queue.
   */
  static async open(
    connection: Connection,
    options: ResolvedTapOptions,
    onMessage: (message: Message, queue: string) => void,
  ): Promise<{ readonly queue: TapQueue; readonly search: SearchResult }> {
    const name = `hermod.tap.${randomBytes(8).toString('hex')}`
    const channel = await connection.openChannel({ recover: false })
    try {
      await channel.declareQueue(name, {
        durable: false,
        exclusive: true,
        autoDelete: true,
        arguments: { 'x-max-length': options.maxLength, 'x-max-length-bytes': options.maxLengthBytes },
      })
      const queue = new TapQueue(name, connection, channel, options)
      const search = await queue.search()
      const subscription = await channel.consume(
        name,
        { prefetchCount: options.prefetchCount },
        (message) => {
          onMessage(message, name)
          message.ack()
        },
      )
      // A queue that somebody deletes ends its consumer, and not the channel.
      void queue.#endWith(subscription)
      return { queue, search }
    } catch (error) {
      await channel.close()
      throw explainRefusal(error)
    }
  }

  async #endWith(subscription: Subscription): Promise<void> {
    const { error } = await subscription.closed
    this.#deleted = error
    await this.#channel.close()
  }

  /** Resolves when the queue is gone, and says why. */
  get ended(): Promise<HermodError | undefined> {
    return this.#channel.closed.then(({ error }) => error ?? this.#deleted)
  }

  /** What the queue is bound to. */
  get bound(): readonly string[] {
    return [...this.#bound]
  }

  /** What was looked for and is not there. */
  get missing(): readonly string[] {
    return [...this.#missing]
  }

  /**
   * Binds the queue to every wanted exchange, again where it is bound already: an exchange may have been deleted and
   * declared anew, which nobody is told of. Never with `#`: the same exchanges carry RPC requests with tokens.
   *
   * Done on channels of its own, because the broker answers a missing exchange by closing the channel.
   *
   * @param exchanges which ones; by default all that are wanted.
   * @throws when the connection is lost meanwhile, or no channel lives long enough to ask.
   */
  async search(exchanges: readonly string[] = this.#options.exchanges): Promise<SearchResult> {
    const appeared: string[] = []
    const refused: { exchange: string; error: ChannelError }[] = []
    let left = [...exchanges]
    while (left.length > 0) {
      const channel = await this.#connection.openChannel({ recover: false })
      const results = await Promise.allSettled(left.map((exchange) => this.#bind(channel, exchange)))
      await channel.close()
      const again: string[] = []
      for (const [at, result] of results.entries()) {
        const exchange = left[at] as string
        if (result.status === 'fulfilled') {
          if (!this.#bound.has(exchange)) appeared.push(exchange)
          this.#bound.add(exchange)
          this.#missing.delete(exchange)
          continue
        }
        const error: unknown = result.reason
        if (error instanceof ChannelError && error.replyCode === NOT_FOUND) {
          this.#bound.delete(exchange)
          this.#missing.add(exchange)
        } else if (error instanceof ChannelError) {
          this.#bound.delete(exchange)
          if (!this.#refused.has(exchange)) refused.push({ exchange, error })
          this.#refused.add(exchange)
        } else if (isHermodError(error) && error.code === 'E_CHANNEL_CLOSED') {
          again.push(exchange)
        } else {
          throw error
        }
      }
      // Something must come of each round, or a broker that closes every channel would keep us asking for ever.
      if (again.length === left.length)
        throw new ChannelClosedError('the broker closed the channel over no binding in particular')
      left = again
    }
    return { appeared, refused }
  }

  async #bind(channel: Channel, exchange: string): Promise<void> {
    const binds = this.#options.topics.map((topic) => channel.bindQueue(this.name, exchange, `${topic}.*`))
    // All of them settle, so that none is left behind; the first failure is the one that the broker names.
    const failed = (await Promise.allSettled(binds)).find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** How many messages wait in the broker; undefined when the queue is gone. */
  async depth(): Promise<number | undefined> {
    return (await this.#connection.queueStatus(this.name))?.messageCount
  }
}

function explainRefusal(error: unknown): unknown {
  if (!(error instanceof ChannelError) || error.replyCode !== ACCESS_REFUSED) return error
  return new AccessRefusedError(
    `the broker refuses a queue for the tap (${error.replyText}); its user needs "configure" and "write" on ^hermod\\.tap\\. and "read" on that and on the exchanges`,
    { cause: error, details: { replyCode: error.replyCode } },
  )
}

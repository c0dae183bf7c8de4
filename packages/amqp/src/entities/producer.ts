import {
  ChannelClosedError,
  ChannelError,
  ConfigurationError,
  createDeferred,
  isHermodError,
  TypedEvents,
  withDeadline,
  type DeadlineOptions,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import { channelWithin } from './channel-within.ts'
import type { Connection } from '../client/connection.ts'
import type { Message } from '../client/message.ts'
import type { PublishOptions } from '../client/publisher.ts'
import { DEFAULT_COMPRESSIONS, type CompressionRegistry } from './compression-registry.ts'
import { writeContent } from './content-writer.ts'
import { DeclaredEntities, type Entity } from './declared-entities.ts'
import { Exchange } from './exchange.ts'
import { wireProperties } from './message-properties.ts'
import type { ProducerOptions, ProducerPublishOptions } from './producer-options.ts'
import { DEFAULT_SERIALIZERS, type SerializerRegistry } from './serializer-registry.ts'

/** How long {@link Producer.close} waits for confirms when it is not told. */
const CLOSE_TIMEOUT_MS = 30_000

const NOTHING: readonly Entity[] = Object.freeze([])

/** What a {@link Producer} reports. */
export interface ProducerEvents {
  /** A publish failed, awaited or not. Publishes that were cancelled by their signal are not among them. */
  'publish-failed': { readonly error: HermodError; readonly exchange: string; readonly routingKey: string }
}

/** Counters of a {@link Producer}. */
export interface ProducerStats {
  /** Calls of `publish`. */
  readonly published: number
  /** Messages that the broker has confirmed. */
  readonly confirmed: number
  /** Publishes that rejected, for any reason. */
  readonly failed: number
  /** Of these: mandatory messages that no queue took. */
  readonly returned: number
  /** Bytes of bodies, serialised and compressed, that were handed on for sending. */
  readonly bytes: number
}

/** A message that is ready to be sent. */
interface Outgoing {
  readonly exchange: string
  readonly routingKey: string
  readonly body: Uint8Array
  readonly options: PublishOptions
  readonly entities: readonly Entity[]
}

/**
 * Publishes values: serialises and compresses them, declares what they need once, and gives a promise for each
 * broker's confirm. Messages leave in the order of the calls.
 *
 * It uses channels of its own, which are opened when they are first needed and come back after reconnects.
 * Declarations have one to themselves, so that a refused one harms no message on its way.
 *
 * @example
 * await using producer = new Producer(connection, { exchange: new Exchange('orders', 'topic') })
 * await producer.publish({ id: 7 }, { routingKey: 'order.created' })
 */
export class Producer extends TypedEvents<ProducerEvents> {
  readonly #connection: Connection
  readonly #options: ProducerOptions
  readonly #serializers: SerializerRegistry
  readonly #compressions: CompressionRegistry
  readonly #declared: DeclaredEntities
  #channel: Channel | undefined
  #opening: Promise<Channel> | undefined
  #declaring: Promise<Channel> | undefined
  /** Never rejects; there while a message waits for a channel or a declaration, so that no other overtakes it. */
  #turn: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #published = 0
  #confirmed = 0
  #failed = 0
  #returned = 0
  #bytes = 0

  /** @throws {ConfigurationError} E_CONFIG for a serializer or a compression that is not there. */
  constructor(connection: Connection, options: ProducerOptions = {}) {
    super()
    this.#connection = connection
    this.#options = options
    this.#serializers = options.serializers ?? DEFAULT_SERIALIZERS
    this.#compressions = options.compressions ?? DEFAULT_COMPRESSIONS
    this.#declared = new DeclaredEntities(async (entity) => entity.declare(await this.#declaringChannel()))
    const { serializer, compression } = options
    const issues: string[] = []
    if (serializer !== undefined && this.#serializers.find(serializer) === undefined)
      issues.push(`there is no serializer '${serializer}'; there are ${this.#serializers.names.join(', ')}`)
    if (compression !== undefined && this.#compressions.find(compression) === undefined)
      issues.push(
        `there is no compression '${compression}'; there are ${this.#compressions.names.join(', ')}`,
      )
    if (issues.length > 0) throw new ConfigurationError(issues)
  }

  /** Counters since the start. */
  stats(): ProducerStats {
    return {
      published: this.#published,
      confirmed: this.#confirmed,
      failed: this.#failed,
      returned: this.#returned,
      bytes: this.#bytes,
    }
  }

  /**
   * Publishes a value. At least once, once the promise resolves: the broker has confirmed it (which says nothing about
   * whether a queue took it, unless `mandatory`).
   *
   * The value is serialised at once and may change afterwards; bytes that are neither serialised nor compressed are
   * not copied, and are not to change before the promise settles. A rejection that nobody awaits does not end the
   * process; it is counted, and reported as `publish-failed`.
   *
   * @throws {EncodeError} E_ENCODE the body cannot be written so.
   * @throws {ConfigurationError} E_CONFIG options that contradict each other, or that the broker would refuse.
   * @throws {ChannelError} E_CHANNEL 406: something to declare exists with other properties; 404: there is no such
   *   exchange.
   * @throws {MessageUndeliverableError | MessageNackedError | PublishUncertainError} as `Channel.publish`.
   * @throws {MessagingTimeoutError} E_TIMEOUT `timeoutMs` was over; the message may have been sent.
   */
  publish(body: unknown, options: ProducerPublishOptions = {}): Promise<void> {
    this.#published++
    let outgoing: Outgoing
    let sending: Promise<void>
    try {
      outgoing = this.#prepare(body, options)
      sending = this.#send(outgoing)
    } catch (error) {
      sending = Promise.reject(error)
      this.#count(sending, nameOf(this.#exchangeOf(options)), this.#routingKeyOf(options))
      return sending
    }
    this.#count(sending, outgoing.exchange, outgoing.routingKey)
    return sending
  }

  /**
   * Answers a message: publishes to the queue of its `replyTo`, with its correlation id and in its serializer.
   *
   * @param options as for {@link publish}. The exchange is the default one, unless it is given here.
   * @throws {ConfigurationError} E_CONFIG when the message asks for no answer.
   * @source kombu common.py, send_reply
   */
  reply(message: Message, body: unknown, options: ProducerPublishOptions = {}): Promise<void> {
    const { replyTo, correlationId, contentType } = message.properties
    if ((replyTo === undefined || replyTo === '') && options.routingKey === undefined) {
      const error = new ConfigurationError(['the message has no replyTo: it asks for no answer'])
      const rejected = Promise.reject(error)
      this.#published++
      this.#count(rejected, '', '')
      return rejected
    }
    const serializer = options.contentType === undefined ? contentType : undefined
    return this.publish(body, {
      ...options,
      exchange: options.exchange ?? '',
      routingKey: options.routingKey ?? replyTo,
      correlationId: options.correlationId ?? correlationId,
      serializer: options.serializer ?? serializer,
    })
  }

  /**
   * Stops taking messages, waits for the confirms of those that it took, and closes its channels. What is not
   * confirmed when the time is over (default 30 s) or the signal aborts, rejects. Never rejects; concurrent callers share it.
   */
  async close(deadline: DeadlineOptions = {}): Promise<void> {
    await (this.#closing ??= this.#close(deadline))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close({ signal, timeoutMs = CLOSE_TIMEOUT_MS }: DeadlineOptions): Promise<void> {
    const endMs = performance.now() + timeoutMs
    const drained = async (): Promise<void> => {
      await this.#turn
      await this.#channel?.drain()
    }
    await withDeadline(drained(), { signal, timeoutMs }, 'closing a producer').catch(() => {})
    // One that is open is closed in any case.
    const leftMs = signal?.aborted === true ? 1 : Math.max(1, endMs - performance.now())
    const close = async (opening: Promise<Channel> | undefined): Promise<void> => {
      if (opening === undefined) return
      const channel = await channelWithin(opening, { timeoutMs: leftMs })
      await channel.close()
    }
    await Promise.allSettled([close(this.#opening), close(this.#declaring)])
  }

  #prepare(body: unknown, options: ProducerPublishOptions): Outgoing {
    if (this.#closing !== undefined)
      throw new ChannelClosedError('the message was not sent: the producer is closed')
    const defaults = this.#options
    const choice = {
      serializer: options.serializer ?? (options.contentType === undefined ? defaults.serializer : undefined),
      compression: options.compression ?? defaults.compression,
      contentType: options.contentType,
      contentEncoding: options.contentEncoding,
    }
    const content = writeContent(body, choice, this.#serializers, this.#compressions)
    const exchange = this.#exchangeOf(options)
    const { properties = {} } = defaults
    const deliveryMode =
      options.deliveryMode ??
      properties.deliveryMode ??
      deliveryModeOf(exchange) ??
      deliveryModeOf(defaults.exchange)
    return {
      exchange: nameOf(exchange),
      routingKey: this.#routingKeyOf(options),
      body: content.body,
      options: {
        properties: wireProperties(properties, options, content, deliveryMode ?? 'persistent'),
        mandatory: options.mandatory ?? defaults.mandatory,
        resend: options.resend ?? defaults.resend,
        signal: options.signal,
        timeoutMs: options.timeoutMs ?? defaults.timeoutMs,
      },
      entities: this.#undeclared(exchange, options.declare),
    }
  }

  #exchangeOf(options: ProducerPublishOptions): Exchange | string {
    return options.exchange ?? this.#options.exchange ?? ''
  }

  #routingKeyOf(options: ProducerPublishOptions): string {
    return options.routingKey ?? this.#options.routingKey ?? ''
  }

  #undeclared(exchange: Exchange | string, more: readonly Entity[] = NOTHING): readonly Entity[] {
    const { declare = NOTHING, autoDeclare = true } = this.#options
    const own = autoDeclare && exchange instanceof Exchange && !this.#declared.has(exchange)
    if (!own && declare.length + more.length === 0) return NOTHING
    const undeclared = [...declare, ...more].filter((entity) => !this.#declared.has(entity))
    return own ? [exchange, ...undeclared] : undeclared
  }

  #send(outgoing: Outgoing): Promise<void> {
    if (this.#channel === undefined || this.#turn !== undefined || outgoing.entities.length > 0)
      return this.#sendInTurn(outgoing)
    const { exchange, routingKey, body, options } = outgoing
    this.#bytes += body.byteLength
    return this.#channel.publish(exchange, routingKey, body, options)
  }

  #sendInTurn(outgoing: Outgoing): Promise<void> {
    const before = this.#turn ?? Promise.resolve()
    const result = createDeferred<void>()
    const declared = outgoing.entities.map((entity) => this.#declared.ensure(entity))
    const ready = Promise.all([this.#openChannel(), before, ...declared])
    const waiting = withDeadline(ready, outgoing.options, 'basic.publish')
    // It may fail before its turn comes.
    waiting.catch(result.reject)
    const turn = this.#takeTurn(before, waiting, outgoing, result)
    this.#turn = turn
    void turn.then(() => {
      if (this.#turn === turn) this.#turn = undefined
      return undefined
    })
    return result.promise
  }

  async #takeTurn(
    before: Promise<void>,
    waiting: Promise<readonly [Channel, ...unknown[]]>,
    { exchange, routingKey, body, options }: Outgoing,
    result: Deferred<void>,
  ): Promise<void> {
    const { timeoutMs = Infinity } = options
    const endMs = performance.now() + timeoutMs
    await before
    try {
      const [channel] = await waiting
      const limits = { ...options, timeoutMs: Math.max(1, endMs - performance.now()) }
      this.#bytes += body.byteLength
      channel.publish(exchange, routingKey, body, limits).then(result.resolve, result.reject)
    } catch (error) {
      result.reject(error)
    }
  }

  #openChannel(): Promise<Channel> {
    return (this.#opening ??= this.#connection
      .openChannel({ maxUnconfirmed: this.#options.maxUnconfirmed })
      .then(
        (channel) => (this.#channel = channel),
        (error: unknown) => {
          this.#opening = undefined
          throw error
        },
      ))
  }

  #declaringChannel(): Promise<Channel> {
    return (this.#declaring ??= this.#connection.openChannel().catch((error: unknown) => {
      this.#declaring = undefined
      throw error
    }))
  }

  /** Counts what becomes of a publish. That somebody listens here keeps a rejection that nobody awaits from ending the process. */
  #count(sending: Promise<void>, exchange: string, routingKey: string): void {
    sending.then(
      () => void this.#confirmed++,
      (error: unknown) => {
        this.#failed++
        if (!isHermodError(error)) return
        if (error.code === 'E_UNROUTABLE') this.#returned++
        // The exchange is gone, though it was declared.
        if (error instanceof ChannelError && error.replyCode === 404) this.#declared.forget()
        this.emit('publish-failed', { error, exchange, routingKey })
      },
    )
  }
}

function nameOf(exchange: Exchange | string): string {
  return typeof exchange === 'string' ? exchange : exchange.name
}

function deliveryModeOf(exchange: Exchange | string | undefined): Exchange['deliveryMode'] | undefined {
  return exchange instanceof Exchange ? exchange.deliveryMode : undefined
}

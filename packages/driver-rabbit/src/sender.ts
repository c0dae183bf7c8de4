import type { Channel, Exchange, Queue } from '@hermod/amqp'
import {
  Backoff,
  ChannelClosedError,
  ChannelError,
  isHermodError,
  MessageDeliveryError,
  sleep,
  withDeadline,
  type Clock,
  type HermodError,
} from '@hermod/kernel'
import { declareEntity } from './declare.ts'
import type { DriverCounters } from './driver-counters.ts'
import type { EncodedMessage } from './encoded-message.ts'
import type { ConnectionWait, LazyConnection } from './lazy-connection.ts'
import type { RabbitSettings } from './rabbit-settings.ts'

/**
 * What is published on a channel of its own: the broker closes a channel over one publish to an exchange that is gone,
 * and what else was on its way there is uncertain then.
 */
export type SendPurpose = 'requests' | 'fanouts' | 'notifications' | 'replies'

/** Where a message is published, and what is declared before. */
export interface SendTarget {
  readonly purpose: SendPurpose
  readonly exchange: string
  readonly routingKey: string
  /** Declared once on each connection; undefined: nothing is. */
  readonly entity: Exchange | Queue | undefined
}

/** How a message is published. */
export interface SendingOptions extends ConnectionWait {
  readonly mandatory?: boolean | undefined
  /** Whether it is published again when the connection broke before its confirm. */
  readonly resend?: boolean | undefined
}

const NOT_FOUND = 404
const MOST_VANISHED = 5

/** How often at most a purpose gets another channel because the broker refuses what is published. */
const LEAVE_MS = 1_000

/** Publishes on a connection that is only for this: a broker that blocks publishers must not hold up what is received. */
export class Sender {
  readonly #link: LazyConnection
  readonly #settings: RabbitSettings
  readonly #counters: DriverCounters
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #channels: { [Purpose in SendPurpose]?: Promise<Channel> | Channel } = {}
  readonly #leftMs: { [Purpose in SendPurpose]?: number } = {}
  readonly #declared = new Set<Exchange | Queue>()
  readonly #declaring = new Map<Exchange | Queue, Promise<void>>()

  constructor(link: LazyConnection, settings: RabbitSettings, counters: DriverCounters, clock: Clock) {
    this.#link = link
    this.#settings = settings
    this.#counters = counters
    this.#clock = clock
  }

  /** There is another connection: nothing of the old one is left. */
  reset(): void {
    this.#channels = {}
    this.#declared.clear()
    this.#declaring.clear()
  }

  /**
   * Publishes a message; resolves once the broker has confirmed it. What the broker refused, or could not route because
   * its exchange vanished, is published again.
   *
   * When all is in place, the message is written before this returns.
   *
   * @throws {MessageUndeliverableError} E_UNROUTABLE
   * @throws {PublishUncertainError} E_UNCERTAIN the connection broke before the confirm, and `resend` is not set.
   * @throws {MessageDeliveryError} E_DELIVERY the broker was out of reach, or refused it, more often than `retries`
   *   allow; or will never take it.
   * @throws {MessagingTimeoutError} E_TIMEOUT
   */
  async send(target: SendTarget, message: EncodedMessage, options: SendingOptions): Promise<void> {
    let refusals = 0
    let vanished = 0
    let backoff: Backoff | undefined
    const beganMs = options.timeoutMs === undefined ? 0 : this.#clock.monotonicMs()
    for (;;) {
      const left = refusals + vanished === 0 ? options : this.#left(options, beganMs)
      let channel: Channel | undefined
      try {
        channel = this.#ready(target) ?? (await this.#prepare(target, left))
        await this.#publish(channel, target, message, left)
        this.#counters.sent++
        return
      } catch (error) {
        if (!isHermodError(error)) throw error
        if (error.code === 'E_NACKED') {
          if (refusals++ === options.retries) throw undelivered(error, true)
          this.#leave(target.purpose, channel)
        } else if (error instanceof ChannelError) {
          if (error.replyCode !== NOT_FOUND || target.entity === undefined || ++vanished === MOST_VANISHED)
            throw undelivered(error, false)
          this.#declared.delete(target.entity)
        } else if (error.code === 'E_CHANNEL_CLOSED' && !this.#closing.signal.aborted) {
          // It never left. Connecting anew says what is wrong.
          if (++vanished === MOST_VANISHED) throw undelivered(error, true)
        } else {
          if (error.code === 'E_UNCERTAIN') this.#counters.uncertain++
          throw error
        }
      }
      backoff ??= new Backoff({ initialMs: 50, maxMs: 5_000 })
      const pause = sleep(backoff.nextMs(), this.#closing, this.#clock)
      await withDeadline(pause, this.#left(options, beganMs), 'publishing', this.#clock)
    }
  }

  /** Nothing is declared or published again from now on. */
  close(reason: HermodError): void {
    this.#closing.abort(reason)
  }

  #left(options: SendingOptions, beganMs: number): SendingOptions {
    if (options.timeoutMs === undefined) return options
    const elapsedMs = this.#clock.monotonicMs() - beganMs
    return { ...options, timeoutMs: Math.max(0, options.timeoutMs - elapsedMs) }
  }

  #publish(
    channel: Channel,
    { exchange, routingKey }: SendTarget,
    { body, properties }: EncodedMessage,
    { mandatory, resend, signal, timeoutMs, retries }: SendingOptions,
  ): Promise<void> {
    const options = { properties, mandatory, resend, signal, timeoutMs }
    if (retries === undefined) return channel.publish(exchange, routingKey, body, options)
    return this.#link.limited({ signal, retries }, (limited) =>
      channel.publish(exchange, routingKey, body, { ...options, signal: limited }),
    )
  }

  /** The channel, when it and everything that the message needs are there. */
  #ready({ purpose, entity }: SendTarget): Channel | undefined {
    const channel = this.#channels[purpose]
    if (channel === undefined || channel instanceof Promise || channel.state === 'closed') return undefined
    return entity === undefined || this.#declared.has(entity) ? channel : undefined
  }

  /**
   * What is published from now on takes another channel; what is on its way is waited for. When a channel of RabbitMQ
   * first publishes to a quorum queue, it asks the node that led the queue; if that has just died, the channel refuses
   * every later message too, also when the queue has long had another leader (test/fault/oslo-cluster.test.ts).
   *
   * @source RabbitMQ 3.10 rabbit_fifo_client.erl, enqueue/3
   */
  #leave(purpose: SendPurpose, channel: Channel | undefined): void {
    if (channel === undefined || this.#channels[purpose] !== channel) return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - (this.#leftMs[purpose] ?? -Infinity) < LEAVE_MS) return
    this.#leftMs[purpose] = nowMs
    delete this.#channels[purpose]
    channel.drain().then(
      () => channel.close(),
      () => {},
    )
  }

  async #prepare({ purpose, entity }: SendTarget, wait: SendingOptions): Promise<Channel> {
    await this.#link.get(wait)
    return this.#link.limited(wait, async (signal) => {
      const limits = { signal, timeoutMs: wait.timeoutMs }
      if (entity !== undefined)
        await withDeadline(this.#declare(entity), limits, 'declaring what is published to', this.#clock)
      return withDeadline(this.#channel(purpose), limits, 'opening a channel', this.#clock)
    })
  }

  async #channel(purpose: SendPurpose): Promise<Channel> {
    const known = this.#channels[purpose]
    if (known instanceof Promise || (known !== undefined && known.state !== 'closed')) return known
    const { current } = this.#link
    if (current === undefined) throw gone()
    const opening = current.openChannel()
    this.#channels[purpose] = opening
    try {
      return (this.#channels[purpose] = await opening)
    } catch (error) {
      if (this.#channels[purpose] === opening) delete this.#channels[purpose]
      throw error
    }
  }

  /** What is declared here is declared again by the connection itself, before it publishes again after a reconnect. */
  #declare(entity: Exchange | Queue): Promise<void> {
    if (this.#declared.has(entity)) return Promise.resolve()
    const known = this.#declaring.get(entity)
    if (known !== undefined) return known
    const { current } = this.#link
    if (current === undefined) return Promise.reject(gone())
    const declaring = declareEntity(entity, {
      openChannel: () => current.openChannel(),
      settings: this.#settings,
      signal: this.#closing.signal,
      clock: this.#clock,
    }).then(
      () => void this.#declared.add(entity),
      (error: unknown) => {
        throw error instanceof ChannelError ? undelivered(error, false) : error
      },
    )
    this.#declaring.set(entity, declaring)
    const forget = (): void => {
      if (this.#declaring.get(entity) === declaring) this.#declaring.delete(entity)
    }
    declaring.then(forget, forget)
    return declaring
  }
}

function undelivered(cause: HermodError, retryable: boolean): MessageDeliveryError {
  return new MessageDeliveryError(`the message could not be delivered: ${cause.message}`, {
    cause,
    retryable,
  })
}

/** The connection ended while it was prepared: to be tried again, on another one. */
function gone(): ChannelClosedError {
  return new ChannelClosedError('the connection to the broker ended')
}

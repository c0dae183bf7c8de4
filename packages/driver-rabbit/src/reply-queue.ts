import type { Channel, Message, Queue, Subscription } from '@hermod/amqp'
import { Backoff, isHermodError, sleep, withDeadline, type Clock, type HermodError } from '@hermod/kernel'
import { declareEntity } from './declare.ts'
import { decodeMessage } from './decoded-message.ts'
import type { DriverCounters } from './driver-counters.ts'
import type { ConnectionWait, LazyConnection } from './lazy-connection.ts'
import type { RabbitSettings } from './rabbit-settings.ts'
import { readReplyPart } from './reply-message.ts'
import { WaitingCall, type CallWait } from './waiting-call.ts'

/** What a {@link ReplyQueue} is made from. */
export interface ReplyQueueOptions {
  readonly link: LazyConnection
  /** Makes the queue's name, once. */
  readonly makeQueue: (signal: AbortSignal) => Promise<Queue>
  readonly settings: RabbitSettings
  readonly counters: DriverCounters
  readonly clock: Clock
  readonly onRefused: (source: string, error: HermodError) => void
}

/**
 * The one queue to which the replies to all calls of a driver come. It is declared at the first call and keeps its name
 * for the life of the driver: after a reconnect it is consumed again, and calls that wait go on waiting.
 *
 * @source oslo.messaging _drivers/amqpdriver.py ReplyWaiters, ReplyWaiter
 */
export class ReplyQueue {
  readonly #options: ReplyQueueOptions
  readonly #calls = new Map<string, WaitingCall>()
  readonly #closing = new AbortController()
  #queue: Queue | undefined
  #opening: Promise<void> | undefined
  #ready = false

  constructor(options: ReplyQueueOptions) {
    this.#options = options
  }

  /** Known once it was opened. */
  get name(): string {
    return this.#queue?.name ?? ''
  }

  /** Whether replies arrive, as soon as the connection is there. */
  get ready(): boolean {
    return this.#ready
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#calls.size
  }

  /** Declares the queue and consumes it. Callers share the work, each with its own deadline. */
  async open(wait: ConnectionWait): Promise<void> {
    const { link, clock } = this.#options
    await link.get(wait)
    await link.limited(wait, (signal) => {
      this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
      const limits = { signal, timeoutMs: wait.timeoutMs }
      return withDeadline(this.#opening, limits, 'opening the queue for replies', clock)
    })
  }

  /**
   * Begins to wait for the reply to a message, which must not be sent before.
   * @throws the reason of {@link close}: its message could still leave, but nobody would take the reply.
   */
  expect(msgId: string, wait: CallWait): WaitingCall {
    this.#closing.signal.throwIfAborted()
    const call = new WaitingCall(msgId, wait, this.#options.clock, () => this.#calls.delete(msgId))
    this.#calls.set(msgId, call)
    return call
  }

  /** Every call that waits is given up. */
  close(reason: HermodError): void {
    this.#closing.abort(reason)
    for (const call of Array.from(this.#calls.values())) call.fail(reason)
  }

  async #open(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    const backoff = new Backoff({ initialMs: 50, maxMs: 2_000 })
    while (!this.#ready) {
      try {
        await this.#begin(signal)
      } catch (error) {
        // The connection broke meanwhile.
        if (!isHermodError(error) || !error.retryable || signal.aborted) throw error
        await sleep(backoff.nextMs(), { signal }, clock)
      }
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { link, makeQueue, settings, clock } = this.#options
    const queue = (this.#queue ??= await makeQueue(signal))
    const connection = await link.get({ signal })
    // On a connection that declares it again by itself, before it consumes it again.
    await declareEntity(queue, { openChannel: () => connection.openChannel(), settings, signal, clock })
    const channel = await connection.openChannel()
    try {
      const { prefetchCount } = settings
      const options = { prefetchCount, arguments: queue.consumerArguments, signal }
      const subscription = await channel.consume(queue.name, options, (message) => this.#receive(message))
      this.#ready = true
      void this.#ends(subscription, channel)
    } catch (error) {
      await channel.close()
      throw error
    }
  }

  /** The next call opens it again. */
  async #ends(subscription: Subscription, channel: Channel): Promise<void> {
    await subscription.closed
    this.#ready = false
    await channel.close()
  }

  #receive(message: Message): void {
    const { counters, onRefused } = this.#options
    counters.received++
    let part
    try {
      part = readReplyPart(decodeMessage(message))
    } catch (error) {
      if (!isHermodError(error)) throw error
      message.reject()
      counters.refused++
      return onRefused(this.name, error)
    }
    message.ack()
    const call = part.msgId === undefined ? undefined : this.#calls.get(part.msgId)
    if (call === undefined) counters.unexpectedReplies++
    else call.receive(part)
  }
}

import {
  ChannelClosedError,
  ChannelError,
  isHermodError,
  sleep,
  withDeadline,
  type DeadlineOptions,
  type HermodError,
} from '@hermod/kernel'
import type { MethodArguments } from '../wire/generated/methods.ts'
import type { CallName, Reply } from './calls.ts'
import type { ChannelHost } from './channel-host.ts'
import {
  ConsumerRecord,
  type ConsumeOptions,
  type MessageHandler,
  type Subscription,
  type SubscriptionState,
} from './consumer-subscription.ts'

/** What the consumers of a channel need of it. */
export interface ConsumingChannel {
  readonly recovers: boolean
  /** Changes whenever the channel is opened or lost, so that work begun before knows that it is late. */
  readonly generation: number
  readonly isOpen: boolean
  /** The queue of a consumer is gone: what it was given and has not settled goes back. */
  giveBack(consumer: object): void
  /** Sends at once, on the session of now. */
  ask<Name extends CallName>(name: Name, args: MethodArguments[Name]): Promise<Reply<Name>>
}

const DEFAULT_PREFETCH = 250
const ACCESS_REFUSED = 403
const NOT_FOUND = 404

/** The consumers of one channel: started, started again after a reconnect, cancelled. */
export class Consumers {
  readonly #channel: ConsumingChannel
  readonly #host: ChannelHost
  readonly #records = new Map<string, ConsumerRecord>()
  readonly #ending = new AbortController()
  #nextTag = 1
  /** The smallest prefetch window of all consumers. */
  #smallestWindow = Infinity

  constructor(channel: ConsumingChannel, host: ChannelHost) {
    this.#channel = channel
    this.#host = host
  }

  /** With this many acks waiting, the broker may have nothing left to send. */
  get smallestWindow(): number {
    return this.#smallestWindow
  }

  /** The consumer with this tag. */
  find(consumerTag: string): ConsumerRecord | undefined {
    return this.#records.get(consumerTag)
  }

  /** Starts a consumer. The channel must be open. */
  async start(queue: string, options: ConsumeOptions, handler: MessageHandler): Promise<Subscription> {
    const record = new ConsumerRecord(queue, options, handler, this.#host.clock)
    try {
      await this.#consume(record, options)
    } catch (error) {
      const gaveUp = options.signal?.aborted === true || (isHermodError(error) && error.code === 'E_TIMEOUT')
      this.#abandon(record, gaveUp)
      throw error
    }
    if (!record.cancelled) this.#host.topology.consumerStarted(record.queue)
    const state = (): SubscriptionState =>
      !record.cancelled && !this.#channel.isOpen ? 'away' : record.stateIn(this.#channel.generation)
    return {
      get state() {
        return state()
      },
      get consumerTag() {
        return record.consumerTag
      },
      get queue() {
        return record.queue
      },
      closed: record.closed,
      cancel: () => this.#cancel(record),
    }
  }

  /** This consumer did not start. Where nobody wanted to wait for it, the broker may still start it. */
  #abandon(record: ConsumerRecord, gaveUp: boolean): void {
    const { consumerTag } = record
    const forget = (): void => void this.#records.delete(consumerTag)
    record.end()
    if (!gaveUp) return forget()
    void this.#channel.ask('basic.cancel', { consumerTag, noWait: false }).then(forget, forget)
  }

  /** @param deadline for this time alone: what ended the wait for a first start must not end a later one. */
  async #consume(record: ConsumerRecord, deadline: DeadlineOptions = {}): Promise<void> {
    const { prefetchCount = DEFAULT_PREFETCH, noAck = false, exclusive = false } = record.options
    const { generation } = this.#channel
    record.queue = this.#host.topology.currentName(record.queue)
    this.#records.delete(record.consumerTag)
    record.consumerTag = `hermod.${this.#nextTag++}`
    this.#records.set(record.consumerTag, record)
    if (!noAck && prefetchCount > 0) this.#smallestWindow = Math.min(this.#smallestWindow, prefetchCount)
    // RabbitMQ reads global=false as "each consumer that is started from now on".
    const qos = this.#channel.ask('basic.qos', { prefetchSize: 0, prefetchCount, global: false })
    const consume = this.#channel.ask('basic.consume', {
      queue: record.queue,
      consumerTag: record.consumerTag,
      noLocal: false,
      noAck,
      exclusive,
      noWait: false,
      arguments: record.options.arguments ?? {},
    })
    const timeoutMs = deadline.timeoutMs ?? this.#host.operationTimeoutMs
    const limits = { signal: deadline.signal, timeoutMs }
    await withDeadline(Promise.all([qos, consume]), limits, 'basic.consume', this.#host.clock)
    // In the same breath as it began the broker may have cancelled it.
    if (record.cancelledTag === record.consumerTag) return
    record.backoff.reset()
    record.consumesIn = generation
  }

  /** Consumes after a reconnect. A refusal closes the channel, which is then opened once more without this consumer. */
  async #consumeAgain(record: ConsumerRecord, unasked = false): Promise<void> {
    try {
      await this.#consume(record)
    } catch (error) {
      if (error instanceof ChannelError && error.method === 'basic.consume') {
        // Where nothing can be asked, another attempt at once would cost the channel again.
        const missing = error.replyCode === NOT_FOUND && unasked
        if (missing || error.replyText.includes('exclusive use')) record.waits = true
        else if (error.replyCode !== NOT_FOUND) this.#end(record, error)
      }
      throw error
    }
  }

  #end(record: ConsumerRecord, error?: HermodError): void {
    this.#records.delete(record.consumerTag)
    record.end(error)
    this.#host.topology.consumerEnded(record.queue)
  }

  /**
   * The channel was opened again: every consumer starts again; one whose queue is missing waits for it. Ends early
   * when the channel is lost meanwhile.
   */
  async restart(): Promise<void> {
    const { generation } = this.#channel
    this.#smallestWindow = Infinity
    for (const record of Array.from(this.#records.values())) {
      if (generation !== this.#channel.generation) return
      const queue = this.#host.topology.currentName(record.queue)
      const status = record.cancelled ? undefined : await this.#host.queueStatus(queue).catch(unlessUnasked)
      if (generation !== this.#channel.generation) return
      if (record.cancelled) this.#records.delete(record.consumerTag)
      else if (status === undefined || record.waits) void this.#awaitQueue(record)
      else await this.#consumeAgain(record, status === 'unasked')
    }
  }

  /** `basic.cancel` from the broker: the queue is gone. */
  cancelledByBroker(consumerTag: string): void {
    const record = this.#records.get(consumerTag)
    if (record === undefined || record.cancelled) return
    record.consumesIn = undefined
    record.cancelledTag = consumerTag
    this.#channel.giveBack(record)
    this.#host.consumerCancelled(record.queue)
    if (this.#channel.recovers) {
      void this.#awaitQueue(record)
    } else {
      this.#end(
        record,
        new ChannelClosedError(
          `the broker cancelled the consumer of queue '${record.queue}': the queue is gone`,
        ),
      )
    }
  }

  /**
   * A queue that was ours is declared anew; one that was not is looked for with back-off. So is the end of an exclusive
   * consumer, which may be ours on a connection that the broker does not know to be dead.
   */
  async #awaitQueue(record: ConsumerRecord): Promise<void> {
    const { topology, clock } = this.#host
    const { generation } = this.#channel
    // A broker may say more than once that the queue is gone.
    if (record.awaitedIn === generation) return
    record.awaitedIn = generation
    const late = (): boolean => record.cancelled || generation !== this.#channel.generation
    const pause = (delayMs = record.backoff.nextMs()): Promise<void> =>
      sleep(delayMs, { signal: this.#ending.signal }, clock).catch(() => {})
    const calmMs = record.pace.pauseMs()
    if (record.waits) await pause()
    else if (calmMs > 0) await pause(calmMs)
    record.waits = false
    let mayDeclare = true
    while (!late()) {
      try {
        if (mayDeclare && topology.ownsQueue(record.queue)) {
          // One that somebody else declared otherwise is consumed as it is; one that we may not declare is looked for.
          const refusal = await this.#host.redeclareQueue(record.queue)
          mayDeclare = refusal?.replyCode !== ACCESS_REFUSED
        }
        if (
          !late() &&
          (await this.#host.queueStatus(topology.currentName(record.queue))) !== undefined &&
          !late()
        ) {
          await this.#consumeAgain(record)
          if (record.consumesIn === generation) {
            record.awaitedIn = undefined
            return
          }
        }
      } catch (error) {
        if (late()) return
        if (!isHermodError(error)) throw error
        // Refused for good, for example by permissions; a refusal that closes a channel may pass with the next queue.
        if (!error.retryable && error.code !== 'E_CHANNEL' && error.code !== 'E_LIMIT')
          return this.#end(record, error)
      }
      await pause()
    }
  }

  /** Cancels every consumer. */
  async cancelAll(): Promise<void> {
    await Promise.all([...this.#records.values()].map((record) => this.#cancel(record)))
  }

  async #cancel(record: ConsumerRecord): Promise<void> {
    if (record.cancelled) return void (await record.closed)
    record.cancelled = true
    try {
      const cancelled = this.#channel.ask('basic.cancel', { consumerTag: record.consumerTag, noWait: false })
      await withDeadline(
        cancelled,
        { timeoutMs: this.#host.operationTimeoutMs },
        'basic.cancel',
        this.#host.clock,
      )
    } catch (error) {
      // A channel that is gone has no consumers any more.
      if (!isHermodError(error) || error.code === 'E_TIMEOUT') throw error
    } finally {
      this.#end(record)
    }
  }

  /** The channel is over for good. */
  end(error: HermodError | undefined): void {
    this.#ending.abort()
    for (const record of this.#records.values()) this.#end(record, error)
  }
}

/** With every channel number in use there is none to ask on: the queue is taken to be there. */
function unlessUnasked(error: unknown): 'unasked' | undefined {
  return isHermodError(error) && error.code === 'E_LIMIT' ? 'unasked' : undefined
}

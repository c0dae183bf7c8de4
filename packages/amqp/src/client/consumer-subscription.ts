import { Backoff, createDeferred, type Clock, type HermodError } from '@hermod/kernel'
import type { FieldTable } from '../wire/field-table.ts'
import { HealPace } from './heal-pace.ts'
import type { Message } from './message.ts'

/** How a queue is consumed. */
export interface ConsumeOptions {
  /** Unsettled messages that the broker may have out at once, 1 to 65535; 0: no limit. Default 250. */
  readonly prefetchCount?: number | undefined
  /** The broker forgets each message when it has sent it. Default false. */
  readonly noAck?: boolean | undefined
  /** Nobody else may consume the queue. Default false. */
  readonly exclusive?: boolean | undefined
  /** RabbitMQ's consumer arguments, for example `x-priority`. */
  readonly arguments?: FieldTable | undefined
  /** Aborting gives up the wait for the start; a consumer that has started is ended by `cancel`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the start. */
  readonly timeoutMs?: number | undefined
}

/** What is done with each message, in the order of their coming. What it throws is an uncaught exception. */
export type MessageHandler = (message: Message) => void

/** Why a subscription ended; without an error it was cancelled here. */
export interface SubscriptionEnd {
  readonly error?: HermodError | undefined
}

/**
 * What a subscription is doing. `starting`: the broker is being asked; `waiting`: for its queue, which is missing, or
 * for the end of an exclusive consumer; `away`: its channel is not open.
 */
export type SubscriptionState = 'starting' | 'consuming' | 'waiting' | 'away' | 'ended'

/** A consumer on a channel, until it is cancelled or its channel ends. It survives reconnects of its channel. */
export interface Subscription {
  /** The name that the broker knows it by; another one after each reconnect. */
  readonly consumerTag: string
  /** The queue, under its current name. */
  readonly queue: string
  readonly state: SubscriptionState
  /** Resolves, and never rejects, when no more messages will come. */
  readonly closed: Promise<SubscriptionEnd>
  /** Ends it: when this resolves, the handler is not called any more. Messages that it holds can still be settled. */
  cancel(): Promise<void>
}

/** The channel's own record of a consumer. */
export class ConsumerRecord {
  readonly handler: MessageHandler
  readonly options: ConsumeOptions
  readonly needsAck: boolean
  queue: string
  consumerTag = ''
  cancelled = false
  /** Whether it was refused for a reason that passes, so that the next attempt waits. */
  waits = false
  /** The opening of the channel in which its queue is being waited for. */
  awaitedIn: number | undefined
  /** The opening of the channel in which the broker serves it. */
  consumesIn: number | undefined
  /** The latest tag that the broker cancelled. */
  cancelledTag = ''
  readonly backoff: Backoff = new Backoff({ initialMs: 100, maxMs: 5_000 })
  /** When a consumer that the broker cancelled is started again. */
  readonly pace: HealPace
  readonly #end = createDeferred<SubscriptionEnd>()

  constructor(queue: string, options: ConsumeOptions, handler: MessageHandler, clock: Clock) {
    this.queue = queue
    this.pace = new HealPace(clock)
    this.options = options
    this.needsAck = options.noAck !== true
    this.handler = handler
  }

  get closed(): Promise<SubscriptionEnd> {
    return this.#end.promise
  }

  /** @param generation the opening of the channel now. */
  stateIn(generation: number): SubscriptionState {
    if (this.cancelled) return 'ended'
    if (this.consumesIn === generation) return 'consuming'
    return this.awaitedIn === generation ? 'waiting' : 'starting'
  }

  end(error?: HermodError): void {
    this.cancelled = true
    this.#end.resolve(error === undefined ? {} : { error })
  }
}

import { ConfigurationError, type HermodError } from '@hermod/kernel'
import type { Message } from '../client/message.ts'
import type { ContentOptions } from './content-reader.ts'
import type { Queue } from './queue.ts'

/**
 * What is done with each message: its decoded body, and the message itself.
 *
 * The messages of a consumer come in order; the next one does not wait for the promise of the one before, unless
 * `concurrency` says so.
 */
export type ConsumerHandler = (body: unknown, message: Message) => unknown

/** What becomes of a message that cannot be read. A function that leaves it unsettled has it rejected. */
export type DecodeErrorPolicy =
  'reject' | 'ack' | ((error: HermodError, message: Message) => void | Promise<void>)

/**
 * What becomes of a message whose handler failed. `requeue` has the broker deliver it again, for ever where it fails
 * for ever (unless its queue has a `deliveryLimit`); `requeue-once` rejects it when it came back before.
 */
export type HandlerErrorPolicy = 'reject' | 'requeue' | 'requeue-once'

/** How a Consumer behaves. */
export interface ConsumerOptions extends ContentOptions {
  /** Unsettled messages that the broker may have out at once, for each queue; 0: no limit. Default 250. */
  readonly prefetchCount?: number | undefined
  /** The broker forgets each message when it has sent it. Default: as each queue says. */
  readonly noAck?: boolean | undefined
  /** Handlers whose promise is pending, at the most; further messages wait here. Default: as many as come. */
  readonly concurrency?: number | undefined
  /**
   * Who settles. `explicit`: the handler, by `message.ack()` and the like. `auto`: its outcome; a message is acked when
   * the handler returned or its promise was fulfilled. What the handler settled itself stays so. Default `explicit`.
   */
  readonly settle?: 'explicit' | 'auto' | undefined
  /** With `settle: 'auto'`, what becomes of a message whose handler threw or rejected. Default `reject`. */
  readonly onHandlerError?: HandlerErrorPolicy | undefined
  /** Default `reject`: dead-lettered where its queue says so, else dropped. */
  readonly onDecodeError?: DecodeErrorPolicy | undefined
  /** Takes each message as it is, in place of a handler; nothing is decoded then. */
  readonly onMessage?: ((message: Message) => unknown) | undefined
}

/** What a Consumer reports. None of these needs a listener, but see `handler-error`. */
export interface ConsumerEvents {
  /** A body could not be read; `onDecodeError` says what became of the message. */
  'decode-error': { readonly error: HermodError; readonly message: Message }
  /**
   * A handler threw, or its promise was rejected. With `settle: 'explicit'` nothing has settled the message, and when
   * nobody listens to this the error is an uncaught exception.
   */
  'handler-error': { readonly error: unknown; readonly message: Message }
  /** A queue is not consumed any more and will not be, for example because a permission was taken away. */
  'subscription-ended': { readonly queue: Queue; readonly error: HermodError }
}

/** Counters of a Consumer. */
export interface ConsumerStats {
  /** Messages handed to the handler or the loop. */
  readonly received: number
  /** Messages that could not be read. */
  readonly undecodable: number
  /** Handlers that threw or rejected. */
  readonly failed: number
  /** Handlers whose promise is pending. */
  readonly running: number
  /** Messages that wait here for a handler, or for the loop to take them. */
  readonly waiting: number
}

/** Why a Consumer ended; without an error it was closed here. */
export interface ConsumerEnd {
  readonly error?: HermodError | undefined
}

/** A message with its decoded body. */
export interface ReceivedMessage<Body = unknown> {
  readonly body: Body
  readonly message: Message
}

const MOST_PREFETCHED = 0xffff

/** @throws {ConfigurationError} E_CONFIG with everything that cannot be meant. */
export function checkConsumerOptions(options: ConsumerOptions, handler: ConsumerHandler | undefined): void {
  const { concurrency = 1, settle = 'explicit', onHandlerError, onDecodeError = 'reject' } = options
  const issues = prefetchIssues(options.prefetchCount ?? 0)
  if (concurrency !== Infinity && (!Number.isInteger(concurrency) || concurrency < 1))
    issues.push(`concurrency is ${concurrency}; it is a whole number from 1 on, or Infinity`)
  if (settle !== 'explicit' && settle !== 'auto') issues.push("settle is neither 'explicit' nor 'auto'")
  if (onHandlerError !== undefined) {
    if (!['reject', 'requeue', 'requeue-once'].includes(onHandlerError))
      issues.push('onHandlerError is none of reject, requeue, requeue-once')
    if (settle !== 'auto') issues.push("onHandlerError belongs to settle: 'auto'")
  }
  if (onDecodeError !== 'reject' && onDecodeError !== 'ack' && typeof onDecodeError !== 'function')
    issues.push('onDecodeError is none of reject, ack and a function')
  if (handler !== undefined && options.onMessage !== undefined)
    issues.push('a handler and onMessage exclude each other')
  if (issues.length > 0) throw new ConfigurationError(issues)
}

/** What is wrong with a prefetch count. */
export function prefetchIssues(count: number): string[] {
  if (Number.isInteger(count) && count >= 0 && count <= MOST_PREFETCHED) return []
  return [`prefetchCount is ${count}; it is a whole number from 0 to ${MOST_PREFETCHED}`]
}

import { REPLY_CODES } from '@hermod/amqp/wire'

/** Codes that cost the client its channel; every other code costs it the connection. */
const SOFT_CODES: ReadonlySet<number> = new Set([311, 312, 313, 403, 404, 405, 406])

/** The wire has 255 bytes for a reply text; one that is longer is cut, and ends with these. */
const LONGEST_TEXT = 255
const CUT = '...'

/**
 * What a client did that this broker must refuse: thrown by the model and by the session, caught by the session, and
 * told to the client in a close method. It never leaves the package.
 *
 * Texts are byte strings (see `byte-string.ts`) and RabbitMQ's own, because clients compare them.
 * @source AMQP 0-9-1 §1.2; rabbit_framing_amqp_0_9_1:lookup_amqp_exception
 */
export class AmqpError extends Error {
  /** The reply code, for example 404. */
  readonly replyCode: number
  /** `NOT_FOUND - no queue 'q' in vhost '/'`: constant, dash, explanation if there is one; 255 bytes at the most. */
  readonly replyText: string

  constructor(replyCode: number, explanation: string) {
    super(explanation)
    this.name = 'AmqpError'
    this.replyCode = replyCode
    const constant = REPLY_CODES[replyCode] ?? 'INTERNAL_ERROR'
    this.replyText = explanation === '' ? constant : cut(`${constant} - ${explanation}`)
  }

  /** What it costs the client. */
  get scope(): 'channel' | 'connection' {
    return SOFT_CODES.has(this.replyCode) ? 'channel' : 'connection'
  }
}

/** Where RabbitMQ cuts, also in the middle of a character. @source rabbit_binary_generator:amqp_exception_explanation */
const cut = (text: string): string =>
  text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT - CUT.length) + CUT : text

export const accessRefused = (explanation: string): AmqpError => new AmqpError(403, explanation)
export const notFound = (explanation: string): AmqpError => new AmqpError(404, explanation)
export const resourceLocked = (explanation: string): AmqpError => new AmqpError(405, explanation)
export const preconditionFailed = (explanation: string): AmqpError => new AmqpError(406, explanation)
export const notAllowed = (explanation: string): AmqpError => new AmqpError(530, explanation)
export const notImplemented = (explanation: string): AmqpError => new AmqpError(540, explanation)

import { HermodError, type HermodErrorOptions } from './base.ts'

/** No queue took a mandatory message (`basic.return`, 312). */
export class MessageUndeliverableError extends HermodError {
  constructor(exchange: string, routingKey: string, replyText: string) {
    super(
      'E_UNROUTABLE',
      `no queue took the message for exchange '${exchange}', routing key '${routingKey}' (${replyText})`,
      {
        details: { exchange, routingKey, replyText },
      },
    )
  }
}

/** The broker refused a published message (`basic.nack`): a full queue that rejects, or an internal fault. */
export class MessageNackedError extends HermodError {
  constructor(exchange: string, routingKey: string) {
    super(
      'E_NACKED',
      `the broker refused the message for exchange '${exchange}', routing key '${routingKey}'`,
      {
        details: { exchange, routingKey },
      },
    )
  }
}

/** A publish was written to the socket, but there was no confirm, mostly because the connection broke: the broker may or may not have it. */
export class PublishUncertainError extends HermodError {
  constructor(exchange: string, routingKey: string, options: HermodErrorOptions = {}) {
    super(
      'E_UNCERTAIN',
      `whether the broker has the message for exchange '${exchange}', routing key '${routingKey}' is unknown: there was no confirm`,
      {
        ...options,
        details: { exchange, routingKey },
      },
    )
  }
}

/** The broker has blocked the connection (`connection.blocked`) for longer than publishers are to wait. */
export class ConnectionBlockedError extends HermodError {
  constructor(reason: string, blockedMs: number) {
    super('E_BLOCKED', `the broker has blocked the connection for ${blockedMs} ms: ${reason}`, {
      details: { reason, blockedMs },
    })
  }
}

/** What was published in a transaction that was rolled back, or that ended with its channel. */
export class TransactionError extends HermodError {
  constructor(message: string, options: HermodErrorOptions = {}) {
    super('E_TRANSACTION', message, options)
  }
}

/** The message was settled before, or needs no settling. */
export class MessageStateError extends HermodError {
  constructor(message: string) {
    super('E_MESSAGE_STATE', message)
  }
}

/** An operation did not end in time. */
export class MessagingTimeoutError extends HermodError {
  /** @param left what it still waited for, where that is known. */
  constructor(operation: string, timeoutMs: number, left?: string) {
    const why = left === undefined ? '' : `: ${left}`
    super('E_TIMEOUT', `${operation} did not end within ${timeoutMs} ms${why}`, {
      details: { operation, timeoutMs },
    })
  }
}

/** A limit of this process or of the peer was reached. */
export class LimitError extends HermodError {
  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super('E_LIMIT', message, { details })
  }
}

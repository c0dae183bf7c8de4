import {
  ChannelClosedError,
  ConfigurationError,
  LimitError,
  MessageUndeliverableError,
  PublishUncertainError,
  TransactionError,
  type ConnectionBlockedError,
  type HermodError,
} from '@hermod/kernel'
import type { BasicProperties } from '../wire/basic-properties.ts'
import { PendingPublish } from './pending-publish.ts'
import { writePublish } from './publish-frames.ts'
import type { PublishPath } from './publish-path.ts'
import type { PublishOptions } from './publisher.ts'
import { matchReturned, type ReturnedMessage } from './returned-publish.ts'
import type { Session } from './session.ts'
import type { Traffic } from './traffic.ts'

const NO_PROPERTIES: BasicProperties = Object.freeze({})

/**
 * Publishes within transactions: a message counts from the commit on, and its promise settles with it.
 *
 * A transaction never outlives its channel. When that dies, what was published in it rejects, and so does everything
 * up to the next commit or rollback: half of a transaction is never committed.
 */
export class Transaction implements PublishPath {
  readonly #maxOpen: number
  readonly #traffic: Traffic
  readonly #onFailed: (error: HermodError) => void
  #session: Session | undefined
  #channel = 0
  #ended: HermodError | undefined
  #refusal: ConnectionBlockedError | undefined
  /** Why the transaction that is under way can no longer be committed. */
  #broken: HermodError | undefined
  #committing = false
  /** Whether anything was done in the transaction that is under way. */
  #begun = false
  #open: PendingPublish[] = []

  constructor(maxOpen: number, traffic: Traffic, onFailed: (error: HermodError) => void) {
    this.#maxOpen = maxOpen
    this.#traffic = traffic
    this.#onFailed = onFailed
  }

  get unconfirmed(): number {
    return this.#open.length
  }

  get waiting(): number {
    return 0
  }

  publish(
    exchange: string,
    routingKey: string,
    body: Uint8Array,
    options: PublishOptions | undefined,
  ): Promise<void> {
    const properties = options?.properties ?? NO_PROPERTIES
    const mandatory = options?.mandatory === true
    const pending = new PendingPublish(exchange, routingKey, body, properties, mandatory, false)
    const refusal = this.#refusalOf(options)
    if (refusal === undefined) this.#write(pending)
    else this.#fail(pending, refusal)
    return pending.promise
  }

  #refusalOf(options: PublishOptions | undefined): HermodError | undefined {
    if (options?.resend === true || options?.signal !== undefined || options?.timeoutMs !== undefined) {
      return new ConfigurationError([
        'resend, signal and timeoutMs have no meaning in a transaction, which is committed or rolled back as a whole',
      ])
    }
    const refusal = this.#ended ?? this.#refusal ?? this.#broken
    if (refusal !== undefined) return refusal
    if (this.#session === undefined) {
      return (this.#broken = new TransactionError(
        'the transaction is lost: a message was published in it while the connection was away',
      ))
    }
    if (this.#committing) return new TransactionError('the transaction is being committed or rolled back')
    if (this.#open.length < this.#maxOpen) return undefined
    return new LimitError(`${this.#maxOpen} messages are published in one transaction already`, {
      maxUnconfirmed: this.#maxOpen,
    })
  }

  #write(pending: PendingPublish): void {
    const session = this.#session as Session
    try {
      writePublish(session, this.#channel, pending)
    } catch (error) {
      return this.#fail(pending, error as HermodError)
    }
    this.#begun = true
    this.#open.push(pending)
    this.#traffic.published++
    session.output.written()
  }

  /**
   * Ends the transaction.
   * @param ask sends `tx.commit` or `tx.rollback`.
   * @throws {TransactionError} E_TRANSACTION when it was lost; the next one can begin then. With `details.uncertain`
   *   the connection broke while it was being committed, and nobody knows whether it was.
   */
  async finish(how: 'commit' | 'rollback', ask: () => Promise<unknown>): Promise<void> {
    const broken = this.#broken
    this.#broken = undefined
    if (broken !== undefined) {
      // There is nothing left to roll back.
      if (how === 'rollback') return
      throw broken
    }
    this.#committing = true
    const open = this.#open
    try {
      await ask()
    } catch (cause) {
      if (this.#open !== open && how === 'commit') throw uncertainCommit(cause)
      throw cause
    } finally {
      this.#committing = false
    }
    this.#open = []
    this.#begun = false
    for (const pending of open) {
      if (how === 'rollback')
        this.#fail(pending, new TransactionError('the transaction was rolled back', { retryable: false }))
      else if (pending.returned !== undefined) this.#fail(pending, pending.returned)
      else {
        this.#traffic.confirmed++
        pending.succeed()
      }
    }
  }

  /** A message was settled: this belongs to the transaction too. */
  settled(): void {
    this.#begun = true
  }

  returned(message: ReturnedMessage): void {
    const pending = matchReturned(message, this.#open)
    if (pending === undefined) return
    const { exchange, routingKey, replyText } = message.args
    pending.returned = new MessageUndeliverableError(exchange, routingKey, replyText)
    this.#traffic.returned++
  }

  /** A channel in a transaction gets no confirms. */
  confirm(): void {}

  attach(session: Session, channel: number): void {
    this.#session = session
    this.#channel = channel
  }

  detach(cause: HermodError): void {
    this.#session = undefined
    const open = this.#open
    this.#open = []
    if (!this.#begun && !this.#committing) return
    this.#begun = false
    // Whoever waits for the commit learns of it from there.
    if (!this.#committing) this.#broken = lost(cause)
    for (const pending of open) {
      const { exchange, routingKey } = pending
      this.#fail(
        pending,
        this.#committing ? new PublishUncertainError(exchange, routingKey, { cause }) : lost(cause),
      )
    }
  }

  end(cause: HermodError): void {
    if (this.#ended !== undefined) return
    this.detach(cause)
    this.#ended = new ChannelClosedError(`the message was not sent: ${cause.message}`, { cause })
  }

  block(): void {}

  refuse(error: ConnectionBlockedError): void {
    this.#refusal = error
  }

  unblock(): void {
    this.#refusal = undefined
  }

  flowStopped = false

  resume(): void {}

  idle(): Promise<void> {
    return Promise.resolve()
  }

  #fail(pending: PendingPublish, error: HermodError): void {
    if (pending.abandon(error)) this.#onFailed(error)
  }
}

function lost(cause: HermodError): TransactionError {
  return new TransactionError(`the transaction is lost, nothing of it was done: ${cause.message}`, { cause })
}

function uncertainCommit(cause: unknown): TransactionError {
  return new TransactionError(
    'whether the transaction was committed is unknown: the connection broke before the answer',
    { cause, details: { uncertain: true } },
  )
}

import {
  ChannelClosedError,
  ChannelError,
  ConfigurationError,
  isHermodError,
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

/** How a transaction is ended at the broker. */
type EndingMethod = 'tx.commit' | 'tx.rollback'

/** A transaction that is being ended. */
interface Ending {
  readonly method: EndingMethod
  readonly publishes: readonly PendingPublish[]
  /** Why it is rolled back although it was to be committed. */
  readonly broken: HermodError | undefined
}

/**
 * Publishes within transactions: a message counts from the commit on, and its promise settles with it.
 *
 * A transaction never outlives its channel. When that dies, what was published in it rejects, and so does everything
 * up to the next commit or rollback. It is the same when a single message is refused: half of a transaction is never
 * committed.
 */
export class Transaction implements PublishPath {
  readonly #maxOpen: number
  readonly #traffic: Traffic
  readonly #onFailed: (error: HermodError) => void
  #session: Session | undefined
  #channel = 0
  #ended: HermodError | undefined
  #sealed: HermodError | undefined
  #refusal: ConnectionBlockedError | undefined
  /** Why the transaction that is under way can no longer be committed. */
  #broken: HermodError | undefined
  /** Until the broker has answered, also when nobody waits for that any more: nothing may get mixed up with it. */
  #ending: Ending | undefined
  /** Whether the broker knows of anything in the transaction that is under way. */
  #begun = false
  #open: PendingPublish[] = []

  constructor(maxOpen: number, traffic: Traffic, onFailed: (error: HermodError) => void) {
    this.#maxOpen = maxOpen
    this.#traffic = traffic
    this.#onFailed = onFailed
  }

  get unconfirmed(): number {
    return this.#open.length + (this.#ending?.publishes.length ?? 0)
  }

  get waiting(): number {
    return 0
  }

  /** Whether it cannot be committed and the broker knows nothing of it: ending it needs no connection. */
  get lost(): boolean {
    return this.#broken !== undefined && !this.#begun
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
    const refusal = this.#refusalOf(options) ?? this.#write(pending)
    if (refusal !== undefined) {
      this.#broken ??= incomplete(refusal)
      this.#fail(pending, refusal)
    }
    return pending.promise
  }

  #refusalOf(options: PublishOptions | undefined): HermodError | undefined {
    if (options?.resend === true || options?.signal !== undefined || options?.timeoutMs !== undefined) {
      return new ConfigurationError([
        'resend, signal and timeoutMs have no meaning in a transaction, which is committed or rolled back as a whole',
      ])
    }
    const refusal = this.#ended ?? this.#sealed ?? this.#refusal ?? this.#broken
    if (refusal !== undefined) return refusal
    if (this.#session === undefined) {
      return new TransactionError(
        'the transaction is lost: a message was published in it while its channel was not open',
      )
    }
    if (this.#ending !== undefined) return beingEnded()
    if (this.#open.length < this.#maxOpen) return undefined
    return new LimitError(`${this.#maxOpen} messages are published in one transaction already`, {
      maxUnconfirmed: this.#maxOpen,
    })
  }

  #write(pending: PendingPublish): HermodError | undefined {
    const session = this.#session as Session
    try {
      writePublish(session, this.#channel, pending)
    } catch (error) {
      return error as HermodError
    }
    this.#begun = true
    this.#open.push(pending)
    this.#traffic.published++
    session.output.written()
    return undefined
  }

  /**
   * Ends the transaction; the channel must be open unless it is {@link lost}.
   * @param ask sends the method; what it gives settles with the broker's answer, or when the channel is gone.
   * @param within the caller's patience.
   * @throws {TransactionError} E_TRANSACTION when it was lost; the next one can begin then. With `details.uncertain`
   *   there was no answer, and nobody knows whether it was committed.
   */
  async finish(
    how: 'commit' | 'rollback',
    ask: (method: EndingMethod) => Promise<unknown>,
    within: <T>(work: Promise<T>) => Promise<T>,
  ): Promise<void> {
    if (this.#ending !== undefined) throw beingEnded()
    const lost = this.lost
    const broken = how === 'commit' ? this.#broken : undefined
    const method = how === 'commit' && this.#broken === undefined ? 'tx.commit' : 'tx.rollback'
    this.#broken = undefined
    if (lost) {
      // There is nothing left to roll back.
      if (broken === undefined) return
      throw broken
    }
    const ending: Ending = { method, publishes: this.#open, broken }
    this.#ending = ending
    this.#open = []
    this.#begun = false
    const over = ask(method).then(
      () => this.#answered(ending),
      (cause: unknown) => this.#unanswered(ending, cause),
    )
    let outcome: HermodError | undefined
    try {
      outcome = await within(over)
    } catch (reason) {
      const error = this.#failAll(ending, reason)
      throw isHermodError(reason) ? (error ?? reason) : reason
    }
    if (outcome !== undefined) throw outcome
  }

  #answered(ending: Ending): HermodError | undefined {
    if (ending.method === 'tx.rollback') return this.#unanswered(ending, ending.broken)
    this.#ending = undefined
    for (const pending of ending.publishes) {
      if (pending.returned !== undefined) this.#fail(pending, pending.returned)
      else {
        this.#traffic.confirmed++
        pending.succeed()
      }
    }
    return undefined
  }

  #unanswered(ending: Ending, cause: unknown): HermodError | undefined {
    this.#ending = undefined
    return this.#failAll(ending, cause)
  }

  /** Without a commit-ok. @returns what the caller of `commit` is told; undefined: it wanted no commit. */
  #failAll({ method, publishes, broken }: Ending, cause: unknown): HermodError | undefined {
    if (method === 'tx.rollback') {
      const why = broken === undefined ? '' : `: ${broken.message}`
      const error = new TransactionError(`the transaction was rolled back${why}`, { retryable: false, cause })
      for (const pending of publishes) this.#fail(pending, error)
      return broken
    }
    const refusedBefore = publishRefusal(cause)
    for (const pending of publishes) {
      const { exchange, routingKey } = pending
      const uncertain = (): HermodError => new PublishUncertainError(exchange, routingKey, { cause })
      this.#fail(pending, refusedBefore === undefined ? uncertain() : lostOver(refusedBefore))
    }
    return refusedBefore === undefined ? uncertainCommit(cause) : lostOver(refusedBefore)
  }

  /** A message was settled: this belongs to the transaction too. */
  settled(): void {
    this.#begun = true
  }

  returned(message: ReturnedMessage): void {
    const pending = matchReturned(message, this.#ending?.publishes ?? this.#open)
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
    // Whoever waits for a commit or rollback learns of it from there.
    if (this.#begun) this.#broken ??= lostOver(cause)
    this.#begun = false
    for (const pending of open) this.#fail(pending, lostOver(cause))
  }

  seal(reason: HermodError): void {
    this.#sealed = reason
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

function beingEnded(): TransactionError {
  return new TransactionError('the transaction is being committed or rolled back')
}

function incomplete(refusal: HermodError): HermodError {
  if (refusal instanceof TransactionError) return refusal
  return new TransactionError(
    `the transaction cannot be committed, a message of it was refused: ${refusal.message}`,
    { cause: refusal },
  )
}

function lostOver(cause: HermodError): TransactionError {
  return new TransactionError(`the transaction is lost, nothing of it was done: ${cause.message}`, { cause })
}

/** The broker closed the channel over a publish: it has not read the commit, which came behind. */
function publishRefusal(cause: unknown): ChannelError | undefined {
  const error = cause instanceof ChannelClosedError ? cause.cause : cause
  return error instanceof ChannelError && error.method === 'basic.publish' ? error : undefined
}

function uncertainCommit(cause: unknown): TransactionError {
  const why = isHermodError(cause) ? cause.message : 'nobody waited for the answer'
  return new TransactionError(`whether the transaction was committed is unknown: ${why}`, {
    cause,
    details: { uncertain: true },
  })
}

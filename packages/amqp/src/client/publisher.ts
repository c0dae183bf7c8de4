import {
  ChannelClosedError,
  ChannelError,
  ConfigurationError,
  createDeferred,
  MessageNackedError,
  MessageUndeliverableError,
  MessagingTimeoutError,
  onAbort,
  PublishUncertainError,
  type Clock,
  type ConnectionBlockedError,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import type { BasicProperties } from '../wire/basic-properties.ts'
import { writeMethod } from '../wire/frame-encoder.ts'
import { isHardError } from './hard-error.ts'
import { PendingPublish } from './pending-publish.ts'
import { writePublish } from './publish-frames.ts'
import type { PublishPath } from './publish-path.ts'
import { matchReturned, type ReturnedMessage } from './returned-publish.ts'
import type { Session } from './session.ts'
import type { Traffic } from './traffic.ts'

/** How one message is published. */
export interface PublishOptions {
  readonly properties?: BasicProperties | undefined
  /** A message that no queue takes comes back: the promise rejects with MessageUndeliverableError. Default false. */
  readonly mandatory?: boolean | undefined
  /**
   * What happens when the connection breaks between the write and the confirm, so that nobody knows whether the
   * broker has the message: `true` sends it again, in order and before newer ones (it may then arrive twice);
   * `false` rejects with PublishUncertainError. Default false.
   */
  readonly resend?: boolean | undefined
  /** Aborting rejects with `signal.reason`; the message is then never sent again, but may have been. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the confirm. Default: as long as the channel lives. */
  readonly timeoutMs?: number | undefined
}

/** A window holds a slot for each message from the start. */
const MOST_UNCONFIRMED = 1_000_000

/** From this many on, messages that were given up are taken out of the queue before their turn. */
const SWEEP_FROM = 1024

const NO_PROPERTIES: BasicProperties = Object.freeze({})

/**
 * Publishes on one channel with confirms: a promise for each message, a bounded window of unconfirmed ones, the
 * rest waiting in order.
 */
export class Publisher implements PublishPath {
  readonly #maxUnconfirmed: number
  readonly #confirms: boolean
  readonly #clock: Clock
  readonly #traffic: Traffic
  readonly #onFailed: (error: HermodError) => void
  #session: Session | undefined
  #channel = 0
  #blocked = false
  #refusal: ConnectionBlockedError | undefined
  #flowStopped = false
  #selected = false
  #ended: HermodError | undefined
  /** The channel is being closed. */
  #sealed: HermodError | undefined
  #idle: Deferred<void> | undefined
  /** Written and unconfirmed, in a ring: the message with confirm tag t stands at t & mask. */
  readonly #ring: (PendingPublish | undefined)[]
  readonly #mask: number
  #lowestTag = 1
  #nextTag = 1
  #unconfirmed = 0
  #openMandatory = 0
  /** To be written, oldest first; some of them settled meanwhile. */
  #waiting: PendingPublish[] = []
  #waitingHead = 0
  #waitingSettled = 0
  /**
   * Until this one is settled, messages leave one at a time: the broker closed the channel over one of them without
   * saying which, and would do so again and again.
   */
  #lastSuspect: PendingPublish | undefined

  /** @param confirms whether a message settles with the broker's confirm, or as soon as it is written. */
  constructor(
    { maxUnconfirmed, confirms }: { readonly maxUnconfirmed: number; readonly confirms: boolean },
    clock: Clock,
    traffic: Traffic,
    onFailed: (error: HermodError) => void,
  ) {
    if (!Number.isInteger(maxUnconfirmed) || maxUnconfirmed < 1 || maxUnconfirmed > MOST_UNCONFIRMED) {
      throw new ConfigurationError([
        `maxUnconfirmed is ${maxUnconfirmed}; it is a whole number from 1 to ${MOST_UNCONFIRMED}`,
      ])
    }
    this.#maxUnconfirmed = maxUnconfirmed
    this.#confirms = confirms
    this.#clock = clock
    this.#traffic = traffic
    this.#onFailed = onFailed
    const slots = 2 ** Math.ceil(Math.log2(maxUnconfirmed + 1))
    this.#ring = Array.from({ length: slots })
    this.#mask = slots - 1
  }

  /** Written, but not confirmed. */
  get unconfirmed(): number {
    return this.#unconfirmed
  }

  /** Not yet written: the window is full, or the connection is away or blocked. */
  get waiting(): number {
    return this.#waiting.length - this.#waitingHead - this.#waitingSettled
  }

  /** See `Channel.publish`. */
  publish(
    exchange: string,
    routingKey: string,
    body: Uint8Array,
    options: PublishOptions | undefined,
  ): Promise<void> {
    const pending = new PendingPublish(
      exchange,
      routingKey,
      body,
      options?.properties ?? NO_PROPERTIES,
      options?.mandatory === true,
      options?.resend === true,
    )
    const refusal = this.#ended ?? this.#sealed ?? this.#refusal ?? this.#refusalOf(pending)
    if (refusal !== undefined) {
      this.#fail(pending, refusal)
      return pending.promise
    }
    if (options?.signal !== undefined || options?.timeoutMs !== undefined) {
      if (!this.#limit(pending, options)) return pending.promise
    }
    if (this.waiting === 0 && this.#open()) this.#write(pending)
    else this.#queue(pending)
    return pending.promise
  }

  #refusalOf({ mandatory, resend }: PendingPublish): ConfigurationError | undefined {
    if (this.#confirms || (!mandatory && !resend)) return undefined
    return new ConfigurationError([
      'mandatory and resend need confirms, which this channel was opened without (`confirms: false`)',
    ])
  }

  #queue(pending: PendingPublish): void {
    pending.queued = true
    this.#waiting.push(pending)
  }

  /** A message was given up that waits. While the connection is away nothing else would take it out. */
  #gaveUpWaiting(): void {
    this.#waitingSettled++
    if (this.#waitingSettled >= SWEEP_FROM && this.#waitingSettled > this.waiting) {
      this.#waiting = this.#waiting.slice(this.#waitingHead).filter((pending) => !pending.settled)
      this.#waitingHead = this.#waitingSettled = 0
    }
    this.#checkIdle()
  }

  get #window(): number {
    return this.#lastSuspect === undefined || this.#lastSuspect.settled ? this.#maxUnconfirmed : 1
  }

  #open(): boolean {
    const session = this.#session
    return (
      session !== undefined &&
      this.#sealed === undefined &&
      !this.#blocked &&
      !this.#flowStopped &&
      this.#unconfirmed < this.#window &&
      this.#nextTag - this.#lowestTag <= this.#mask &&
      !session.output.congested
    )
  }

  #limit(pending: PendingPublish, { signal, timeoutMs }: PublishOptions): boolean {
    if (signal?.aborted === true) {
      pending.abandon(signal.reason)
      return false
    }
    const listening = signal === undefined ? undefined : onAbort(signal, () => pending.abandon(signal.reason))
    const timer =
      timeoutMs === undefined || timeoutMs === Infinity
        ? undefined
        : this.#clock.after(timeoutMs, () => {
            const error = new MessagingTimeoutError('basic.publish', timeoutMs)
            if (pending.abandon(error)) this.#onFailed(error)
          })
    pending.onSettled = () => {
      timer?.cancel()
      listening?.[Symbol.dispose]()
      if (pending.queued) this.#gaveUpWaiting()
    }
    return true
  }

  #write(pending: PendingPublish): void {
    const session = this.#session as Session
    if (this.#confirms && !this.#selected) {
      this.#selected = true
      writeMethod(session.output.writer, this.#channel, 'confirm.select', { noWait: true })
    }
    try {
      writePublish(session, this.#channel, pending)
    } catch (error) {
      this.#fail(pending, error as HermodError)
      return
    }
    this.#traffic.published++
    session.output.written()
    if (!this.#confirms) return pending.succeed()
    pending.tag = this.#nextTag
    this.#ring[this.#nextTag & this.#mask] = pending
    this.#nextTag++
    this.#unconfirmed++
    if (pending.mandatory) this.#openMandatory++
  }

  /** `basic.ack` or `basic.nack` from the broker. A tag that was never sent is ignored: it settles nothing. */
  confirm(tag: number, multiple: boolean, acked: boolean): void {
    if (tag >= this.#nextTag) return
    for (let next = multiple ? this.#lowestTag : tag; next <= tag; next++) {
      const pending = this.#ring[next & this.#mask]
      if (pending === undefined || pending.tag !== next) continue
      this.#ring[next & this.#mask] = undefined
      this.#unconfirmed--
      if (pending.mandatory) this.#openMandatory--
      if (pending.returned !== undefined) this.#fail(pending, pending.returned)
      else if (acked) {
        this.#traffic.confirmed++
        pending.succeed()
      } else this.#fail(pending, new MessageNackedError(pending.exchange, pending.routingKey))
    }
    while (this.#lowestTag < this.#nextTag && this.#ring[this.#lowestTag & this.#mask] === undefined)
      this.#lowestTag++
    if (this.waiting > 0) this.resume()
    if (this.#idle !== undefined) this.#checkIdle()
  }

  returned(message: ReturnedMessage): void {
    if (this.#openMandatory === 0) return
    const pending = matchReturned(message, this.#inOrder())
    if (pending === undefined) return
    const { exchange, routingKey, replyText } = message.args
    pending.returned = new MessageUndeliverableError(exchange, routingKey, replyText)
    this.#traffic.returned++
  }

  /** Written and unconfirmed, oldest first. */
  *#inOrder(): Iterable<PendingPublish | undefined> {
    for (let tag = this.#lowestTag; tag < this.#nextTag; tag++) yield this.#ring[tag & this.#mask]
  }

  /** A channel is ready: what must be sent again goes first, then what waited. */
  attach(session: Session, channel: number): void {
    this.#session = session
    this.#channel = channel
    this.#selected = this.#flowStopped = false
    this.#lowestTag = this.#nextTag = 1
    this.resume()
  }

  block(): void {
    this.#blocked = true
  }

  /** Whoever waits has waited long enough; while the broker goes on blocking, publishing fails at once. */
  refuse(error: ConnectionBlockedError): void {
    this.#refusal = error
    for (const pending of this.#inOrder()) {
      if (pending === undefined || pending.settled) continue
      const { exchange, routingKey } = pending
      this.#fail(pending, new PublishUncertainError(exchange, routingKey, { cause: error }))
    }
    this.#rejectWaiting(error, () => error)
  }

  unblock(): void {
    this.#blocked = false
    this.#refusal = undefined
    this.resume()
  }

  /** After channel.flow(false) nothing is written until channel.flow(true); it ends with the channel that it came on. */
  set flowStopped(stopped: boolean) {
    this.#flowStopped = stopped
    if (!stopped) this.resume()
  }

  /** Writes what waited, as far as the window allows. */
  resume(): void {
    while (this.#waitingHead < this.#waiting.length && this.#open()) {
      const pending = this.#waiting[this.#waitingHead] as PendingPublish
      this.#waitingHead++
      pending.queued = false
      if (pending.settled) this.#waitingSettled--
      else this.#write(pending)
    }
    if (this.#waitingHead === this.#waiting.length) {
      this.#waiting = []
      this.#waitingHead = 0
    } else if (this.#waitingHead > 1024) {
      this.#waiting = this.#waiting.slice(this.#waitingHead)
      this.#waitingHead = 0
    }
    this.#checkIdle()
  }

  /** The channel is gone: what was written and not confirmed is uncertain now. */
  detach(cause: HermodError): void {
    this.#session = undefined
    const overPublish = isOverPublish(cause)
    const alone = overPublish && this.#unconfirmed === 1
    let found = alone
    const again: PendingPublish[] = []
    const refusedBytes = overPublish ? refusedSize(cause) : undefined
    let unread = false
    for (let tag = this.#lowestTag; tag < this.#nextTag; tag++) {
      const pending = this.#ring[tag & this.#mask]
      if (pending === undefined) continue
      if (unread) {
        // Behind what it closes a channel over, a broker reads nothing: this was never published.
        if (!pending.settled) again.push(pending)
        continue
      }
      if (pending.body.byteLength === refusedBytes) found = unread = true
      if (pending.settled) continue
      if (pending.returned !== undefined) this.#fail(pending, pending.returned)
      else if (alone || unread || (overPublish && namesExchange(cause, pending))) {
        found = true
        this.#fail(pending, cause)
      } else if (pending.resend) {
        pending.uncertain = true
        again.push(pending)
      } else this.#fail(pending, new PublishUncertainError(pending.exchange, pending.routingKey, { cause }))
    }
    this.#ring.fill(undefined)
    this.#lowestTag = this.#nextTag = 1
    this.#unconfirmed = 0
    this.#openMandatory = 0
    if (again.length > 0) {
      for (const pending of again) pending.queued = true
      this.#waiting = [...again, ...this.#waiting.slice(this.#waitingHead)]
      this.#waitingHead = 0
      if (overPublish && !found) this.#lastSuspect = again.at(-1)
    }
    this.#checkIdle()
  }

  /** Resolves when nothing is unconfirmed and nothing waits. */
  idle(): Promise<void> {
    if (this.#unconfirmed === 0 && this.waiting === 0) return Promise.resolve()
    return (this.#idle ??= createDeferred()).promise
  }

  #checkIdle(): void {
    if (this.#idle === undefined || this.#unconfirmed > 0 || this.waiting > 0) return
    this.#idle.resolve()
    this.#idle = undefined
  }

  seal(reason: HermodError): void {
    this.#sealed = reason
  }

  /** No channel will come again: everything still open is rejected. */
  end(cause: HermodError): void {
    if (this.#ended !== undefined) return
    this.detach(cause)
    this.#ended = cause
    this.#rejectWaiting(
      cause,
      () => new ChannelClosedError(`the message was not sent: ${cause.message}`, { cause }),
    )
  }

  #rejectWaiting(cause: HermodError, unsent: () => HermodError): void {
    const waiting = this.#waiting.slice(this.#waitingHead)
    this.#waiting = []
    this.#waitingHead = this.#waitingSettled = 0
    for (const pending of waiting) {
      pending.queued = false
      const { exchange, routingKey } = pending
      this.#fail(
        pending,
        pending.uncertain ? new PublishUncertainError(exchange, routingKey, { cause }) : unsent(),
      )
    }
    this.#checkIdle()
  }

  #fail(pending: PendingPublish, error: HermodError): void {
    if (pending.abandon(error)) this.#onFailed(error)
  }
}

/** Whether the broker closed the channel, or the whole connection, over a message. */
function isOverPublish(cause: HermodError): boolean {
  return cause.details['method'] === 'basic.publish' && (cause instanceof ChannelError || isHardError(cause))
}

/**
 * How large the body is that the broker refused; the first of this size is the one.
 * @source RabbitMQ rabbit_channel.erl, check_msg_size
 */
function refusedSize({ details }: HermodError): number | undefined {
  const [, bytes] = /message size (\d+) is larger than/.exec(String(details['replyText'])) ?? []
  return bytes === undefined ? undefined : Number(bytes)
}

/** Whether the broker says that it was a publish to this exchange. */
function namesExchange({ details }: HermodError, { exchange }: PendingPublish): boolean {
  return String(details['replyText']).includes(`exchange '${exchange}'`)
}

import {
  ChannelClosedError,
  ChannelError,
  createDeferred,
  isHermodError,
  ProtocolError,
  withDeadline,
  type ConnectionBlockedError,
  type DeadlineOptions,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import {
  decodeArguments,
  methodName,
  type DecodedMethod,
  type MethodArguments,
} from '../wire/generated/methods.ts'
import { blamedMethod, Calls, type CallName, type Reply } from './calls.ts'
import type { ChannelHost } from './channel-host.ts'
import type { ChannelEnd, ChannelOptions, ChannelState } from './channel-options.ts'
import { Consumers } from './consumers.ts'
import { Deliveries } from './deliveries.ts'
import { HealPace } from './heal-pace.ts'
import type { Message } from './message.ts'
import type { PublishPath } from './publish-path.ts'
import { Publisher } from './publisher.ts'
import type { ChannelSink, Session } from './session.ts'
import { Transaction } from './transaction.ts'

const BASIC_DELIVER = 0x003c_003c
const BASIC_ACK = 0x003c_0050

/** A broker that is blocked, or gone without a word, does not answer. */
const CLOSE_TIMEOUT_MS = 5_000

/**
 * A channel as its connection and the broker see it: opened on one session after another, closed by the broker and
 * opened again. What a program sees of it is {@link Channel}.
 */
export class WireChannel {
  readonly host: ChannelHost
  readonly recovers: boolean
  /** How messages leave: each with its confirm, or with their transaction. */
  readonly publishing: PublishPath
  readonly transaction: Transaction | undefined
  readonly consumers: Consumers
  readonly #calls = new Calls()
  readonly #closed = createDeferred<ChannelEnd>()
  readonly #sink: ChannelSink
  #session: Session | undefined
  #number = 0
  #ready: Deferred<void> = createDeferred()
  #ended: HermodError | undefined
  #closing = false
  /** Why nothing more is said. */
  #sealed: HermodError | undefined
  #generation = 0
  #isReady = false
  /** The opening after the latest channel error. */
  #healed: Promise<void> = Promise.resolve()
  readonly #healPace: HealPace
  /** The session on which the channel is to be opened again after a pause. */
  #pausingOn: Session | undefined
  #deliveries: Deliveries | undefined
  /** The messages of `basic.get-ok`, by their method, until its caller takes them. */
  readonly #gotten = new WeakMap<object, Message>()

  constructor(host: ChannelHost, options: ChannelOptions) {
    this.host = host
    this.recovers = options.recover ?? true
    this.#healPace = new HealPace(host.clock)
    const { maxUnconfirmed = 1000, transactional = false, confirms = true } = options
    const onFailed = (error: HermodError): void => host.publishFailed(error)
    this.transaction = transactional ? new Transaction(maxUnconfirmed, host.traffic, onFailed) : undefined
    this.publishing =
      this.transaction ?? new Publisher({ maxUnconfirmed, confirms }, host.clock, host.traffic, onFailed)
    this.consumers = new Consumers(this, host)
    this.#ready.promise.catch(() => {})
    this.#sink = {
      onMethod: (reader) => this.#onMethod(reader),
      onHeader: (reader) => this.#deliveries?.header(reader),
      onBody: (bytes, start, end) => this.#deliveries?.body(bytes, start, end),
      onFlush: () => this.#deliveries?.writeAcks(),
      nextFlush: () => this.#deliveries?.nextFlush() ?? 'never',
    }
  }

  /** See `Channel.number`. */
  get number(): number {
    return this.#session === undefined ? 0 : this.#number
  }

  get state(): ChannelState {
    if (this.#ended !== undefined) return 'closed'
    if (this.#closing || this.#sealed !== undefined) return 'closing'
    if (this.#isReady) return 'open'
    return this.#session === undefined ? 'waiting' : 'opening'
  }

  get closed(): Promise<ChannelEnd> {
    return this.#closed.promise
  }

  /** Changes whenever the channel is opened or lost, so that work begun before knows that it is late. */
  get generation(): number {
    return this.#generation
  }

  /** Whether there is a session to ask on. */
  get isOpen(): boolean {
    return this.#session !== undefined
  }

  /** What this opening of the channel has delivered; undefined while there is none. */
  get deliveries(): Deliveries | undefined {
    return this.#deliveries
  }

  /** Waits for the channel, then asks and waits for the answer, both within one deadline. */
  async call<Name extends CallName>(
    name: Name,
    args: MethodArguments[Name],
    deadline: DeadlineOptions,
  ): Promise<Reply<Name>> {
    const left = await this.whenReady(deadline)
    return withDeadline(this.ask(name, args), left, name, this.host.clock)
  }

  /** Waits for the channel. @returns what is left of the deadline. */
  async whenReady({ signal, timeoutMs }: DeadlineOptions): Promise<DeadlineOptions> {
    if (this.#ended !== undefined) throw this.#ended
    if (this.#sealed !== undefined) throw this.#sealed
    signal?.throwIfAborted()
    const { clock, operationTimeoutMs } = this.host
    const limitMs = timeoutMs ?? operationTimeoutMs
    if (this.#isReady) return { signal, timeoutMs: limitMs }
    const begunMs = clock.monotonicMs()
    const limits = { signal, timeoutMs: limitMs }
    await withDeadline(this.#ready.promise, limits, 'waiting for the connection', clock)
    return { signal, timeoutMs: Math.max(0, limitMs - (clock.monotonicMs() - begunMs)) }
  }

  /** Sends at once, on the session of now; acks that wait leave before. */
  ask<Name extends CallName>(name: Name, args: MethodArguments[Name]): Promise<Reply<Name>> {
    const session = this.#session
    if (session === undefined)
      return Promise.reject(this.#ended ?? new ChannelClosedError(`${name}: the connection is away`))
    if (this.#sealed !== undefined && name !== 'channel.close') return Promise.reject(this.#sealed)
    this.#deliveries?.writeAcks()
    session.send(this.#number, name, args)
    return this.#calls.add(name, args)
  }

  /** The queue of a consumer is gone: what it was given and has not settled goes back. */
  giveBack(consumer: object): void {
    this.#deliveries?.giveBack(consumer)
  }

  /** See `Channel.get`. */
  async get(queue: string, noAck: boolean, deadline: DeadlineOptions): Promise<Message | undefined> {
    const left = await this.whenReady(deadline)
    const asked = this.ask('basic.get', { queue: this.host.topology.currentName(queue), noAck })
    try {
      const reply = await withDeadline(asked, left, 'basic.get', this.host.clock)
      return this.#gotten.get(reply.args)
    } catch (error) {
      // A message that comes when nobody waits for it any more would stay with us until the channel closes.
      asked.then(
        ({ args }) => putBack(this.#gotten.get(args)),
        () => {},
      )
      throw error
    }
  }

  /** See `Channel.recover`. */
  async recover(deadline: DeadlineOptions): Promise<void> {
    const left = await this.whenReady(deadline)
    // `ask` and not `call`: what another opening of the channel delivers is not to be put back.
    const recovered = this.#deliveries?.recover(() => this.ask('basic.recover', { requeue: true }))
    await withDeadline(recovered ?? Promise.resolve(), left, 'basic.recover', this.host.clock)
  }

  /** See `Channel.close`. */
  async close(): Promise<void> {
    if (this.#closing || this.#ended !== undefined) return void (await this.closed)
    this.#closing = true
    if (this.#session === undefined) return this.end(undefined)
    this.seal(new ChannelClosedError('the channel is being closed'))
    const { clock, operationTimeoutMs } = this.host
    const timeoutMs = Math.min(CLOSE_TIMEOUT_MS, operationTimeoutMs)
    try {
      // Not `call`: a channel that is still being opened need not become ready first.
      const asked = this.ask('channel.close', { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 })
      await withDeadline(asked, { timeoutMs }, 'channel.close', clock)
    } catch {
      // The connection went first: the channel is closed all the same.
    }
    this.end(undefined)
  }

  /**
   * The last that is said on the channel, acks that wait: it is about to be closed, or its connection is. Behind a
   * channel.close RabbitMQ takes a late ack or publish for one on a channel that was never opened, and ends the whole
   * connection (504). Messages that are settled from now on are stale.
   */
  seal(reason: HermodError): void {
    this.#deliveries?.writeAcks()
    this.#sealed = reason
    this.#deliveries?.pause()
    this.#deliveries?.end()
    this.publishing.seal(
      new ChannelClosedError(`the message was not sent: ${reason.message}`, { cause: reason }),
    )
  }

  /** Opens the channel on a session, with everything that it had. */
  async open(session: Session): Promise<void> {
    this.#session = session
    const generation = ++this.#generation
    this.#number = session.attach(this.#sink)
    const { maxBodyBytes, traffic, connectionName } = this.host
    const transactional = this.transaction !== undefined
    const options = { connectionName, maxBodyBytes, transactional, traffic }
    this.#deliveries = new Deliveries(session, this.#number, this.consumers, options, {
      onGot: (method, message) => {
        this.#gotten.set(method.args, message)
        this.#calls.answer(method)
      },
      onReturned: (message) => this.publishing.returned(message),
      onSettled: () => this.transaction?.settled(),
    })
    try {
      const opened = this.ask('channel.open', {})
      const selected = transactional ? this.ask('tx.select', {}) : undefined
      await withDeadline(
        Promise.all([opened, selected]),
        { timeoutMs: this.host.operationTimeoutMs },
        'channel.open',
        this.host.clock,
      )
      // Handlers publish and settle within the transaction as soon as their first message is here.
      if (generation === this.#generation) this.transaction?.attach(session, this.#number)
      await this.consumers.restart()
    } catch (error) {
      if (generation === this.#generation) throw error
    }
    if (generation !== this.#generation) {
      // The broker closed it meanwhile, so that it is being opened once more.
      if (this.isOn(session)) return this.#healed
      throw this.#ended ?? new ChannelClosedError('the channel was lost while it was opened')
    }
    this.publishing.attach(session, this.#number)
    this.#isReady = true
    this.#ready.resolve()
  }

  /** Whether the channel is open on this session, or being opened on it. */
  isOn(session: Session): boolean {
    return this.#session === session || this.#pausingOn === session
  }

  /** The session is gone. */
  sessionLost(error: HermodError): void {
    if (this.#session === undefined && this.#ended !== undefined) return
    this.#forgetSession(error)
    if (!this.recovers || this.#closing) this.end(error)
  }

  #forgetSession(error: HermodError): void {
    this.#leaveSession()
    // Whoever waits for a channel that was not ready yet goes on waiting for the next one.
    if (this.#isReady) {
      this.#isReady = false
      this.#ready = createDeferred()
      this.#ready.promise.catch(() => {})
    }
    this.#calls.fail(error)
    this.publishing.detach(error)
  }

  #leaveSession(): void {
    this.#session?.detach(this.#number)
    this.#session = this.#pausingOn = undefined
    this.#deliveries?.end()
    this.#deliveries = undefined
    this.#generation++
  }

  /** The channel is over for good. */
  end(error: HermodError | undefined): void {
    if (this.#ended !== undefined) return
    const reason = error ?? new ChannelClosedError('the channel is closed')
    this.#ended = reason
    this.#leaveSession()
    this.#calls.fail(reason)
    this.#ready.reject(reason)
    this.publishing.end(reason)
    this.consumers.end(error)
    this.#closed.resolve(error === undefined ? {} : { error })
    this.host.channelClosed(this)
  }

  /** `connection.blocked`, and, with an error, that it has lasted too long. */
  block(tooLong?: ConnectionBlockedError): void {
    this.publishing.block()
    if (tooLong !== undefined) this.publishing.refuse(tooLong)
  }

  /** */
  unblock(): void {
    this.publishing.unblock()
  }

  /** There is room in the output again. */
  resume(): void {
    this.publishing.resume()
  }

  #onMethod(reader: ByteReader): void {
    const code = reader.uint32()
    const deliveries = this.#deliveries as Deliveries
    if (deliveries.busy) throw new ProtocolError('a method came in the middle of a content')
    if (code === BASIC_DELIVER) return deliveries.deliver(reader)
    if (code === BASIC_ACK) {
      const { deliveryTag, multiple } = decodeArguments(reader, 'basic.ack')
      return this.publishing.confirm(deliveryTag, multiple, true)
    }
    const name = methodName(code)
    if (name === undefined) throw new ProtocolError(`unknown method ${code >>> 16}.${code & 0xffff}`)
    this.#onOtherMethod({ name, args: decodeArguments(reader, name) } as DecodedMethod)
  }

  #onOtherMethod(method: DecodedMethod): void {
    switch (method.name) {
      case 'basic.nack':
        return this.publishing.confirm(method.args.deliveryTag, method.args.multiple, false)
      case 'basic.return':
        return this.#deliveries?.expect({ args: method.args })
      case 'basic.get-ok':
        return this.#deliveries?.expect({ method, noAck: this.#calls.noAckGet })
      case 'basic.recover-ok':
        this.#deliveries?.recovered()
        return this.#calls.answer(method)
      case 'basic.cancel':
        return this.consumers.cancelledByBroker(method.args.consumerTag)
      case 'channel.close':
        return this.#onBrokerClose(method.args)
      case 'channel.flow':
        if (this.#sealed === undefined)
          this.#session?.send(this.#number, 'channel.flow-ok', { active: method.args.active })
        this.publishing.flowStopped = !method.args.active
        return
      default:
        if (Calls.isReplyName(method.name)) return this.#calls.answer(method)
        throw new ProtocolError(`${method.name} came from the broker, which does not send it`)
    }
  }

  #onBrokerClose(args: MethodArguments['channel.close']): void {
    const session = this.#session as Session
    const number = this.#number
    const error = new ChannelError(args.replyCode, args.replyText, blamedMethod(args))
    session.send(this.#number, 'channel.close-ok', {})
    this.#forgetSession(error)
    if (this.recovers) this.host.channelFailed(number, error)
    if (!this.recovers || this.#closing) return this.end(error)
    this.#healed = this.#heal(session)
    this.#healed.catch((reason: unknown) => {
      if (this.#session === session) this.end(isHermodError(reason) ? reason : error)
    })
  }

  async #heal(session: Session): Promise<void> {
    const pauseMs = this.#healPace.pauseMs()
    const generation = this.#generation
    if (pauseMs > 0) {
      this.#pausingOn = session
      await new Promise<void>((resolve) => this.host.clock.after(pauseMs, resolve, { background: true }))
      if (generation !== this.#generation)
        throw this.#ended ?? new ChannelClosedError('the channel was lost while it was opened')
      this.#pausingOn = undefined
    }
    return this.open(session)
  }
}

function putBack(message: Message | undefined): void {
  if (message?.state === 'received') message.requeue()
}

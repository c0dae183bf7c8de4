import {
  ChannelClosedError,
  ChannelError,
  createDeferred,
  isHermodError,
  ProtocolError,
  withDeadline,
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
import { Consumers } from './consumers.ts'
import type { ConsumeOptions, MessageHandler, Subscription } from './consumer-subscription.ts'
import { Declarations } from './declarations.ts'
import { Deliveries } from './deliveries.ts'
import { HealPace } from './heal-pace.ts'
import type { Message } from './message.ts'
import { Publisher, type PublishOptions } from './publisher.ts'
import type { ChannelSink, Session } from './session.ts'
import type { Topology } from './topology.ts'

/** How a channel behaves. */
export interface ChannelOptions {
  /**
   * Whether the channel comes back after a reconnect or a channel error, with what was declared on it and its
   * consumers. `false`: it ends then, and `closed` says why. Default true.
   */
  readonly recover?: boolean | undefined
  /** Messages written and not yet confirmed, at the most; more wait. Default 1000. */
  readonly maxUnconfirmed?: number | undefined
}

/** Why a channel ended; without an error it was closed here. */
export interface ChannelEnd {
  readonly error?: HermodError | undefined
}

const BASIC_DELIVER = 0x003c_003c
const BASIC_ACK = 0x003c_0050

/**
 * An AMQP channel: declarations, publishing with confirms, consuming with coalesced acks.
 *
 * The broker closes a channel over a single wrong operation. That operation rejects with {@link ChannelError}; the
 * channel then heals itself, unless `recover` is false.
 */
export class Channel extends Declarations {
  readonly #host: ChannelHost
  protected readonly recover: boolean
  readonly #publisher: Publisher
  readonly #calls = new Calls()
  readonly #consumers: Consumers
  readonly #closed = createDeferred<ChannelEnd>()
  readonly #sink: ChannelSink
  #session: Session | undefined
  #number = 0
  #ready: Deferred<void> = createDeferred()
  #ended: HermodError | undefined
  #closing = false
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

  constructor(host: ChannelHost, options: ChannelOptions = {}) {
    super()
    this.#host = host
    this.recover = options.recover ?? true
    this.#healPace = new HealPace(host.clock)
    this.#publisher = new Publisher(options.maxUnconfirmed ?? 1000, host.clock, (error) =>
      host.publishFailed(error),
    )
    const currentGeneration = (): number => this.#generation
    this.#consumers = new Consumers(
      {
        recover: this.recover,
        get generation() {
          return currentGeneration()
        },
        ask: (name, args) => {
          this.#deliveries?.writeAcks()
          return this.#ask(name, args)
        },
      },
      host,
    )
    this.#ready.promise.catch(() => {})
    this.#sink = {
      onMethod: (reader) => this.#onMethod(reader),
      onHeader: (reader) => this.#deliveries?.header(reader),
      onBody: (bytes, start, end) => this.#deliveries?.body(bytes, start, end),
      onFlush: () => this.#deliveries?.writeAcks(),
      nextFlush: () => this.#deliveries?.nextFlush() ?? 'never',
    }
  }

  /** The number on the wire; another one each time the channel is opened again, 0 while it is not open. */
  get number(): number {
    return this.#session === undefined ? 0 : this.#number
  }

  protected get topology(): Topology {
    return this.#host.topology
  }

  /** Resolves, and never rejects, when the channel is over for good. */
  get closed(): Promise<ChannelEnd> {
    return this.#closed.promise
  }

  /** Messages written and not yet confirmed, and messages that wait to be written. */
  get pendingPublishes(): { readonly unconfirmed: number; readonly waiting: number } {
    return { unconfirmed: this.#publisher.unconfirmed, waiting: this.#publisher.waiting }
  }

  /**
   * Publishes a message. At least once, once the promise resolves: the broker has confirmed it (which says nothing
   * about whether a queue took it, unless `mandatory`).
   *
   * The body is the caller's until the promise settles, and is not to change before. A rejection that nobody awaits
   * does not end the process; it is counted and reported as `publish-failed`.
   *
   * @throws {MessageUndeliverableError} E_UNROUTABLE a mandatory message that no queue took.
   * @throws {MessageNackedError} E_NACKED the broker refused it.
   * @throws {PublishUncertainError} E_UNCERTAIN the connection broke before the confirm, and `resend` is false.
   * @throws {ChannelError} E_CHANNEL for example 404: there is no such exchange.
   * @source AMQP 0-9-1 §1.8.3.7; RabbitMQ publisher confirms
   */
  publish(exchange: string, routingKey: string, body: Uint8Array, options?: PublishOptions): Promise<void> {
    return this.#publisher.publish(exchange, routingKey, body, options)
  }

  /**
   * Consumes a queue: `handler` gets each message, which is to be settled (unless `noAck`). At least once: what is
   * not settled when the channel dies is delivered again.
   *
   * The consumer survives reconnects and, when the queue was deleted, waits for it to come back (declaring it anew if
   * this connection had declared it).
   *
   * @throws {ChannelError} E_CHANNEL 404: there is no such queue; 403: somebody consumes it exclusively.
   */
  async consume(queue: string, options: ConsumeOptions, handler: MessageHandler): Promise<Subscription> {
    await this.#whenReady(options)
    return this.#consumers.start(queue, options, handler)
  }

  /** Takes one message out of a queue, if there is one. It is to be settled, unless `noAck`. */
  async get(
    queue: string,
    options: DeadlineOptions & { readonly noAck?: boolean } = {},
  ): Promise<Message | undefined> {
    await this.#whenReady(options)
    const asked = this.#ask('basic.get', {
      queue: this.topology.currentName(queue),
      noAck: options.noAck === true,
    })
    try {
      const reply = await withDeadline(asked, this.#limits(options), 'basic.get', this.#host.clock)
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

  /** Whether an exchange exists. Asked on a channel of its own, because a "no" closes the channel that asks. */
  exchangeExists(exchange: string, deadline: DeadlineOptions = {}): Promise<boolean> {
    return this.#host.exchangeExists(exchange, deadline)
  }

  /** Resolves when every message published so far is confirmed or refused. */
  async drain(options: DeadlineOptions = {}): Promise<void> {
    await withDeadline(this.#publisher.idle(), options, 'channel.drain', this.#host.clock)
  }

  /** Closes the channel; acks that were given leave before. Consumers end, unconfirmed publishes reject. */
  async close(): Promise<void> {
    if (this.#closing || this.#ended !== undefined) return void (await this.closed)
    this.#closing = true
    if (this.#session === undefined) return this.end(undefined)
    this.#deliveries?.pause()
    this.#deliveries?.writeAcks()
    try {
      await this.call('channel.close', { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 })
    } catch {
      // The connection went first: the channel is closed all the same.
    }
    this.end(undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined && this.#session !== undefined)
      await this.drain({ timeoutMs: this.#host.operationTimeoutMs }).catch(() => {})
    await this.close()
  }

  async call<Name extends CallName>(
    name: Name,
    args: MethodArguments[Name],
    deadline: DeadlineOptions = {},
  ): Promise<Reply<Name>> {
    await this.#whenReady(deadline)
    return withDeadline(this.#ask(name, args), this.#limits(deadline), name, this.#host.clock)
  }

  #limits({ signal, timeoutMs }: DeadlineOptions): DeadlineOptions {
    return { signal, timeoutMs: timeoutMs ?? this.#host.operationTimeoutMs }
  }

  async #whenReady(deadline: DeadlineOptions): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended
    deadline.signal?.throwIfAborted()
    await withDeadline(
      this.#ready.promise,
      this.#limits(deadline),
      'waiting for the connection',
      this.#host.clock,
    )
  }

  #ask<Name extends CallName>(name: Name, args: MethodArguments[Name]): Promise<Reply<Name>> {
    const session = this.#session
    if (session === undefined)
      return Promise.reject(this.#ended ?? new ChannelClosedError(`${name}: the connection is away`))
    session.send(this.#number, name, args)
    return this.#calls.add(name, args)
  }

  /** Opens the channel on a session, with everything that it had. Called by the connection. */
  async open(session: Session): Promise<void> {
    this.#session = session
    const generation = ++this.#generation
    this.#number = session.attach(this.#sink)
    this.#deliveries = new Deliveries(session, this.#number, this.#consumers, this.#host.maxBodyBytes, {
      onGot: (method, message) => {
        this.#gotten.set(method.args, message)
        this.#calls.answer(method)
      },
      onReturned: ({ exchange, routingKey, replyText }, rawProperties, body) =>
        void this.#publisher.returned(exchange, routingKey, replyText, rawProperties, body),
      onStaleSettle: () => this.#host.staleSettle(),
    })
    try {
      const opened = this.#ask('channel.open', {})
      await withDeadline(opened, this.#limits({}), 'channel.open', this.#host.clock)
      await this.#consumers.restart()
    } catch (error) {
      if (generation === this.#generation) throw error
    }
    if (generation !== this.#generation) {
      // The broker closed it meanwhile, so that it is being opened once more.
      if (this.isOn(session)) return this.#healed
      throw this.#ended ?? new ChannelClosedError('the channel was lost while it was opened')
    }
    this.#publisher.attach(session, this.#number)
    this.#isReady = true
    this.#ready.resolve()
  }

  /** Whether the channel is open on this session, or being opened on it. Called by the connection. */
  isOn(session: Session): boolean {
    return this.#session === session || this.#pausingOn === session
  }

  /** The session is gone. Called by the connection. */
  sessionLost(error: HermodError): void {
    if (this.#session === undefined && this.#ended !== undefined) return
    this.#forgetSession(error)
    if (!this.recover || this.#closing) this.end(error)
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
    this.#publisher.detach(error)
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
    this.#publisher.end(reason)
    this.#consumers.end(error)
    this.#closed.resolve(error === undefined ? {} : { error })
    this.#host.channelClosed(this)
  }

  /** See Publisher.blocked; called by the connection. */
  set blocked(blocked: boolean) {
    this.#publisher.blocked = blocked
  }

  /** There is room in the output again; called by the connection. */
  resume(): void {
    this.#publisher.resume()
  }

  #onMethod(reader: ByteReader): void {
    const code = reader.uint32()
    const deliveries = this.#deliveries as Deliveries
    if (deliveries.busy) throw new ProtocolError('a method came in the middle of a content')
    if (code === BASIC_DELIVER) return deliveries.deliver(reader)
    if (code === BASIC_ACK) {
      const { deliveryTag, multiple } = decodeArguments(reader, 'basic.ack')
      return this.#publisher.confirm(deliveryTag, multiple, true)
    }
    const name = methodName(code)
    if (name === undefined) throw new ProtocolError(`unknown method ${code >>> 16}.${code & 0xffff}`)
    this.#onOtherMethod({ name, args: decodeArguments(reader, name) } as DecodedMethod)
  }

  #onOtherMethod(method: DecodedMethod): void {
    switch (method.name) {
      case 'basic.nack':
        return this.#publisher.confirm(method.args.deliveryTag, method.args.multiple, false)
      case 'basic.return':
        return this.#deliveries?.expect({ args: method.args })
      case 'basic.get-ok':
        return this.#deliveries?.expect({ method, noAck: this.#calls.noAckGet })
      case 'basic.cancel':
        return this.#consumers.cancelledByBroker(method.args.consumerTag)
      case 'channel.close':
        return this.#onBrokerClose(method.args)
      case 'channel.flow':
        this.#session?.send(this.#number, 'channel.flow-ok', { active: method.args.active })
        this.#publisher.flowStopped = !method.args.active
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
    if (this.recover) this.#host.channelFailed(number, error)
    if (!this.recover || this.#closing) return this.end(error)
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
      await new Promise<void>((resolve) => this.#host.clock.after(pauseMs, resolve, { background: true }))
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

import {
  Backoff,
  ConnectionClosedError,
  ConnectionError,
  HermodError,
  isHermodError,
  Lifecycle,
  MessagingTimeoutError,
  sleep,
  withDeadline,
  type DeadlineOptions,
} from '@hermod/kernel'
import { Blockade } from './blockade.ts'
import type { BrokerAddress } from './broker-address.ts'
import { identifyBroker, type BrokerIdentity } from './broker-identity.ts'
import { Channel } from './channel.ts'
import type { ChannelHost, QueueStatus } from './channel-host.ts'
import type { ChannelOptions } from './channel-options.ts'
import type { ConnectionEnd, ConnectionState, ConnectionStats } from './connection-events.ts'
import {
  resolveConnectionOptions,
  type ConnectionOptions,
  type ConnectionTarget,
  type ResolvedConnectionOptions,
} from './connection-options.ts'
import { obtainCredentials } from './credentials.ts'
import { connectToAny } from './failover.ts'
import { isHardError } from './hard-error.ts'
import { askForExchange, askForQueue } from './passive-question.ts'
import { ReportedEvents } from './reported-events.ts'
import { declareQueueAgain, restoreTopology } from './restore-topology.ts'
import { SecretRenewal } from './secret-renewal.ts'
import type { Session } from './session.ts'
import { Topology } from './topology.ts'
import type { Traffic } from './traffic.ts'
import { WireChannel } from './wire-channel.ts'

const TRANSITIONS: { readonly [State in ConnectionState]: readonly ConnectionState[] } = {
  connecting: ['open', 'closed'],
  open: ['blocked', 'reconnecting', 'closing', 'closed'],
  blocked: ['open', 'reconnecting', 'closing', 'closed'],
  reconnecting: ['open', 'closing', 'closed'],
  closing: ['closed'],
  closed: [],
}

/**
 * Only a connection that lived this long lets the waits begin small again: a broker that takes connections and drops
 * them at once is not to be knocked at for ever.
 */
const STABLE_MS = 10_000

/** A callback for credentials may be behind the broker, or before it, for a moment; this often in a row it is not. */
const MOST_REFUSALS = 5

/**
 * A connection to a broker: one socket at a time, made again when it breaks.
 *
 * After a reconnect the channels are opened again, what was declared is declared again, and consumers consume again
 * (channels with `recover: false` end instead). An error that another attempt cannot mend, such as a refused
 * password, ends the connection: `closed` then says why.
 *
 * @example
 * await using connection = await Connection.connect('amqp://guest:guest@localhost/')
 * const channel = await connection.openChannel()
 */
export class Connection extends ReportedEvents {
  readonly #options: ResolvedConnectionOptions
  readonly #lifecycle: Lifecycle<ConnectionState, ConnectionEnd>
  readonly #channels = new Set<WireChannel>()
  readonly #topology = new Topology()
  readonly #host: ChannelHost
  readonly #closing = new AbortController()
  #session: Session | undefined
  #server: BrokerIdentity | undefined
  /** The address of {@link #server}, which has what its identity does not show. */
  #address: BrokerAddress | undefined
  readonly #blockade: Blockade
  readonly #renewal: SecretRenewal
  readonly #backoff: Backoff
  readonly #traffic: Traffic = {
    published: 0,
    confirmed: 0,
    returned: 0,
    delivered: 0,
    acked: 0,
    rejected: 0,
    requeued: 0,
    staleSettles: 0,
  }
  #openSinceMs = 0
  #reconnects = 0
  /** A declaration of the topology cost a whole connection, and it is not known which. */
  #restoreOneByOne = false
  /** The channel that was being opened when the broker closed the connection over what it was asked. */
  #suspect: WireChannel | undefined
  #refusals = 0
  #publishesFailed = 0
  #channelErrors = 0
  /** Of the sessions that are over. */
  #bytesBefore = { read: 0, written: 0 }

  private constructor(options: ResolvedConnectionOptions) {
    super(options.name, options.onStatus)
    this.#options = options
    this.#lifecycle = new Lifecycle<ConnectionState, ConnectionEnd>(
      'connecting',
      TRANSITIONS,
      (state, previous) => this.report('state', { state, previous }),
    )
    this.#host = this.#makeHost()
    this.#blockade = new Blockade(options.clock, options.blockedTimeoutMs, (error) => {
      for (const channel of this.#channels) channel.block(error)
      this.report('blocked-too-long', { error })
    })
    this.#renewal = new SecretRenewal(options.clock, {
      obtain: (signal) => {
        const { credentials } = this.#options
        if (credentials === undefined) throw new ConnectionError('sasl', 'there are no credentials to renew')
        return obtainCredentials(credentials, this.#address as BrokerAddress, signal)
      },
      onUpdated: () => this.report('secret-updated', {}),
      onError: (error, delayMs) => this.report('secret-error', { error, delayMs }),
    })
    this.#backoff = new Backoff({ initialMs: 200, ...(options.reconnect === false ? {} : options.reconnect) })
  }

  /**
   * Connects to the first server that answers.
   *
   * @param target one URL or address, several, which are tried in random order unless `serverOrder` says otherwise, or
   *   a function that finds them. Each has its own credentials.
   * @throws {ConnectionError | AuthenticationError | AccessRefusedError} when no server could be used: the error of
   *   the last one, with those of the others as its cause.
   */
  static async connect(target: ConnectionTarget, options: ConnectionOptions = {}): Promise<Connection> {
    const connection = new Connection(resolveConnectionOptions(target, options))
    try {
      await connection.#establishFirst(options.signal)
    } catch (error) {
      connection.#finish(isHermodError(error) ? error : undefined)
      throw error
    }
    connection.#enterOpen()
    return connection
  }

  async #establishFirst(signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#establish(signal)
        return
      } catch (error) {
        if (!isHermodError(error) || this.#isPermanent(error) || attempt > this.#options.connectRetries)
          throw error
        const delayMs = this.#backoff.nextMs()
        this.report('retry', { attempt, delayMs, error })
        await sleep(delayMs, { signal }, this.#options.clock)
      }
    }
  }

  /** What the connection is doing now. */
  get state(): ConnectionState {
    return this.#lifecycle.state
  }

  /** The broker that answered last. */
  get server(): BrokerIdentity {
    return this.#server as BrokerIdentity
  }

  /** Resolves, and never rejects, when the connection is over for good. */
  get closed(): Promise<ConnectionEnd> {
    return this.#lifecycle.closed
  }

  /** Figures of now, and counters since the connection was made. */
  stats(): ConnectionStats {
    const now = { channels: this.#channels.size, unconfirmed: 0, waiting: 0, unsettled: 0 }
    for (const channel of this.#channels) {
      const { unconfirmed, waiting } = channel.publishing
      now.unconfirmed += unconfirmed
      now.waiting += waiting
      now.unsettled += channel.deliveries?.unsettled ?? 0
    }
    const session = this.#session
    return {
      state: this.state,
      ...now,
      ...this.#traffic,
      reconnects: this.#reconnects,
      publishesFailed: this.#publishesFailed,
      channelErrors: this.#channelErrors,
      bytesRead: this.#bytesBefore.read + (session?.bytesRead ?? 0),
      bytesWritten: this.#bytesBefore.written + (session?.output.bytesWritten ?? 0),
      blockedMs: this.#blockade.totalMs,
    }
  }

  /**
   * Gives the broker a new password or token for this connection's user, before the old one expires. With the option
   * `credentials` this is done by itself.
   *
   * @throws {ConnectionLostError} E_CONN_LOST when the broker refuses it: it closes the connection then, which comes
   *   back with the credentials that it has.
   * @source RabbitMQ connection.update-secret
   */
  async updateSecret(secret: string, reason = 'renewed'): Promise<void> {
    const session = this.#session
    if (this.state === 'closed' || this.state === 'closing')
      throw new ConnectionClosedError('the connection is closed')
    if (session === undefined) throw new ConnectionClosedError('the connection is away', { retryable: true })
    await session.updateSecret(secret, reason)
    this.report('secret-updated', {})
  }

  /** Opens a channel. While the connection is away, this waits for the next one. */
  async openChannel(options: ChannelOptions = {}): Promise<Channel> {
    if (this.state === 'closed' || this.state === 'closing')
      throw new ConnectionClosedError('the connection is closed')
    const channel = new WireChannel(this.#host, options)
    this.#channels.add(channel)
    const session = this.#session
    if (session !== undefined) {
      try {
        await channel.open(session)
      } catch (error) {
        // A session that died meanwhile leaves the channel to the reconnect, if it is one that comes back.
        if (this.#session === session || options.recover === false) {
          channel.end(isHermodError(error) ? error : undefined)
          throw error
        }
      }
    }
    if (this.#blockade.reason !== undefined) channel.block(this.#blockade.tooLong)
    return new Channel(channel)
  }

  /** Whether an exchange exists. Asked on a channel of its own, so that a "no" disturbs nothing. */
  exchangeExists(exchange: string, deadline: DeadlineOptions = {}): Promise<boolean> {
    const asked = askForExchange(exchange, () => this.openChannel({ recover: false }), deadline)
    return this.#answered(asked, deadline, 'exchange.declare')
  }

  /** How full a queue is and who reads it; undefined where there is none. Asked on a channel of its own. */
  queueStatus(queue: string, deadline: DeadlineOptions = {}): Promise<QueueStatus | undefined> {
    const asked = askForQueue(queue, () => this.openChannel({ recover: false }), deadline)
    return this.#answered(asked, deadline, 'queue.declare')
  }

  /** The channel of the question may have to be opened, and closed, longer than its caller wants to wait. */
  #answered<T>(asked: Promise<T>, { signal, timeoutMs }: DeadlineOptions, what: string): Promise<T> {
    const { operationTimeoutMs, clock } = this.#options
    return withDeadline(asked, { signal, timeoutMs: timeoutMs ?? operationTimeoutMs }, what, clock)
  }

  /**
   * Closes in order: acks and publishes that were written leave first, unconfirmed publishes reject, consumers end.
   * Works in every state; concurrent callers share it.
   */
  async close(): Promise<void> {
    if (this.state === 'closed' || this.state === 'closing') return void (await this.closed)
    this.#lifecycle.enter('closing')
    const closed = new ConnectionClosedError('the connection is closed')
    this.#closing.abort(closed)
    for (const channel of this.#channels) channel.seal(closed)
    await this.#session?.close()
    this.#finish(undefined)
  }

  /**
   * Ends gracefully: consumers are cancelled, what they hold is settled by its handlers, every publish is confirmed or
   * refused, then the connection closes.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT when that takes too long (`timeoutMs`, by default `operationTimeoutMs`);
   *   the connection is closed all the same.
   */
  async drain(options: DeadlineOptions = {}): Promise<void> {
    const { operationTimeoutMs, clock } = this.#options
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs ?? operationTimeoutMs }
    const drained = [...this.#channels].map(async (channel) => {
      await channel.consumers.cancelAll()
      await channel.deliveries?.allSettled()
      await channel.publishing.idle()
    })
    try {
      await withDeadline(Promise.all(drained), limits, 'connection.drain', clock)
    } catch (error) {
      if (!(error instanceof MessagingTimeoutError)) throw error
      const { unsettled, unconfirmed, waiting } = this.stats()
      const left = `messages not settled: ${unsettled}, publishes not confirmed: ${unconfirmed + waiting}`
      throw new MessagingTimeoutError('connection.drain', limits.timeoutMs, left)
    } finally {
      await this.close()
    }
  }

  /** Ends at once, without a word to the broker: what is under way rejects, what is not settled is delivered again. */
  abort(): void {
    const session = this.#session
    // First, so that the end of the session is not taken for a loss.
    this.#finish(undefined)
    session?.abort(new ConnectionClosedError('the connection was aborted'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const confirmed = Promise.all([...this.#channels].map((channel) => channel.publishing.idle()))
    const { operationTimeoutMs: timeoutMs, clock } = this.#options
    if (this.state === 'open')
      await withDeadline(confirmed, { timeoutMs }, 'connection.drain', clock).catch(() => {})
    await this.close()
  }

  #makeHost(): ChannelHost {
    return {
      clock: this.#options.clock,
      connectionName: this.#options.name,
      topology: this.#topology,
      traffic: this.#traffic,
      operationTimeoutMs: this.#options.operationTimeoutMs,
      maxBodyBytes: this.#options.maxBodyBytes,
      channelFailed: (channelNumber, error) => {
        this.#options.logger.warn({ channelNumber, replyCode: error.replyCode }, error.message)
        this.#channelErrors++
        this.report('channel-error', { channelNumber, error })
      },
      channelClosed: (channel) => void this.#channels.delete(channel as WireChannel),
      consumerCancelled: (queue) => this.report('consumer-cancelled', { queue }),
      publishFailed: (error) => this.report('publish-failed', { error, total: ++this.#publishesFailed }),
      brokerProduct: () => this.#server?.product ?? '',
      queueStatus: (queue) => this.queueStatus(queue),
      exchangeExists: (exchange, deadline) => this.exchangeExists(exchange, deadline),
      redeclareQueue: (queue) =>
        declareQueueAgain(
          this.#topology,
          queue,
          () => this.openChannel({ recover: false }),
          (what, error) => this.report('topology-error', { what, error }),
        ),
    }
  }

  /** Makes a session with one of the servers. */
  async #establish(signal: AbortSignal | undefined): Promise<Session> {
    let inUse: Session | undefined
    const { address, session, serverProperties, credentials } = await connectToAny(
      this.#options,
      {
        onBlocked: (reason) => this.#onBlocked(reason),
        onDrain: () => {
          for (const channel of this.#channels) channel.resume()
        },
        // One that ends before it is in use has failed to open; one that was given up is nobody's any more.
        onEnd: (error) => {
          if (inUse !== undefined && inUse === this.#session) this.#onSessionEnd(error)
          else if (inUse === undefined) this.#forgetBlocking()
        },
      },
      signal,
    )
    if (signal?.aborted === true) session.abort(new ConnectionClosedError('the connection is closed'))
    signal?.throwIfAborted()
    // The broker may close in the same breath as it opens.
    if (session.endedWith !== undefined) throw session.endedWith
    this.#session = inUse = session
    this.#address = address
    this.#server = identifyBroker(address, serverProperties)
    this.#refusals = 0
    this.#renewal.watch(session, credentials)
    return session
  }

  #onBlocked(reason: string | undefined): void {
    if (reason === undefined) this.#forgetBlocking()
    else {
      this.#blockade.begin(reason)
      for (const channel of this.#channels) channel.block()
    }
    if (this.state === 'open' || this.state === 'blocked') this.#enterOpen()
    if (reason === undefined) this.report('unblocked', {})
    else this.report('blocked', { reason })
  }

  /** What blocked ends with its session. */
  #forgetBlocking(): void {
    this.#blockade.end()
    for (const channel of this.#channels) channel.unblock()
  }

  /** A broker may block a connection before it is restored. */
  #enterOpen(): void {
    if (this.state !== 'open' && this.state !== 'blocked')
      this.#openSinceMs = this.#options.clock.monotonicMs()
    const blocked = this.#blockade.reason !== undefined
    if (this.state !== 'blocked' || !blocked) this.#lifecycle.enter('open')
    // Who was told that it is open may have ended it.
    if (blocked && this.state === 'open') this.#lifecycle.enter('blocked')
  }

  #onSessionEnd(error: HermodError): void {
    const session = this.#session as Session
    this.#bytesBefore.read += session.bytesRead
    this.#bytesBefore.written += session.output.bytesWritten
    this.#session = undefined
    for (const channel of this.#channels) channel.sessionLost(error)
    this.#forgetBlocking()
    if (this.state === 'closing' || this.state === 'closed' || this.state === 'reconnecting') return
    this.#options.logger.warn({ code: error.code }, error.message)
    const lostAt = this.#options.clock.monotonicMs()
    if (lostAt - this.#openSinceMs >= STABLE_MS) this.#backoff.reset()
    if (this.#options.reconnect !== false) this.#lifecycle.enter('reconnecting')
    this.report('lost', { error, at: new Date(this.#options.clock.now()) })
    if (this.#options.reconnect === false) this.#finish(error)
    else void this.#reconnect(lostAt, error)
  }

  async #reconnect(lostAtMs: number, lost: HermodError): Promise<void> {
    const { signal } = this.#closing
    let error = lost
    let attempt = 0
    while (!signal.aborted) {
      const delayMs = this.#backoff.nextMs()
      this.report('retry', { attempt: ++attempt, delayMs, error })
      let session: Session | undefined
      try {
        await sleep(delayMs, { signal }, this.#options.clock)
        session = await this.#establish(signal)
        await this.#restore(session)
        if (session.endedWith !== undefined) throw session.endedWith
        this.#reconnects++
        this.#enterOpen()
        this.report('restored', { server: this.server, awayMs: this.#options.clock.monotonicMs() - lostAtMs })
        return
      } catch (reason) {
        if (signal.aborted) return
        if (!isHermodError(reason)) throw reason
        error = reason
        this.#restoreOneByOne ||= isHardError(error)
        // One that cannot be restored, say because the broker does not answer any more, is given up.
        session?.abort(error)
        if (this.#isPermanent(error)) return this.#finish(error)
      }
    }
  }

  /** Declarations first, on channels of their own, then every channel with its consumers. */
  async #restore(session: Session): Promise<void> {
    await restoreTopology(
      this.#topology,
      () =>
        session.endedWith === undefined
          ? this.openChannel({ recover: false })
          : Promise.reject(session.endedWith),
      (what, error) => this.report('topology-error', { what, error }),
      this.#restoreOneByOne,
    )
    this.#restoreOneByOne = false
    for (const channel of this.#channels) {
      // It was opened while the declarations were made.
      if (channel.isOn(session)) continue
      try {
        await channel.open(session)
      } catch (error) {
        this.#blame(channel, session.endedWith)
        // A broker that does not answer is no reason to give up a channel, but one to try another connection.
        if (this.#session !== session || !isHermodError(error) || error.code === 'E_TIMEOUT') throw error
        channel.end(error)
      }
    }
  }

  /** A channel over which the broker closes a connection for the second time, say because of a consumer, is given up. */
  #blame(channel: WireChannel, end: HermodError | undefined): void {
    if (end === undefined || !isHardError(end)) return
    if (this.#suspect === channel) channel.end(end)
    this.#suspect = channel
  }

  /** Refused credentials and virtual hosts stay refused, unless the credentials change; everything else may pass. */
  #isPermanent(error: HermodError): boolean {
    if (error.retryable) return false
    if (error.code === 'E_AUTH' && this.#options.credentials !== undefined)
      return ++this.#refusals >= MOST_REFUSALS
    return error.code === 'E_AUTH' || error.code === 'E_ACCESS'
  }

  #finish(error: HermodError | undefined): void {
    if (this.state === 'closed') return
    this.#lifecycle.enter('closed')
    this.#closing.abort(error ?? new ConnectionClosedError('the connection is closed'))
    for (const channel of this.#channels) channel.end(error)
    this.#renewal.stop()
    this.#blockade.end()
    this.reportsEnd()
    this.#lifecycle.end(error === undefined ? {} : { error })
  }
}

import {
  Backoff,
  ChannelError,
  ConnectionClosedError,
  HermodError,
  isHermodError,
  Lifecycle,
  sleep,
  TypedEvents,
  type DeadlineOptions,
} from '@hermod/kernel'
import type { FieldTable } from '../wire/field-table.ts'
import { formatServer, type BrokerAddress } from './broker-address.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import type { ChannelHost, QueueStatus } from './channel-host.ts'
import {
  resolveConnectionOptions,
  type ConnectionOptions,
  type ConnectionTarget,
  type ResolvedConnectionOptions,
} from './connection-options.ts'
import { connectToAny } from './failover.ts'
import type { Session } from './session.ts'
import { declareQueueAgain, restoreTopology } from './restore-topology.ts'
import { Topology } from './topology.ts'

/** What a connection is doing. */
export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'reconnecting' | 'closing' | 'closed'

/** What a connection reports while it lives. None of these needs a listener. */
export interface ConnectionEvents {
  /** The state changed. */
  state: { readonly state: ConnectionState; readonly previous: ConnectionState }
  /** The connection broke; it is made again unless `reconnect` is false. */
  lost: { readonly error: HermodError; readonly at: Date }
  /** An attempt failed; the next one follows after `delayMs`. */
  retry: { readonly attempt: number; readonly delayMs: number; readonly error: HermodError }
  /** The connection is back, with its channels, declarations and consumers. */
  restored: { readonly server: BrokerIdentity; readonly awayMs: number }
  /** The broker takes no publishes for now, for this reason; they wait here. */
  blocked: { readonly reason: string }
  unblocked: object
  /** The broker closed a channel over one operation; unless it was opened with `recover: false` it heals. */
  'channel-error': { readonly channelNumber: number; readonly error: ChannelError }
  /** The broker cancelled a consumer, because its queue is gone. */
  'consumer-cancelled': { readonly queue: string }
  /** Something could not be declared again after a reconnect. */
  'topology-error': { readonly what: string; readonly error: HermodError }
  /** A publish failed, awaited or not; `total` counts them since the connection was made. */
  'publish-failed': { readonly error: HermodError; readonly total: number }
}

/** Which broker answered, as it says itself. */
export interface BrokerIdentity {
  /** `host:port` */
  readonly address: string
  readonly virtualHost: string
  readonly product: string
  readonly version: string
  readonly properties: FieldTable
}

/** Counters since the connection was made. */
export interface ConnectionStats {
  readonly reconnects: number
  readonly publishesFailed: number
  /** Messages settled after their channel had died; the broker delivers them again. */
  readonly staleSettles: number
}

/** Why a connection ended; without an error it was closed here. */
export interface ConnectionEnd {
  readonly error?: HermodError | undefined
}

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
export class Connection extends TypedEvents<ConnectionEvents> {
  readonly #options: ResolvedConnectionOptions
  readonly #lifecycle: Lifecycle<ConnectionState, ConnectionEnd>
  readonly #channels = new Set<Channel>()
  readonly #topology = new Topology()
  readonly #host: ChannelHost
  readonly #closing = new AbortController()
  #session: Session | undefined
  #server: BrokerIdentity | undefined
  #blockedReason: string | undefined
  readonly #backoff: Backoff
  #openSinceMs = 0
  #reconnects = 0
  #publishesFailed = 0
  #staleSettles = 0

  private constructor(options: ResolvedConnectionOptions) {
    super()
    this.#options = options
    this.#lifecycle = new Lifecycle<ConnectionState, ConnectionEnd>(
      'connecting',
      TRANSITIONS,
      (state, previous) => this.emit('state', { state, previous }),
    )
    this.#host = this.#makeHost()
    this.#backoff = new Backoff({ initialMs: 200, ...(options.reconnect === false ? {} : options.reconnect) })
  }

  /**
   * Connects to the first server that answers.
   *
   * @param target one URL or address, or several, which are tried in random order. Each has its own credentials.
   * @throws {ConnectionError | AuthenticationError | AccessRefusedError} when no server could be used: the error of
   *   the last one, with those of the others as its cause.
   */
  static async connect(target: ConnectionTarget, options: ConnectionOptions = {}): Promise<Connection> {
    const connection = new Connection(resolveConnectionOptions(target, options))
    try {
      await connection.#establish(options.signal)
    } catch (error) {
      connection.#lifecycle.enter('closed')
      connection.#lifecycle.end(isHermodError(error) ? { error } : {})
      throw error
    }
    connection.#enterOpen()
    return connection
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

  /** Counters since the connection was made. */
  stats(): ConnectionStats {
    return {
      reconnects: this.#reconnects,
      publishesFailed: this.#publishesFailed,
      staleSettles: this.#staleSettles,
    }
  }

  /** Opens a channel. While the connection is away, this waits for the next one. */
  async openChannel(options: ChannelOptions = {}): Promise<Channel> {
    if (this.state === 'closed' || this.state === 'closing')
      throw new ConnectionClosedError('the connection is closed')
    const channel = new Channel(this.#host, options)
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
    channel.blocked = this.#blockedReason !== undefined
    return channel
  }

  /** Whether an exchange exists. Asked on a channel of its own, so that a "no" disturbs nothing. */
  async exchangeExists(exchange: string, deadline: DeadlineOptions = {}): Promise<boolean> {
    const args = {
      exchange,
      type: '',
      passive: true,
      durable: false,
      autoDelete: false,
      internal: false,
      noWait: false,
      arguments: {},
    }
    return (
      (await this.#passively((channel) => channel.call('exchange.declare', args, deadline))) !== undefined
    )
  }

  /** How full a queue is and who reads it; undefined where there is none. Asked on a channel of its own. */
  async queueStatus(queue: string, deadline: DeadlineOptions = {}): Promise<QueueStatus | undefined> {
    const args = {
      queue,
      passive: true,
      durable: false,
      exclusive: false,
      autoDelete: false,
      noWait: false,
      arguments: {},
    }
    return (await this.#passively((channel) => channel.call('queue.declare', args, deadline)))?.args
  }

  async #passively<T>(ask: (channel: Channel) => Promise<T>): Promise<T | undefined> {
    const channel = await this.openChannel({ recover: false })
    try {
      return await ask(channel)
    } catch (error) {
      if (error instanceof ChannelError && error.replyCode === 404) return undefined
      throw error
    } finally {
      await channel.close()
    }
  }

  /**
   * Closes in order: acks and publishes that were written leave first, unconfirmed publishes reject, consumers end.
   * Works in every state; concurrent callers share it.
   */
  async close(): Promise<void> {
    if (this.state === 'closed' || this.state === 'closing') return void (await this.closed)
    this.#lifecycle.enter('closing')
    this.#closing.abort(new ConnectionClosedError('the connection is closed'))
    await this.#session?.close()
    this.#finish(undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const drained = [...this.#channels].map((channel) =>
      channel.drain({ timeoutMs: this.#options.operationTimeoutMs }),
    )
    if (this.state === 'open') await Promise.allSettled(drained)
    await this.close()
  }

  #makeHost(): ChannelHost {
    return {
      clock: this.#options.clock,
      topology: this.#topology,
      operationTimeoutMs: this.#options.operationTimeoutMs,
      maxBodyBytes: this.#options.maxBodyBytes,
      channelFailed: (channelNumber, error) => {
        this.#options.logger.warn({ channelNumber, replyCode: error.replyCode }, error.message)
        this.emit('channel-error', { channelNumber, error })
      },
      channelClosed: (channel) => void this.#channels.delete(channel as Channel),
      consumerCancelled: (queue) => this.emit('consumer-cancelled', { queue }),
      publishFailed: (error) => this.emit('publish-failed', { error, total: ++this.#publishesFailed }),
      staleSettle: () => void this.#staleSettles++,
      queueStatus: (queue) => this.queueStatus(queue),
      exchangeExists: (exchange, deadline) => this.exchangeExists(exchange, deadline),
      redeclareQueue: (queue) =>
        declareQueueAgain(this.#topology, queue, () => this.openChannel({ recover: false })),
    }
  }

  /** Makes a session with one of the servers. */
  async #establish(signal: AbortSignal | undefined): Promise<Session> {
    let inUse: Session | undefined
    const { address, session, serverProperties } = await connectToAny(
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
    this.#server = identify(address, serverProperties)
    return session
  }

  #onBlocked(reason: string | undefined): void {
    this.#blockedReason = reason
    for (const channel of this.#channels) channel.blocked = reason !== undefined
    if (this.state === 'open' || this.state === 'blocked') this.#enterOpen()
    if (reason === undefined) this.emit('unblocked', {})
    else this.emit('blocked', { reason })
  }

  /** What blocked ends with its session. */
  #forgetBlocking(): void {
    this.#blockedReason = undefined
    for (const channel of this.#channels) channel.blocked = false
  }

  /** A broker may block a connection before it is restored. */
  #enterOpen(): void {
    if (this.state !== 'open' && this.state !== 'blocked')
      this.#openSinceMs = this.#options.clock.monotonicMs()
    if (this.state !== 'blocked' || this.#blockedReason === undefined) this.#lifecycle.enter('open')
    if (this.#blockedReason !== undefined) this.#lifecycle.enter('blocked')
  }

  #onSessionEnd(error: HermodError): void {
    this.#session = undefined
    for (const channel of this.#channels) channel.sessionLost(error)
    this.#forgetBlocking()
    if (this.state === 'closing' || this.state === 'closed' || this.state === 'reconnecting') return
    this.#options.logger.warn({ code: error.code }, error.message)
    const lostAt = this.#options.clock.monotonicMs()
    if (lostAt - this.#openSinceMs >= STABLE_MS) this.#backoff.reset()
    if (this.#options.reconnect !== false) this.#lifecycle.enter('reconnecting')
    this.emit('lost', { error, at: new Date(this.#options.clock.now()) })
    if (this.#options.reconnect === false) this.#finish(error)
    else void this.#reconnect(lostAt, error)
  }

  async #reconnect(lostAtMs: number, lost: HermodError): Promise<void> {
    const { signal } = this.#closing
    let error = lost
    let attempt = 0
    while (!signal.aborted) {
      const delayMs = this.#backoff.nextMs()
      this.emit('retry', { attempt: ++attempt, delayMs, error })
      let session: Session | undefined
      try {
        await sleep(delayMs, { signal }, this.#options.clock)
        session = await this.#establish(signal)
        await this.#restore(session)
        if (session.endedWith !== undefined) throw session.endedWith
        this.#reconnects++
        this.#enterOpen()
        this.emit('restored', { server: this.server, awayMs: this.#options.clock.monotonicMs() - lostAtMs })
        return
      } catch (reason) {
        if (signal.aborted) return
        if (!isHermodError(reason)) throw reason
        error = reason
        // One that cannot be restored, say because the broker does not answer any more, is given up.
        session?.abort(error)
        if (isPermanent(error)) return this.#finish(error)
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
      (what, error) => this.emit('topology-error', { what, error }),
    )
    for (const channel of this.#channels) {
      // It was opened while the declarations were made.
      if (channel.isOn(session)) continue
      try {
        await channel.open(session)
      } catch (error) {
        // A broker that does not answer is no reason to give up a channel, but one to try another connection.
        if (this.#session !== session || !isHermodError(error) || error.code === 'E_TIMEOUT') throw error
        channel.end(error)
      }
    }
  }

  #finish(error: HermodError | undefined): void {
    if (this.state === 'closed') return
    this.#lifecycle.enter('closed')
    this.#closing.abort(error ?? new ConnectionClosedError('the connection is closed'))
    for (const channel of this.#channels) channel.end(error)
    this.#lifecycle.end(error === undefined ? {} : { error })
  }
}

/** Refused credentials and virtual hosts stay refused; everything else may pass. */
function isPermanent(error: HermodError): boolean {
  return (error.code === 'E_AUTH' || error.code === 'E_ACCESS') && !error.retryable
}

function identify(address: BrokerAddress, properties: FieldTable): BrokerIdentity {
  const text = (name: string): string => {
    const value = properties[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    address: formatServer(address),
    virtualHost: address.virtualHost,
    product: text('product'),
    version: text('version'),
    properties,
  }
}

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions } from 'node:tls'
import {
  ConfigurationError,
  ConnectionClosedError,
  createDeferred,
  redactingLogger,
  type Deferred,
} from '@hermod/kernel'
import { notAllowed } from './amqp-error.ts'
import { BrokerConnection } from './broker-connection.ts'
import {
  bindingFacts,
  consumerFacts,
  exchangeFacts,
  queueFacts,
  type BindingFacts,
  type BrokerStats,
  type ConsumerFacts,
  type ExchangeFacts,
  type QueueFacts,
} from './broker-facts.ts'
import { brokerSettings, type BrokerOptions, type BrokerSettings } from './broker-options.ts'
import { fromByteString, toByteString } from './byte-string.ts'
import { IdleWatch, type IdleOptions } from './idle-watch.ts'
import { Admission, IN_PROCESS } from './listen/admission.ts'
import { Listener } from './listen/listener.ts'
import { memoryStreams } from './listen/memory-stream.ts'
import { isLoopback } from './listen/peer-of.ts'
import { StreamLink } from './listen/stream-link.ts'
import { Listening } from './listening.ts'
import { BrokerModel } from './model/broker-model.ts'
import type { VirtualHost } from './model/virtual-host.ts'
import {
  PublishTaps,
  type PublishedMessage,
  type PublishTap,
  type PublishTapOptions,
} from './publish-taps.ts'
import { Alarms, type AlarmKind } from './session/alarms.ts'
import { ConnectionSession } from './session/connection-session.ts'
import type { Peer } from './session/link.ts'
import type { SessionHost } from './session/session-host.ts'
import { Turn } from './session/turn.ts'
import { isUnderWay, underWay } from './session/under-way.ts'
import { Users, type BrokerUser } from './users.ts'

/** Where a broker listens. */
export interface ListenOptions {
  /** Default `127.0.0.1`. An address that others reach needs users of its own. */
  readonly host?: string | undefined
  /** Default 0: a free one. */
  readonly port?: number | undefined
  /** Certificate and key, as Node takes them; plain TCP where absent. */
  readonly tls?: TlsOptions | undefined
}

/** How long clients may take to agree that a broker that closes is closed. */
const FAREWELL_MS = 1_000

/**
 * An AMQP 0-9-1 broker in this process. All that it holds is in memory and gone with it: `durable` and `delivery_mode`
 * are taken, and outlive connections.
 *
 * @example
 * await using broker = createBroker()
 * const { url } = await broker.listen()
 */
export class Broker implements AsyncDisposable {
  readonly #settings: BrokerSettings
  readonly #users = new Users()
  readonly #alarms = new Alarms()
  readonly #model: BrokerModel
  readonly #admission: Admission
  readonly #host: SessionHost
  readonly #turn = new Turn()
  readonly #taps: PublishTaps
  readonly #idleWatch: IdleWatch
  readonly #listeners = new Set<Listener>()
  readonly #connections = new Map<ConnectionSession, BrokerConnection>()
  readonly #known = new Set<ConnectionSession>()
  #lastId = 0
  #refusedConnections = 0
  #refusing = false
  #closed: Promise<void> | undefined
  #empty: Deferred<void> | undefined

  /** @throws {ConfigurationError} E_CONFIG naming every option that cannot be used. */
  constructor(options: BrokerOptions = {}) {
    const settings = brokerSettings(options)
    this.#settings = settings
    const { clock, profile, limits, advertise, heartbeatSeconds } = settings
    this.#model = new BrokerModel({
      clock,
      profile,
      limits,
      memoryLimitBytes: settings.memoryLimitBytes,
      memoryAlarm: (raised) => this.#alarms.set('watermark', raised),
      virtualHosts: settings.virtualHosts.map(toByteString),
    })
    this.#admission = new Admission(limits, (address) => this.#turnAway(address))
    this.#alarms.add({ alarmChanged: () => this.#turn.changed() })
    this.#idleWatch = new IdleWatch({
      turn: this.#turn,
      clock,
      isUnderWay: () => [...this.#connections.keys()].some(isUnderWay),
      movesOn: () => this.#model.longWork.isWaiting,
      underWay: () => this.#underWay(),
    })
    const logger = redactingLogger(settings.logger)
    this.#taps = new PublishTaps((owner) => this.#connections.get(owner as ConnectionSession), logger)
    for (const user of settings.users) this.#users.put(user)
    this.#host = {
      profile,
      limits,
      clock,
      advertise,
      heartbeatSeconds,
      logger,
      taps: this.#taps,
      turn: this.#turn,
      alarms: this.#alarms,
      hold: (bytes) => (bytes > 0 ? this.#model.memory.add(bytes) : this.#model.memory.remove(-bytes)),
      holdUnderWay: (bytes) => (bytes > 0 ? this.#model.memory.begin(bytes) : this.#model.memory.end(-bytes)),
      admits: ({ user, password }, { loopback }) => this.#users.admits(user, password, loopback),
      openVirtualHost: (name, user) => this.#openVirtualHost(name, user),
      opened: (session) => {
        this.#known.add(session)
        this.#admission.known(session.peer.address)
        const { peer, user, virtualHost } = session
        const facts = { user: fromByteString(user), virtualHost: fromByteString(virtualHost) }
        logger.info({ peer: peer.name, ...facts }, 'a connection is open')
      },
      ended: (session) => this.#ended(session),
    }
  }

  // ---------------------------------------------------------------- connections

  /**
   * Opens a port. Resolves once clients can connect.
   *
   * @throws {ConfigurationError} E_CONFIG for an address that others reach while `guest` is the only user, and for a port, a
   * certificate or a key that cannot be used.
   * @throws {ConnectionError} E_CONN where the port cannot be opened.
   */
  async listen({ host = '127.0.0.1', port = 0, tls }: ListenOptions = {}): Promise<Listening> {
    this.#assertOpen()
    if (this.#settings.guestOnly && host !== 'localhost' && !isLoopback(host)) {
      throw new ConfigurationError([`give the broker users before it listens on ${host}, which others reach`])
    }
    const refused = (address: string): void => this.#turnAway(address)
    const { limits } = this.#settings
    const listener = await Listener.open({ host, port, tls, limits, refused }, (socket, peer) =>
      this.#accept(socket, peer),
    )
    // Whoever closed the broker meanwhile does not know of this port.
    if (this.#closed !== undefined) await listener.close()
    this.#assertOpen()
    this.#listeners.add(listener)
    return new Listening(listener, this.#settings.guestOnly, () => {
      this.#listeners.delete(listener)
      return listener.close()
    })
  }

  /** A connection within the process: the client's end of it. */
  connect(): Duplex {
    this.#assertOpen()
    const [near, far] = memoryStreams()
    this.#accept(near, {
      name: `${IN_PROCESS} ${this.#lastId + 1}`,
      address: IN_PROCESS,
      loopback: true,
      secure: true,
    })
    return far
  }

  #accept(stream: Socket | Duplex, peer: Peer): void {
    if (this.#refusing || this.#closed !== undefined || !this.#admission.enter(peer.address)) {
      stream.destroy()
      return
    }
    const { clock, limits } = this.#settings
    const link = new StreamLink(stream, peer, this.#turn, clock, limits.readBytesPerTurn)
    const session = new ConnectionSession(this.#host, link)
    this.#connections.set(session, new BrokerConnection(++this.#lastId, session, link))
    link.open(session)
  }

  #turnAway(address: string): void {
    this.#refusedConnections++
    this.#host.logger.warn({ address }, 'a connection is turned away: there are too many')
  }

  #ended(session: ConnectionSession): void {
    this.#connections.delete(session)
    const wasOpen = this.#known.delete(session)
    this.#admission.leave(session.peer.address, wasOpen)
    if (wasOpen) this.#host.logger.info({ peer: session.peer.name }, 'a connection has ended')
    if (this.#connections.size === 0) this.#empty?.resolve()
    this.#turn.changed()
  }

  /** While true, new connections are hung up at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing
  }

  /** Every client that is connected, from its first byte on. */
  connections(): readonly BrokerConnection[] {
    return [...this.#connections.values()]
  }

  /** Closes a connection as an operator would: 320. Whether there is one of this number. */
  closeConnection(id: number, { reason }: { readonly reason: string }): boolean {
    const connection = this.connections().find((one) => one.id === id)
    connection?.close(reason)
    return connection !== undefined
  }

  // ---------------------------------------------------------------- what there is

  /** Creates a virtual host; one that is there stays as it is. */
  createVirtualHost(name: string): void {
    this.#model.createVirtualHost(toByteString(name))
  }

  /** Adds a user, or replaces the one of this name. Connections that are open stay open. */
  putUser(user: BrokerUser): void {
    this.#users.put(user)
  }

  /** From now on nobody logs in under this name. Whether there was such a user. */
  deleteUser(name: string): boolean {
    return this.#users.delete(name)
  }

  queues(virtualHost = '/'): readonly QueueFacts[] {
    return this.#virtualHost(virtualHost).queueStats().map(queueFacts)
  }

  exchanges(virtualHost = '/'): readonly ExchangeFacts[] {
    return this.#virtualHost(virtualHost).exchanges().map(exchangeFacts)
  }

  bindings(virtualHost = '/'): readonly BindingFacts[] {
    return this.#virtualHost(virtualHost).bindings().map(bindingFacts)
  }

  consumers(virtualHost = '/'): readonly ConsumerFacts[] {
    return this.#virtualHost(virtualHost).consumers().map(consumerFacts)
  }

  /**
   * Deletes a queue whatever it holds and whoever uses it, also an exclusive one. Whether it was there.
   *
   * @param name as `queues()` shows it: of several whose names are no UTF-8 and look the same it is any one.
   */
  deleteQueue(name: string, virtualHost = '/'): boolean {
    const host = this.#virtualHost(virtualHost)
    if (host.removeQueue(toByteString(name))) return true
    if (!name.includes('\uFFFD')) return false
    const alike = host.queueStats().find((queue) => fromByteString(queue.name) === name)
    return alike !== undefined && host.removeQueue(alike.name)
  }

  /**
   * Calls `listener` for every message that a client publishes from now on: what a transaction published, at its
   * commit; what the broker moves itself, such as dead letters, and what it closes the channel over, not at all. In
   * their order, each after it has reached its queues, and before a client in this process can have its confirm.
   *
   * What the listener does disturbs nothing. What it throws is an uncaught exception of a turn of its own, by which a
   * test fails; the broker and its clients do not notice.
   *
   * @example
   * const published: PublishedMessage[] = []
   * using _ = broker.onPublish((message) => published.push(message))
   */
  onPublish(listener: (published: PublishedMessage) => void, options: PublishTapOptions = {}): PublishTap {
    return this.#taps.add(listener, options)
  }

  /**
   * Resolves once nothing is under way. That is:
   *
   * - no message is unsettled, and none in an open transaction; where a message is ready, nobody is there to take it;
   * - all that was written to clients was taken: by the system over TCP, by the stream of the client in process;
   * - all that has come from clients was read and handled, no message is there in part, and no dead letter is moving;
   * - no connection is being opened or closed, or blocked by an alarm;
   * - and for some milliseconds (`quietMs`) nothing more has come.
   *
   * What a client of this process has written before the call is waited for. What is about to be written by a client of
   * another process nobody can know, and neither what a consumer without acks does with what it has taken. Messages
   * that wait to expire are not waited for; a stream that its consumers have read is done with.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT when it was not so in time, naming what is under way: queues with what is
   *   ready and by whom it is not settled, connections with what they did not take.
   * @example
   * await broker.waitForIdle()
   */
  waitForIdle(options: IdleOptions = {}): Promise<void> {
    return this.#idleWatch.wait(options)
  }

  #underWay(): readonly string[] {
    const ofClients = [...this.#connections.keys()].flatMap(underWay)
    return this.#model.longWork.isWaiting ? [...ofClients, 'many messages are being moved'] : ofClients
  }

  stats(): BrokerStats {
    const queues = [...this.#model.virtualHosts.values()].flatMap((one) => one.queueStats())
    const connections = this.connections()
    return {
      connections: connections.length,
      refusedConnections: this.#refusedConnections,
      channels: connections.reduce((sum, connection) => sum + connection.channels, 0),
      consumers: queues.reduce((sum, queue) => sum + queue.consumers, 0),
      queues: queues.length,
      ready: queues.reduce((sum, queue) => sum + queue.ready, 0),
      unsettled: queues.reduce((sum, queue) => sum + queue.unsettled, 0),
      memoryBytes: this.#model.memory.bytes,
      declaredBytes: this.#model.declared.bytes,
      memoryLimitBytes: this.#settings.memoryLimitBytes,
      alarms: (['memory', 'disk'] as const).filter((kind) => this.#alarms.has(kind)),
    }
  }

  /** Raises or ends an alarm: while one is on, connections that publish are blocked and not read from. */
  setAlarm(kind: AlarmKind, on: boolean): void {
    this.#alarms.set(kind, on)
  }

  // ---------------------------------------------------------------- the end

  /**
   * Takes no more connections, closes those that are there (320) and lets go of everything. Resolves once the ports are
   * free and the last client has agreed, or has had a second to.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const ports = [...this.#listeners].map((listener) => listener.close())
    this.#empty = createDeferred()
    for (const connection of this.#connections.values())
      connection.close("broker forced connection closure with reason 'shutdown'")
    const farewell = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.drop()
    }, FAREWELL_MS)
    if (this.#connections.size > 0) await this.#empty.promise
    clearTimeout(farewell)
    this.#model.close()
    await Promise.all(ports)
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new ConnectionClosedError('the broker is closed; make another one')
  }

  #openVirtualHost(name: string, user: string): VirtualHost {
    const virtualHost = this.#model.virtualHosts.get(name)
    if (virtualHost === undefined) throw notAllowed(`vhost ${name} not found`)
    if (!this.#users.mayOpen(user, name))
      throw notAllowed(`access to vhost '${name}' refused for user '${user}'`)
    return virtualHost
  }

  #virtualHost(name: string): VirtualHost {
    const virtualHost = this.#model.virtualHosts.get(toByteString(name))
    if (virtualHost === undefined) {
      const names = [...this.#model.virtualHosts.keys()].map((one) => `'${fromByteString(one)}'`)
      throw new ConfigurationError([`no virtual host '${name}'; there are ${names.join(', ')}`])
    }
    return virtualHost
  }
}

/**
 * Makes a broker. It does nothing until it is asked to {@link Broker.listen} or to {@link Broker.connect}.
 *
 * @throws {ConfigurationError} E_CONFIG naming every option that cannot be used.
 */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new Broker(options)
}

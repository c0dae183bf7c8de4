import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  type Dial,
  type FieldTable,
} from '@hermod/amqp'
import type { MethodArguments, MethodName } from '@hermod/amqp/wire'
import { createDeferred, withDeadline, type Deferred } from '@hermod/kernel'
import { BrokerLink, type Received, type ReceivedPublish } from './broker-link.ts'
import { duplexPair } from './paired-stream.ts'

/** What a handler gives back to leave out the broker's usual answer. */
export const SILENT: unique symbol = Symbol('no usual answer')

/** A test's own way to answer a method. */
export type MethodHandler<Name extends MethodName> = (received: Received<Name>, link: BrokerLink) => unknown

/** How a scripted broker presents itself. */
export interface ScriptedBrokerOptions {
  /** SASL mechanisms, separated by spaces; `PLAIN AMQPLAIN` where absent. All credentials are taken. */
  readonly mechanisms?: string | undefined
  /** What differs from RabbitMQ's channel-max of 2047, frame-max of 131072 and heartbeat of 60 s. */
  readonly tune?: Partial<MethodArguments['connection.tune']> | undefined
  readonly serverProperties?: FieldTable | undefined
}

/** A scripted broker that listens on TCP. */
export interface ScriptedListener extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** An AMQP URL; any other credentials and virtual host are as good. */
  readonly url: string
  /** Breaks the connections that came this way (RST). */
  reset(): void
  /** Breaks the connections that came this way and stops listening. */
  [Symbol.asyncDispose](): Promise<void>
}

/** How long a test waits for the client before it fails. */
const PATIENCE_MS = 15_000

/**
 * A broker with neither queues nor exchanges: it answers each method as RabbitMQ does when all is well, unless a
 * handler of the test says otherwise, and keeps a record of all that came. It confirms every publish on a channel
 * with confirms and delivers nothing by itself.
 *
 * Connections come in process, through {@link dial}, or over TCP, through {@link listen}.
 */
export class ScriptedBroker {
  /** Every connection so far, in order. */
  readonly links: BrokerLink[] = []
  /** Called with each connection before its first byte; `false`: the broker says nothing by itself. */
  onLink: (link: BrokerLink, index: number) => boolean | void = () => {}
  /** Called for each whole publish; `SILENT`: it is not confirmed at once. */
  onPublish: (publish: ReceivedPublish, link: BrokerLink) => unknown = () => {}
  readonly #options: ScriptedBrokerOptions
  readonly #handlers = new Map<MethodName, MethodHandler<never>>()
  #linked: Deferred<void> = createDeferred()
  /** How many names the broker has given. */
  #named = 0

  constructor(options: ScriptedBrokerOptions = {}) {
    this.#options = options
  }

  /** For the `dial` option of a connection: one end of a stream in memory, whatever the address. */
  readonly dial: Dial = () => {
    const [near, far] = duplexPair()
    this.#link(far)
    return Promise.resolve(near)
  }

  /** Listens on a free port of loopback, for clients that want a socket. */
  async listen(): Promise<ScriptedListener> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.setNoDelay(true)
      this.#link(socket)
    })
    server.listen({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    const { address: host, port } = server.address() as AddressInfo
    return {
      host,
      port,
      url: `amqp://guest:guest@${host}:${port}/%2F`,
      reset() {
        for (const socket of sockets) socket.resetAndDestroy()
      },
      async [Symbol.asyncDispose]() {
        const closed = once(server, 'close')
        server.close()
        for (const socket of sockets) socket.destroy()
        await closed
      },
    }
  }

  /** Answers a method in the test's own way, and then in the usual one, unless the handler gives `SILENT`. */
  on<Name extends MethodName>(name: Name, handler: MethodHandler<Name>): this {
    this.#handlers.set(name, handler)
    return this
  }

  /** Answers a method in the usual way again. */
  off(name: MethodName): this {
    this.#handlers.delete(name)
    return this
  }

  /** The latest connection. */
  get link(): BrokerLink {
    return this.links.at(-1) as BrokerLink
  }

  /**
   * The `index`-th connection, from 0, once it is there.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT after 15 s.
   */
  async linked(index: number): Promise<BrokerLink> {
    while (this.links.length <= index)
      await withDeadline(this.#linked.promise, { timeoutMs: PATIENCE_MS }, `connection no. ${index}`)
    return this.links[index] as BrokerLink
  }

  /** Connects to this broker in process; no heartbeats, and reconnects follow within milliseconds. */
  connect(options: ConnectionOptions = {}): Promise<Connection> {
    const reconnect = { initialMs: 1, maxMs: 5 }
    return Connection.connect('amqp://user:sesame@broker', {
      dial: this.dial,
      heartbeatMs: 0,
      reconnect,
      ...options,
    })
  }

  #link(stream: Duplex): void {
    const link = new BrokerLink(stream, {
      onMethod: (received) => {
        const answered = this.#handlers.get(received.name)?.(received as never, link)
        if (answered !== SILENT && !link.mute) this.#answer(received, link)
      },
      onPublish: (publish) => {
        const answered = this.onPublish(publish, link)
        if (answered !== SILENT && !link.mute && link.confirms(publish.channel))
          link.confirm(publish.channel, publish.tag)
      },
    })
    this.links.push(link)
    if (this.onLink(link, this.links.length - 1) === false) link.mute = true
    this.#linked.resolve()
    this.#linked = createDeferred()
  }

  #answer({ channel, name, args }: Received, link: BrokerLink): void {
    if ('noWait' in args && args.noWait) return
    const { mechanisms = 'PLAIN AMQPLAIN', tune, serverProperties = {} } = this.#options
    switch (name) {
      case 'connection.start': {
        const version = { versionMajor: 0, versionMinor: 9 }
        return link.send(0, name, { ...version, serverProperties, mechanisms, locales: 'en_US' })
      }
      case 'connection.start-ok':
        return link.send(0, 'connection.tune', {
          channelMax: 2047,
          frameMax: 131_072,
          heartbeat: 60,
          ...tune,
        })
      case 'connection.open':
        return link.send(0, 'connection.open-ok', {})
      case 'connection.close':
        link.send(0, 'connection.close-ok', {})
        return link.end()
      case 'connection.close-ok':
        return link.end()
      case 'queue.declare': {
        const queue = args.queue === '' ? `amq.gen-${++this.#named}` : args.queue
        return link.send(channel, 'queue.declare-ok', { queue, messageCount: 0, consumerCount: 0 })
      }
      case 'queue.delete':
      case 'queue.purge':
        return link.send(channel, `${name}-ok`, { messageCount: 0 })
      case 'basic.consume': {
        const consumerTag = args.consumerTag === '' ? `amq.ctag-${++this.#named}` : args.consumerTag
        return link.send(channel, 'basic.consume-ok', { consumerTag })
      }
      case 'basic.cancel':
        return link.send(channel, `${name}-ok`, { consumerTag: args.consumerTag })
      case 'basic.get':
        return link.send(channel, 'basic.get-empty', {})
      case 'channel.flow':
        return link.send(channel, 'channel.flow-ok', { active: args.active })
      case 'connection.update-secret':
      case 'channel.open':
      case 'channel.close':
      case 'exchange.declare':
      case 'exchange.delete':
      case 'exchange.bind':
      case 'exchange.unbind':
      case 'queue.bind':
      case 'queue.unbind':
      case 'basic.qos':
      case 'basic.recover':
      case 'confirm.select':
      case 'tx.select':
      case 'tx.commit':
      case 'tx.rollback':
        return link.send(channel, `${name}-ok`, {})
    }
  }
}

/**
 * The next event of a kind.
 *
 * @throws {MessagingTimeoutError} E_TIMEOUT after 15 s.
 */
export function nextEvent<Name extends keyof ConnectionEvents>(
  connection: Connection,
  name: Name,
): Promise<ConnectionEvents[Name]> {
  const next = new Promise<ConnectionEvents[Name]>((resolve) => {
    const listener = (event: ConnectionEvents[Name]): void => {
      connection.off(name, listener)
      resolve(event)
    }
    connection.on(name, listener)
  })
  return withDeadline(next, { timeoutMs: PATIENCE_MS }, `event '${name}'`)
}

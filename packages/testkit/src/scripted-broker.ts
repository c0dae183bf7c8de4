import { createDeferred, withDeadline, type Deferred } from '@hermod/kernel'
import {
  Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  type Dial,
  type FieldTable,
} from '../../src/index.ts'
import type { MethodArguments, MethodName } from '../../src/wire/generated/methods.ts'
import { BrokerLink, type Received, type ReceivedPublish } from './broker-link.ts'
import { duplexPair } from './duplex-pair.ts'

/** What a handler gives back to leave out the broker's usual answer. */
export const SILENT: unique symbol = Symbol('no usual answer')

/** A test's own way to answer a method. */
export type Handler<Name extends MethodName> = (received: Received<Name>, link: BrokerLink) => unknown

/** How a scripted broker presents itself. */
export interface ScriptedBrokerOptions {
  readonly mechanisms?: string
  readonly tune?: Partial<MethodArguments['connection.tune']>
  readonly serverProperties?: FieldTable
}

/** How long a test waits for the client before it fails. */
const PATIENCE_MS = 5_000

/**
 * A broker with neither queues nor exchanges: it answers each method as RabbitMQ does when all is well, unless a
 * handler of the test says otherwise, and keeps a record of all that came. No sockets: `dial` gives one end of a
 * stream pair.
 */
export class ScriptedBroker {
  readonly links: BrokerLink[] = []
  /** Called with each connection before its first byte; `false`: the broker says nothing by itself. */
  onLink: (link: BrokerLink, index: number) => boolean | void = () => {}
  /** Called for each whole publish; `SILENT`: it is not confirmed at once. */
  onPublish: (publish: ReceivedPublish, link: BrokerLink) => unknown = () => {}
  readonly #options: ScriptedBrokerOptions
  readonly #handlers = new Map<MethodName, Handler<never>>()
  #linked: Deferred<void> = createDeferred()
  #queues = 0

  constructor(options: ScriptedBrokerOptions = {}) {
    this.#options = options
  }

  /** For the `dial` option of a connection. */
  readonly dial: Dial = () => {
    const [near, far] = duplexPair()
    const link = new BrokerLink(far, {
      onMethod: (received) => {
        const answered = this.#handlers.get(received.name)?.(received as never, link)
        if (answered !== SILENT && !link.mute) this.#answer(received, link)
      },
      onPublish: (publish) => {
        if (this.onPublish(publish, link) !== SILENT && !link.mute) link.confirm(publish.channel, publish.tag)
      },
    })
    this.links.push(link)
    if (this.onLink(link, this.links.length - 1) === false) link.mute = true
    this.#linked.resolve()
    this.#linked = createDeferred()
    return Promise.resolve(near)
  }

  /** Answers a method in the test's own way. */
  on<Name extends MethodName>(name: Name, handler: Handler<Name>): this {
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

  /** The `index`-th connection, from 0, once it is there. */
  async linked(index: number): Promise<BrokerLink> {
    while (this.links.length <= index)
      await withDeadline(this.#linked.promise, { timeoutMs: PATIENCE_MS }, `connection no. ${index}`)
    return this.links[index] as BrokerLink
  }

  /** Connects to this broker; reconnects follow within milliseconds. */
  connect(options: ConnectionOptions = {}): Promise<Connection> {
    const reconnect = { initialMs: 1, maxMs: 5 }
    return Connection.connect('amqp://user:sesame@broker', {
      dial: this.dial,
      heartbeatMs: 0,
      reconnect,
      ...options,
    })
  }

  #answer({ channel, name, args }: Received, link: BrokerLink): void {
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
        const queue = args.queue === '' ? `amq.gen-${++this.#queues}` : args.queue
        return link.send(channel, 'queue.declare-ok', { queue, messageCount: 0, consumerCount: 0 })
      }
      case 'queue.delete':
      case 'queue.purge':
        return link.send(channel, `${name}-ok`, { messageCount: 0 })
      case 'basic.consume':
      case 'basic.cancel':
        return link.send(channel, `${name}-ok`, { consumerTag: args.consumerTag })
      case 'basic.get':
        return link.send(channel, 'basic.get-empty', {})
      case 'channel.open':
      case 'channel.close':
      case 'exchange.declare':
      case 'exchange.delete':
      case 'exchange.bind':
      case 'exchange.unbind':
      case 'queue.bind':
      case 'queue.unbind':
      case 'basic.qos':
        return link.send(channel, `${name}-ok`, {})
    }
  }
}

/** Resolves with the next event of a kind. */
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

import { bindingIdentity, type Binding, type Destination } from './binding.ts'
import { Exchange } from './exchange.ts'
import type { Fields } from './field.ts'
import { NO_FIELDS } from './field.ts'
import type { Matcher } from './matcher.ts'
import type { Owner, RoutedQueue } from './queue.ts'

/** The exchanges that are there from the start. @source rabbit_vhost:do_add */
const PREDECLARED = [
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
  ['amq.rabbitmq.trace', 'topic'],
] as const

/** Exchanges, queues and bindings of a virtual host, without anybody's rights to them. */
export class Topology {
  readonly exchanges: Map<string, Exchange> = new Map()
  readonly queues: Map<string, RoutedQueue> = new Map()
  /** Bindings that lead to a queue. */
  readonly #incoming = new Map<RoutedQueue, Set<Binding>>()
  readonly #owned = new Map<Owner, Set<RoutedQueue>>()
  #bindings = 0
  #version = 0

  constructor() {
    const { queues } = this
    // Every queue is bound to the default exchange by its name, for as long as it is there.
    const byName: Matcher = {
      add() {},
      remove() {},
      match({ keys }, found) {
        for (const key of keys) {
          const queue = queues.get(key)
          if (queue !== undefined) found(queue)
        }
      },
    }
    const fixed = { durable: true, autoDelete: false, arguments: NO_FIELDS }
    this.exchanges.set('', new Exchange({ ...fixed, name: '', type: 'direct', internal: false }, byName))
    for (const [name, type] of PREDECLARED) {
      const internal = name === 'amq.rabbitmq.trace'
      this.exchanges.set(name, new Exchange({ ...fixed, name, type, internal }))
    }
  }

  /** Goes up with every change. */
  get version(): number {
    return this.#version
  }

  /** How many bindings there are, without those of the default exchange. */
  get bindingCount(): number {
    return this.#bindings
  }

  addExchange(exchange: Exchange): void {
    this.exchanges.set(exchange.name, exchange)
    this.#version++
  }

  addQueue(queue: RoutedQueue): void {
    this.queues.set(queue.name, queue)
    this.#version++
    if (queue.owner === undefined) return
    const owned = this.#owned.get(queue.owner)
    if (owned === undefined) this.#owned.set(queue.owner, new Set([queue]))
    else owned.add(queue)
  }

  /** The exclusive queues of a connection. */
  ownedBy(owner: Owner): readonly RoutedQueue[] {
    return [...(this.#owned.get(owner) ?? [])]
  }

  find(source: Exchange, destination: Destination, key: string, args: Fields): Binding | undefined {
    const kind = destination instanceof Exchange ? 'exchange' : 'queue'
    return source.outgoing.get(bindingIdentity(kind, destination.name, key, args))
  }

  bind(source: Exchange, destination: Destination, key: string, args: Fields): void {
    const kind = destination instanceof Exchange ? 'exchange' : 'queue'
    const identity = bindingIdentity(kind, destination.name, key, args)
    if (source.outgoing.has(identity)) return
    const binding: Binding = { source, destination, key, arguments: args, identity }
    source.add(binding)
    this.#incomingOf(destination).add(binding)
    this.#bindings++
    this.#version++
  }

  #incomingOf(destination: Destination): Set<Binding> {
    if (destination instanceof Exchange) return destination.incoming
    let incoming = this.#incoming.get(destination)
    if (incoming === undefined) {
      incoming = new Set()
      this.#incoming.set(destination, incoming)
    }
    return incoming
  }

  unbind(binding: Binding): void {
    this.#removeBindings([binding])
  }

  removeQueue(queue: RoutedQueue): void {
    this.queues.delete(queue.name)
    this.#version++
    const incoming = this.#incoming.get(queue)
    this.#incoming.delete(queue)
    if (incoming !== undefined) this.#removeBindings([...incoming])
    if (queue.owner === undefined) return
    const owned = this.#owned.get(queue.owner)
    if (owned?.delete(queue) === true && owned.size === 0) this.#owned.delete(queue.owner)
  }

  removeExchange(exchange: Exchange): void {
    this.#version++
    this.exchanges.delete(exchange.name)
    this.#removeBindings([...exchange.outgoing.values(), ...exchange.incoming])
  }

  /**
   * Takes bindings out, then each auto-delete exchange that lost its last one, then the bindings that led to that, and
   * so on: a list of work, for a chain may be long.
   */
  #removeBindings(bindings: Binding[]): void {
    for (let binding = bindings.pop(); binding !== undefined; binding = bindings.pop()) {
      const { source, destination, identity } = binding
      if (source.outgoing.get(identity) !== binding) continue
      source.remove(binding)
      this.#bindings--
      this.#version++
      if (destination instanceof Exchange) destination.incoming.delete(binding)
      else this.#incoming.get(destination)?.delete(binding)
      if (source.autoDelete && source.outgoing.size === 0 && this.exchanges.get(source.name) === source) {
        this.exchanges.delete(source.name)
        bindings.push(...source.incoming)
      }
    }
  }
}

import { bindingIdentity, type Binding, type Destination } from './binding.ts'
import { bindingBytes, exchangeBytes } from './declaration-cost.ts'
import type { DeclaredMemory } from './declared-memory.ts'
import { Exchange, type ExchangeIdentity } from './exchange.ts'
import type { Fields } from './field.ts'
import { NO_FIELDS } from './field.ts'
import type { Matcher } from './matcher.ts'
import type { Owner, RoutedQueue } from './queue.ts'
import { RouteBudget } from './route-budget.ts'

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
  /** What each queue costs. */
  readonly #costs = new Map<RoutedQueue, number>()
  readonly #declared: DeclaredMemory
  readonly #budget = new RouteBudget()
  #bindings = 0
  #version = 0

  constructor(declared: DeclaredMemory) {
    this.#declared = declared
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
    this.exchanges.set(
      '',
      new Exchange({ ...fixed, name: '', type: 'direct', internal: false }, this.#budget, byName),
    )
    for (const [name, type] of PREDECLARED) {
      const internal = name === 'amq.rabbitmq.trace'
      this.exchanges.set(name, new Exchange({ ...fixed, name, type, internal }, this.#budget))
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

  addExchange(identity: ExchangeIdentity): void {
    const exchange = new Exchange(identity, this.#budget)
    this.exchanges.set(exchange.name, exchange)
    this.#declared.add(exchangeBytes(exchange))
    this.#version++
  }

  /** @param bytes what it costs. */
  addQueue(queue: RoutedQueue, bytes: number): void {
    this.queues.set(queue.name, queue)
    this.#costs.set(queue, bytes)
    this.#declared.add(bytes)
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
    this.#declared.add(bindingBytes(binding))
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
    this.#declared.remove(this.#costs.get(queue) ?? 0)
    this.#costs.delete(queue)
    this.#version++
    const incoming = this.#incoming.get(queue)
    this.#incoming.delete(queue)
    if (incoming !== undefined) this.#removeBindings([...incoming])
    if (queue.owner === undefined) return
    const owned = this.#owned.get(queue.owner)
    if (owned?.delete(queue) === true && owned.size === 0) this.#owned.delete(queue.owner)
  }

  removeExchange(exchange: Exchange): void {
    this.#forgetExchange(exchange)
    this.#removeBindings([...exchange.outgoing.values(), ...exchange.incoming])
  }

  #forgetExchange(exchange: Exchange): void {
    this.#version++
    this.exchanges.delete(exchange.name)
    this.#declared.remove(exchangeBytes(exchange))
    exchange.forgetRoutes()
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
      this.#declared.remove(bindingBytes(binding))
      this.#bindings--
      this.#version++
      if (destination instanceof Exchange) destination.incoming.delete(binding)
      else this.#incoming.get(destination)?.delete(binding)
      if (source.autoDelete && source.outgoing.size === 0 && this.exchanges.get(source.name) === source) {
        this.#forgetExchange(source)
        // Not in one call: there may be more of them than a call takes arguments.
        for (const incoming of source.incoming) bindings.push(incoming)
      }
    }
  }
}

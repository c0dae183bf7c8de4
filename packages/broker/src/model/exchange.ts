import type { Binding, Destination } from './binding.ts'
import { matcherOf, type ExchangeType } from './exchange-type.ts'
import type { Fields } from './field.ts'
import type { Matcher, Subject } from './matcher.ts'
import type { RoutedQueue } from './queue.ts'
import type { RouteBudget, RouteHolder } from './route-budget.ts'

/** How an exchange was declared. Names are byte strings. */
export interface ExchangeIdentity {
  readonly name: string
  readonly type: ExchangeType
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: Fields
}

/** Routes of one version of the topology that are remembered; see {@link RouteBudget}. */
const MAX_REMEMBERED = 4096

/** An exchange: its bindings, and the routes that it found last. */
export class Exchange implements RouteHolder {
  readonly name: string
  readonly type: ExchangeType
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: Fields
  /** Where messages go that match none of its bindings. */
  readonly alternate: string | undefined
  /** Bindings that lead from here, by identity. */
  readonly outgoing: Map<string, Binding> = new Map()
  /** Bindings that lead here. */
  readonly incoming: Set<Binding> = new Set()
  readonly #matcher: Matcher
  readonly #budget: RouteBudget
  readonly #routes = new Map<string, readonly RoutedQueue[]>()
  #routesVersion = -1
  #routesBytes = 0

  constructor(identity: ExchangeIdentity, budget: RouteBudget, matcher: Matcher = matcherOf(identity.type)) {
    this.name = identity.name
    this.type = identity.type
    this.durable = identity.durable
    this.autoDelete = identity.autoDelete
    this.internal = identity.internal
    this.arguments = identity.arguments
    const alternate = identity.arguments.get('alternate-exchange')
    this.alternate = alternate?.type === 'longstr' ? (alternate.value as string) : undefined
    this.#matcher = matcher
    this.#budget = budget
  }

  /** Adds a binding that leads from here. */
  add(binding: Binding): void {
    this.outgoing.set(binding.identity, binding)
    this.#matcher.add(binding)
  }

  remove(binding: Binding): void {
    this.outgoing.delete(binding.identity)
    this.#matcher.remove(binding)
  }

  /** Where the bindings that match lead; a destination may come more than once. */
  match(subject: Subject, found: (destination: Destination) => void): void {
    this.#matcher.match(subject, found)
  }

  /** The route of a key, if it is known for this version of the topology. */
  remembered(key: string, version: number): readonly RoutedQueue[] | undefined {
    return version === this.#routesVersion ? this.#routes.get(key) : undefined
  }

  /** Remembers a route that the key alone decides. */
  remember(key: string, version: number, route: readonly RoutedQueue[]): void {
    if (version !== this.#routesVersion || this.#routes.size >= MAX_REMEMBERED) {
      this.forgetRoutes()
      this.#routesVersion = version
    }
    // It may forget all that was there.
    const bytes = this.#budget.add(this, key, route.length)
    this.#routesBytes += bytes
    this.#routes.set(key, route)
  }

  forgetRoutes(): void {
    if (this.#routes.size === 0) return
    this.#budget.remove(this, this.#routesBytes)
    this.#routesBytes = 0
    this.#routes.clear()
  }
}

import { accessRefused, notFound, preconditionFailed } from '../amqp-error.ts'
import type { Limits } from '../limits.ts'
import type { Profile } from '../profile.ts'
import { assertSameArguments, assertSameProperty } from './equivalence.ts'
import type { DeclaredMemory } from './declared-memory.ts'
import type { Exchange } from './exchange.ts'
import { checkBinding, exchangeType } from './exchange-type.ts'
import type { Fields } from './field.ts'
import { exchangeName, withoutLineBreaks } from './resource-name.ts'
import type { Topology } from './topology.ts'

/** exchange.declare. All names are byte strings. */
export interface ExchangeDeclaration {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: Fields
}

/**
 * The methods of class exchange, with RabbitMQ's checks in its order.
 *
 * @source rabbit_channel:handle_method/6, rabbit_exchange, rabbit_binding
 */
export class ExchangeOperations {
  readonly #virtualHost: string
  readonly #topology: Topology
  readonly #profile: Profile
  readonly #limits: Limits
  readonly #declared: DeclaredMemory

  constructor(
    virtualHost: string,
    topology: Topology,
    profile: Profile,
    limits: Limits,
    declared: DeclaredMemory,
  ) {
    this.#declared = declared
    this.#virtualHost = virtualHost
    this.#topology = topology
    this.#profile = profile
    this.#limits = limits
  }

  /** What texts call an exchange. */
  resource(name: string): string {
    return exchangeName(name, this.#virtualHost)
  }

  /** @throws {AmqpError} 404 */
  named(name: string): Exchange {
    const exchange = this.#topology.exchanges.get(name)
    if (exchange === undefined) throw notFound(`no ${this.resource(name)}`)
    return exchange
  }

  /** @throws {AmqpError} 403 */
  refuseDefault(name: string): void {
    if (name === '') throw accessRefused('operation not permitted on the default exchange')
  }

  declare(declaration: ExchangeDeclaration): void {
    const type = exchangeType(declaration.type, this.#profile)
    const name = withoutLineBreaks(declaration.name)
    this.refuseDefault(name)
    const current = this.#topology.exchanges.get(name)
    if (current !== undefined) return this.#assertSame(current, declaration)
    if (name.startsWith('amq.')) {
      throw accessRefused(`exchange name '${name}' contains reserved prefix 'amq.*'`)
    }
    const alternate = declaration.arguments.get('alternate-exchange')
    if (alternate !== undefined && alternate.type !== 'longstr') {
      const resource = this.resource(name)
      throw preconditionFailed(`invalid type '${alternate.type}' for arg 'alternate-exchange' in ${resource}`)
    }
    const limit = this.#limits.maxExchangesPerVirtualHost
    if (this.#topology.exchanges.size >= limit) {
      throw preconditionFailed(
        `cannot declare ${this.resource(name)}: exchange limit in vhost '${this.#virtualHost}' (${limit}) is reached`,
      )
    }
    this.#declared.assertRoom(`cannot declare ${this.resource(name)}`)
    this.#topology.addExchange({ ...declaration, name, type })
  }

  #assertSame(current: Exchange, declaration: ExchangeDeclaration): void {
    const resource = this.resource(current.name)
    assertSameProperty('type', resource, current.type, declaration.type)
    assertSameProperty('durable', resource, current.durable, declaration.durable)
    assertSameProperty('auto_delete', resource, current.autoDelete, declaration.autoDelete)
    assertSameProperty('internal', resource, current.internal, declaration.internal)
    assertSameArguments(resource, current.arguments, declaration.arguments, ['alternate-exchange'])
  }

  check(exchange: string): void {
    const name = withoutLineBreaks(exchange)
    this.refuseDefault(name)
    this.named(name)
  }

  /** What is not there is deleted. */
  delete(exchange: string, ifUnused: boolean): void {
    const name = withoutLineBreaks(exchange)
    this.refuseDefault(name)
    if (name.startsWith('amq.')) {
      throw accessRefused(`deletion of system ${this.resource(name)} not allowed`)
    }
    const current = this.#topology.exchanges.get(name)
    if (current === undefined) return
    if (ifUnused && current.outgoing.size > 0) throw preconditionFailed(`${this.resource(name)} in use`)
    this.#topology.removeExchange(current)
  }

  bind(to: string, from: string, key: string, args: Fields): void {
    const source = withoutLineBreaks(from)
    const destination = withoutLineBreaks(to)
    this.refuseDefault(destination)
    this.refuseDefault(source)
    const exchange = this.named(source)
    const other = this.named(destination)
    this.checkBinding(exchange, key, args)
    this.checkRoom(exchange)
    this.#topology.bind(exchange, other, key, args)
  }

  /** @throws {AmqpError} 406 for a binding that the type does not take. */
  checkBinding(exchange: Exchange, key: string, args: Fields): void {
    checkBinding(exchange.type, key, args, this.#profile)
  }

  /** @throws {AmqpError} 406 when there are as many bindings as there may be. */
  checkRoom(exchange: Exchange): void {
    const what = `cannot bind to ${this.resource(exchange.name)}`
    const limit = this.#limits.maxBindingsPerVirtualHost
    if (this.#topology.bindingCount >= limit) {
      throw preconditionFailed(`${what}: binding limit in vhost '${this.#virtualHost}' (${limit}) is reached`)
    }
    this.#declared.assertRoom(what)
  }

  /** What is not bound, or not there, is unbound. */
  unbind(to: string, from: string, key: string, args: Fields): void {
    const source = withoutLineBreaks(from)
    const destination = withoutLineBreaks(to)
    this.refuseDefault(destination)
    this.refuseDefault(source)
    const exchange = this.#topology.exchanges.get(source)
    const other = this.#topology.exchanges.get(destination)
    if (exchange === undefined || other === undefined) return
    const binding = this.#topology.find(exchange, other, key, args)
    if (binding !== undefined) this.#topology.unbind(binding)
  }
}

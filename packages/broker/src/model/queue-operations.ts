import { randomBytes } from 'node:crypto'
import {
  accessRefused,
  AmqpError,
  notFound,
  notImplemented,
  preconditionFailed,
  resourceLocked,
} from '../amqp-error.ts'
import type { Limits } from '../limits.ts'
import { ClassicQueue } from './classic-queue.ts'
import { queueBytes } from './declaration-cost.ts'
import { assertSameArguments, assertSameProperty } from './equivalence.ts'
import type { ExchangeOperations } from './exchange-operations.ts'
import type { Fields } from './field.ts'
import { checkReplicatedProperties, comparedQueueArguments, readQueueArguments } from './queue-arguments.ts'
import type { Owner, RoutedQueue } from './queue.ts'
import type { QueueHost } from './queue-host.ts'
import { QuorumQueue } from './quorum-queue.ts'
import { queueName, withoutLineBreaks } from './resource-name.ts'
import { StreamQueue } from './stream-queue.ts'
import type { Topology } from './topology.ts'

/** queue.declare. An empty name asks for one that the broker makes. */
export interface QueueDeclaration {
  readonly name: string
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
  readonly arguments: Fields
}

/** @source rabbit_deprecated_features, as of RabbitMQ 4.3; the reply text is cut to 255 bytes */
const TRANSIENT_REFUSED =
  'Feature `transient_nonexcl_queues` is deprecated.\nBy default, this feature is not permitted anymore.\nThe feature will be removed from a future major RabbitMQ version, regardless of the configuration.\nTo continue using this feature when it is not permitted by default'

/**
 * The methods of class queue, with RabbitMQ's checks in its order. `owner` marks the calling connection.
 *
 * @source rabbit_channel:handle_method/6, rabbit_amqqueue
 */
export class QueueOperations {
  readonly #host: QueueHost
  readonly #topology: Topology
  readonly #exchanges: ExchangeOperations
  readonly #limits: Limits

  constructor(host: QueueHost, topology: Topology, exchanges: ExchangeOperations, limits: Limits) {
    this.#host = host
    this.#topology = topology
    this.#exchanges = exchanges
    this.#limits = limits
  }

  #resource(name: string): string {
    return queueName(name, this.#host.name)
  }

  /** @throws {AmqpError} 404, or 405 for a queue of another connection. */
  named(name: string, owner: Owner): RoutedQueue {
    const queue = this.#topology.queues.get(name)
    if (queue === undefined) throw notFound(`no ${this.#resource(name)}`)
    this.#checkAccess(queue, owner)
    return queue
  }

  #checkAccess(queue: RoutedQueue, owner: Owner): void {
    if (queue.owner !== undefined && queue.owner !== owner) throw this.#locked(queue)
  }

  #locked(queue: RoutedQueue): AmqpError {
    return resourceLocked(
      `cannot obtain exclusive access to locked ${this.#resource(queue.name)}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
    )
  }

  check(name: string, owner: Owner): RoutedQueue {
    const queue = this.named(withoutLineBreaks(name), owner)
    queue.touch()
    return queue
  }

  declare(declaration: QueueDeclaration, owner: Owner): RoutedQueue {
    const name = this.#nameFor(declaration)
    const current = this.#topology.queues.get(name)
    if (current === undefined) return this.#create(name, declaration, owner)
    this.#assertSame(current, declaration, owner)
    current.touch()
    return current
  }

  #nameFor({ name, arguments: args }: QueueDeclaration): string {
    const asked = withoutLineBreaks(name)
    if (asked.startsWith('amq.'))
      throw accessRefused(`queue name '${asked}' contains reserved prefix 'amq.*'`)
    if (asked !== '') return asked
    const type = args.get('x-queue-type')?.value
    if (type === 'quorum' || type === 'stream') {
      throw preconditionFailed(`Cannot declare a server-named queue for type rabbit_${type}_queue`)
    }
    return `amq.gen-${randomBytes(16).toString('base64url')}`
  }

  #assertSame(current: RoutedQueue, declaration: QueueDeclaration, owner: Owner): void {
    if (current.owner !== (declaration.exclusive ? owner : undefined)) throw this.#locked(current)
    const resource = this.#resource(current.name)
    assertSameProperty('durable', resource, current.durable, isDurable(declaration))
    assertSameProperty('auto_delete', resource, current.autoDelete, declaration.autoDelete)
    assertSameArguments(
      resource,
      current.arguments,
      declaration.arguments,
      comparedQueueArguments(current.type),
    )
  }

  #create(name: string, declaration: QueueDeclaration, owner: Owner): RoutedQueue {
    const { exclusive, autoDelete, arguments: args } = declaration
    const resource = this.#resource(name)
    const limit = this.#limits.maxQueuesPerVirtualHost
    if (this.#topology.queues.size >= limit) {
      throw preconditionFailed(
        `cannot declare queue '${name}': queue limit in vhost '${this.#host.name}' (${limit}) is reached`,
      )
    }
    const deadLetters = args.get('x-dead-letter-exchange')
    if (deadLetters !== undefined && deadLetters.type !== 'longstr') {
      throw preconditionFailed(
        `invalid type '${deadLetters.type}' for arg 'x-dead-letter-exchange' in ${resource}`,
      )
    }
    const settings = readQueueArguments(resource, args, this.#host.profile)
    const durable = isDurable(declaration)
    if (settings.type !== 'classic') checkReplicatedProperties(resource, { durable, exclusive, autoDelete })
    if (this.#host.profile.transientQueues === 'refused' && !declaration.durable && !exclusive) {
      throw new AmqpError(541, TRANSIENT_REFUSED)
    }
    this.#host.declared.assertRoom(`cannot declare ${resource}`)
    const identity = { name, durable, autoDelete, arguments: args, owner: exclusive ? owner : undefined }
    const Type = { classic: ClassicQueue, quorum: QuorumQueue, stream: StreamQueue }[settings.type]
    const queue = new Type(this.#host, identity, settings)
    this.#topology.addQueue(queue, queueBytes(name, args, settings))
    return queue
  }

  delete(
    name: string,
    { ifUnused, ifEmpty }: { readonly ifUnused: boolean; readonly ifEmpty: boolean },
    owner: Owner,
  ): number {
    const queue = this.#topology.queues.get(withoutLineBreaks(name))
    if (queue === undefined) return 0
    this.#checkAccess(queue, owner)
    const resource = this.#resource(queue.name)
    if (queue.type === 'quorum' && (ifUnused || ifEmpty)) {
      const flag = ifUnused ? 'if-unused' : 'if-empty'
      throw notImplemented(
        `cannot delete ${resource}. queue.delete operations with ${flag} flag set are not supported by quorum queues`,
      )
    }
    if (queue.type === 'classic') {
      if (ifUnused && queue.consumerCount > 0) throw preconditionFailed(`${resource} in use`)
      if (ifEmpty && queue.messageCount > 0) throw preconditionFailed(`${resource} not empty`)
    }
    return this.remove(queue)
  }

  /** Takes a queue away; the number of messages that were ready in it. */
  remove(queue: RoutedQueue): number {
    this.#topology.removeQueue(queue)
    return queue.end()
  }

  bind(name: string, from: string, key: string, args: Fields, owner: Owner): void {
    const source = withoutLineBreaks(from)
    this.#exchanges.refuseDefault(source)
    const exchange = this.#exchanges.named(source)
    const asked = withoutLineBreaks(name)
    const queue = this.#topology.queues.get(asked)
    if (queue === undefined) throw notFound(`no ${this.#resource(asked)}`)
    this.#exchanges.checkBinding(exchange, key, args)
    this.#checkAccess(queue, owner)
    this.#exchanges.checkRoom(exchange)
    this.#topology.bind(exchange, queue, key, args)
  }

  /** What is not bound, or not there, is unbound. */
  unbind(name: string, from: string, key: string, args: Fields, owner: Owner): void {
    const source = withoutLineBreaks(from)
    this.#exchanges.refuseDefault(source)
    const exchange = this.#topology.exchanges.get(source)
    const queue = this.#topology.queues.get(withoutLineBreaks(name))
    if (exchange === undefined || queue === undefined) return
    const binding = this.#topology.find(exchange, queue, key, args)
    if (binding === undefined) return
    this.#checkAccess(queue, owner)
    this.#topology.unbind(binding)
  }

  purge(name: string, owner: Owner): number {
    return this.named(name, owner).purge()
  }

  /** A connection has ended. */
  release(owner: Owner): void {
    for (const queue of this.#topology.ownedBy(owner)) this.remove(queue)
  }
}

/** A queue that goes with its connection is not durable, whatever was asked. */
const isDurable = ({ durable, exclusive }: QueueDeclaration): boolean => durable && !exclusive

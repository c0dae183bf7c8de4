import type { Clock } from '@hermod/kernel'
import { accessRefused, notAllowed } from '../amqp-error.ts'
import type { Limits } from '../limits.ts'
import type { Profile } from '../profile.ts'
import type { Deadlines } from './deadlines.ts'
import { DeadLetters, type LetterKeeper } from './dead-letters.ts'
import { CHANNEL_BYTES } from './declaration-cost.ts'
import type { DeclaredMemory } from './declared-memory.ts'
import { DirectReplies, isReplyName, type ReplyTarget } from './direct-replies.ts'
import { Exchange } from './exchange.ts'
import { ExchangeOperations, type ExchangeDeclaration } from './exchange-operations.ts'
import type { TableLimits } from './field-table.ts'
import type { Fields } from './field.ts'
import type { LongWork } from './long-work.ts'
import type { MessageStorage } from './message-storage.ts'
import type { Message } from './message.ts'
import { admitProperties } from './publish-checks.ts'
import type { Owner, Queue, QueueConsumer, QueueStats, RoutedQueue } from './queue.ts'
import type { QueueHost } from './queue-host.ts'
import { QueueOperations, type QueueDeclaration } from './queue-operations.ts'
import { routeFrom } from './routing.ts'
import { Topology } from './topology.ts'

export type { ReplyTarget } from './direct-replies.ts'
export type { ExchangeDeclaration } from './exchange-operations.ts'
export type { QueueDeclaration } from './queue-operations.ts'

/** Where a message goes: the queues, each once. */
export type Route = readonly RoutedQueue[]

/** No queue matched; all queues took it; one of them at least refused it (`x-overflow: reject-publish`). */
export type PublishOutcome = 'unrouted' | 'taken' | 'refused'

/** The route of a reply that somebody was there to take. */
const REPLIED: Route = Object.freeze([])

/** What virtual hosts of one broker share. */
export interface VirtualHostParts {
  readonly clock: Clock
  readonly profile: Profile
  readonly limits: Limits
  readonly deadlines: Deadlines
  readonly declared: DeclaredMemory
  readonly longWork: LongWork
  readonly storage: MessageStorage
}

/** A binding as lists show it. All texts are byte strings. */
export interface BindingView {
  readonly source: string
  readonly destination: string
  readonly destinationType: 'queue' | 'exchange'
  readonly key: string
  readonly arguments: Fields
}

/** A consumer as lists show it. */
export interface ConsumerView {
  readonly queue: string
  readonly consumer: QueueConsumer
}

/**
 * What the model offers to a session. Everything is synchronous; everything may throw `AmqpError` with RabbitMQ's code
 * and text, to which the session adds class and method. `owner` marks the calling connection; names and keys are byte
 * strings.
 */
export class VirtualHost {
  readonly name: string
  readonly #parts: VirtualHostParts
  readonly #tableLimits: TableLimits
  readonly #topology: Topology
  readonly #exchanges: ExchangeOperations
  readonly #queues: QueueOperations
  readonly #replies = new DirectReplies()
  readonly #deadLetters: DeadLetters

  constructor(name: string, parts: VirtualHostParts) {
    this.name = name
    this.#parts = parts
    const { clock, profile, limits, declared } = parts
    this.#topology = new Topology(declared)
    this.#tableLimits = { maxDepth: limits.maxTableDepth, maxFields: limits.maxTableFields }
    this.#exchanges = new ExchangeOperations(name, this.#topology, profile, limits, declared)
    this.#queues = new QueueOperations(this.#hostOfQueues(), this.#topology, this.#exchanges, limits)
    this.#deadLetters = new DeadLetters(clock, parts.longWork, parts.storage, {
      trustsPublishedDeath: profile.trustsPublishedDeath,
      namesLastDeath: profile.namesLastDeath,
      hasExchange: (exchange) => this.#topology.exchanges.has(exchange),
      route: (message) => this.route(message),
    })
  }

  #hostOfQueues(): QueueHost {
    const { clock, profile, deadlines, declared, longWork, storage } = this.#parts
    return {
      name: this.name,
      clock,
      profile,
      deadlines,
      declared,
      longWork,
      hold: (message: Message): void => storage.hold(message),
      release: (message: Message): void => storage.release(message),
      deadLetter: (...dead: Parameters<QueueHost['deadLetter']>): void => this.#deadLetters.add(...dead),
      dropLetters: (keeper: LetterKeeper): void => this.#deadLetters.drop(keeper),
      settle: (): void => this.#deadLetters.send(),
      remove: (queue: RoutedQueue): void => void this.#queues.remove(queue),
    }
  }

  /** Goes up with every change of exchanges, queues and bindings: a {@link Route} is good for one version. */
  get topologyVersion(): number {
    return this.#topology.version
  }

  /** A client uses one channel more. @throws {AmqpError} 530 */
  channelBegins(): void {
    const { declared } = this.#parts
    declared.assertRoom('cannot open a channel', notAllowed)
    declared.add(CHANNEL_BYTES)
  }

  channelEnds(): void {
    this.#parts.declared.remove(CHANNEL_BYTES)
  }

  declareExchange(declaration: ExchangeDeclaration): void {
    this.#exchanges.declare(declaration)
  }

  /** Passive declare. */
  checkExchange(name: string): void {
    this.#exchanges.check(name)
  }

  deleteExchange(name: string, ifUnused: boolean): void {
    this.#exchanges.delete(name, ifUnused)
  }

  bindExchange(destination: string, source: string, key: string, args: Fields): void {
    this.#exchanges.bind(destination, source, key, args)
  }

  unbindExchange(destination: string, source: string, key: string, args: Fields): void {
    this.#exchanges.unbind(destination, source, key, args)
  }

  declareQueue(declaration: QueueDeclaration, owner: Owner): Queue {
    return this.#queues.declare(declaration, owner)
  }

  /** Passive declare. */
  checkQueue(name: string, owner: Owner): Queue {
    return this.#queues.check(name, owner)
  }

  /** The queue that a method names: 404 when there is none, 405 when it is another connection's. */
  queue(name: string, owner: Owner): Queue {
    return this.#queues.named(name, owner)
  }

  /** The number of ready messages that went with it; 0 when there was no queue. */
  deleteQueue(name: string, conditions: { ifUnused: boolean; ifEmpty: boolean }, owner: Owner): number {
    return this.#queues.delete(name, conditions, owner)
  }

  bindQueue(queue: string, exchange: string, key: string, args: Fields, owner: Owner): void {
    this.#queues.bind(queue, exchange, key, args, owner)
  }

  unbindQueue(queue: string, exchange: string, key: string, args: Fields, owner: Owner): void {
    this.#queues.unbind(queue, exchange, key, args, owner)
  }

  purgeQueue(name: string, owner: Owner): number {
    return this.#queues.purge(name, owner)
  }

  /** The connection has ended: its exclusive queues go. */
  releaseOwner(owner: Owner): void {
    this.#queues.release(owner)
  }

  /**
   * The checks of basic.publish in RabbitMQ's order: exchange (404), internal (403), user id (406), expiration (406),
   * CC and BCC (406). A message that passes counts for confirms.
   */
  admit(message: Message, user: string): void {
    const exchange = this.#exchanges.named(message.exchange)
    if (exchange.internal) {
      throw accessRefused(`cannot publish to internal ${this.#exchanges.resource(exchange.name)}`)
    }
    admitProperties(message, user, this.#tableLimits)
  }

  /** Where an admitted message goes now. A direct reply goes at once. */
  route(message: Message): Route {
    const { exchange: name, routingKey, extraKeys } = message
    const exchange = this.#topology.exchanges.get(name)
    if (exchange === undefined) return []
    if (extraKeys.length === 0) {
      const known = exchange.remembered(routingKey, this.#topology.version)
      if (known !== undefined) return known
    }
    if (name === '' && [routingKey, ...extraKeys].some(isReplyName)) return this.#reply(exchange, message)
    return this.#routeFrom(exchange, message)
  }

  #routeFrom(exchange: Exchange, message: Message): Route {
    const { queues, byKeyAlone } = routeFrom(exchange, message, (name) => this.#topology.exchanges.get(name))
    if (byKeyAlone) exchange.remember(message.routingKey, this.#topology.version, queues)
    return queues
  }

  /** Some of the keys name channels that wait for replies; the others, queues. */
  #reply(exchange: Exchange, message: Message): Route {
    let replied = false
    for (const key of new Set([message.routingKey, ...message.extraKeys])) {
      if (isReplyName(key) && this.#replies.deliver(key, message)) replied = true
    }
    const { queues } = routeFrom(exchange, message, () => undefined)
    return queues.length === 0 && replied && this.#parts.profile.repliesAreRouted ? REPLIED : queues
  }

  /** The queues that have the names of these now. */
  standing(route: Route): Route {
    return route.map(({ name }) => this.#topology.queues.get(name)).filter((queue) => queue !== undefined)
  }

  /** Puts an admitted message into the queues of its route, and delivers at once where somebody waits. */
  deliver(message: Message, route: Route): PublishOutcome {
    if (route.length === 0) return route === REPLIED ? 'taken' : 'unrouted'
    let outcome: PublishOutcome = 'taken'
    for (const queue of route) {
      if (!queue.enqueue(message)) outcome = 'refused'
    }
    return outcome
  }

  /** A consumer on `amq.rabbitmq.reply-to`: the name that its requests carry, unguessable. */
  openReplies(target: ReplyTarget): string {
    return this.#replies.open(target)
  }

  closeReplies(name: string): void {
    this.#replies.close(name)
  }

  /** queue.declare of such a name: whether somebody still waits there. */
  hasReplies(name: string): boolean {
    return this.#replies.has(name)
  }

  /** Every queue with its figures. */
  queueStats(): readonly QueueStats[] {
    return [...this.#topology.queues.values()].map((queue) => queue.stats())
  }

  /** Every exchange, the default one too. */
  exchanges(): readonly ExchangeDeclaration[] {
    return [...this.#topology.exchanges.values()]
  }

  /** Every binding but those of the default exchange. */
  bindings(): readonly BindingView[] {
    return [...this.#topology.exchanges.values()].flatMap((exchange) =>
      [...exchange.outgoing.values()].map(({ source, destination, key, arguments: args }) => ({
        source: source.name,
        destination: destination.name,
        destinationType: destination instanceof Exchange ? ('exchange' as const) : ('queue' as const),
        key,
        arguments: args,
      })),
    )
  }

  consumers(): readonly ConsumerView[] {
    return [...this.#topology.queues.values()].flatMap((queue) =>
      [...queue.consumers()].map((consumer) => ({ queue: queue.name, consumer })),
    )
  }

  /** Deletes a queue whoever uses it. Whether it was there. */
  removeQueue(name: string): boolean {
    const queue = this.#topology.queues.get(name)
    if (queue !== undefined) this.#queues.remove(queue)
    return queue !== undefined
  }

  /** Lets go of everything. */
  close(): void {
    for (const queue of this.#topology.queues.values()) this.#queues.remove(queue)
  }
}

/** What a session sees of it. */
export type VirtualHostModel = Omit<VirtualHost, never>

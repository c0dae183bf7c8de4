import type { Fields } from './field.ts'
import type { Message } from './message.ts'
import type { Owner, Queue } from './queue.ts'

/** exchange.declare. All names are byte strings. */
export interface ExchangeDeclaration {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
  readonly arguments: Fields
}

/** queue.declare. An empty name asks for one that the broker makes. */
export interface QueueDeclaration {
  readonly name: string
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
  readonly arguments: Fields
}

/** Where a message goes: the queues, each once. */
export type Route = readonly Queue[]

/** No queue matched; all queues took it; one of them at least refused it (`x-overflow: reject-publish`). */
export type PublishOutcome = 'unrouted' | 'taken' | 'refused'

/** Where a reply goes that is sent to a name of `amq.rabbitmq.reply-to`. */
export interface ReplyTarget {
  deliver(message: Message): void
}

/**
 * What the model offers to a session. Everything is synchronous; everything may throw `AmqpError` with RabbitMQ's code
 * and text, to which the session adds class and method. `owner` marks the calling connection.
 */
export interface VirtualHostModel {
  readonly name: string
  /** Goes up with every change of exchanges, queues and bindings: a {@link Route} is good for one version. */
  readonly topologyVersion: number

  declareExchange(declaration: ExchangeDeclaration): void
  /** Passive declare. */
  checkExchange(name: string): void
  deleteExchange(name: string, ifUnused: boolean): void
  bindExchange(destination: string, source: string, key: string, args: Fields): void
  unbindExchange(destination: string, source: string, key: string, args: Fields): void

  declareQueue(declaration: QueueDeclaration, owner: Owner): Queue
  /** Passive declare. */
  checkQueue(name: string, owner: Owner): Queue
  /** The queue that a method names: 404 when there is none, 405 when it is another connection's. */
  queue(name: string, owner: Owner): Queue
  /** The number of ready messages that went with it; 0 when there was no queue. */
  deleteQueue(name: string, conditions: { ifUnused: boolean; ifEmpty: boolean }, owner: Owner): number
  bindQueue(queue: string, exchange: string, key: string, args: Fields, owner: Owner): void
  unbindQueue(queue: string, exchange: string, key: string, args: Fields, owner: Owner): void
  purgeQueue(name: string, owner: Owner): number
  /** The connection has ended: its exclusive queues go. */
  releaseOwner(owner: Owner): void

  /**
   * The checks of basic.publish in RabbitMQ's order: exchange (404), internal (403), user id (406), expiration (406),
   * CC and BCC (406). A message that passes counts for confirms.
   */
  admit(message: Message, user: string): void
  /** Where an admitted message goes now. */
  route(message: Message): Route
  /** Puts an admitted message into the queues of its route, and delivers at once where somebody waits. */
  deliver(message: Message, route: Route): PublishOutcome
  /** `admit`, `route` and `deliver`. */
  publish(message: Message, user: string): PublishOutcome

  /** A consumer on `amq.rabbitmq.reply-to`: the name that its requests carry, unguessable. */
  openReplies(target: ReplyTarget): string
  closeReplies(name: string): void
  /** queue.declare of such a name: whether somebody still waits there. */
  hasReplies(name: string): boolean
}

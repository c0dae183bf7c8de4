import { accessRefused, resourceLocked } from '../amqp-error.ts'
import { ActiveConsumer, type Succession } from './active-consumer.ts'
import { Backlog } from './backlog.ts'
import { ConsumerTurns } from './consumer-turns.ts'
import { consumerBytes } from './declaration-cost.ts'
import type { Fields } from './field.ts'
import type { Message } from './message.ts'
import { noCounts, type QueueCounts } from './queue-counts.ts'
import type { Owner, QueueConsumer, QueueStats, ReturnCause, RoutedQueue } from './queue.ts'
import { checkConsumerArguments, type QueueSettings, type QueueType } from './queue-arguments.ts'
import type { QueueHost } from './queue-host.ts'
import { QueueLease } from './queue-lease.ts'
import { QueuedMessage } from './queued-message.ts'
import type { ReturnOrder } from './ready-messages.ts'
import { queueName } from './resource-name.ts'

/** How a queue was declared. */
export interface QueueIdentity {
  readonly name: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly arguments: Fields
  readonly owner: Owner | undefined
}

/**
 * A classic queue: in order, by priority where it has any, each message to one consumer. Where something waits nobody
 * has room, and where somebody has room nothing waits.
 *
 * @source rabbit_amqqueue_process, rabbit_queue_consumers
 */
export class ClassicQueue implements RoutedQueue {
  readonly type: QueueType = 'classic'
  readonly name: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly arguments: Fields
  readonly owner: Owner | undefined
  protected readonly host: QueueHost
  protected readonly settings: QueueSettings
  protected readonly backlog: Backlog
  protected readonly counts: QueueCounts = noCounts()
  readonly #turns = new ConsumerTurns()
  readonly #lease: QueueLease | undefined
  #exclusive: QueueConsumer | undefined
  /** Where only one may be active. */
  readonly #active: ActiveConsumer | undefined
  #deleted = false
  #seq = 0
  #unsettled = 0
  /** What could be delivered and still waits has its turn later. */
  #later = false

  constructor(
    host: QueueHost,
    identity: QueueIdentity,
    settings: QueueSettings,
    order: ReturnOrder = 'place',
    succession: Succession = 'highest',
  ) {
    this.host = host
    this.settings = settings
    this.name = identity.name
    this.durable = identity.durable
    this.autoDelete = identity.autoDelete
    this.arguments = identity.arguments
    this.owner = identity.owner
    this.backlog = new Backlog(host, identity.name, settings, order, this.counts)
    this.#active = settings.singleActiveConsumer ? new ActiveConsumer(this.#turns, succession) : undefined
    if (settings.expiresMs !== undefined) {
      const inUse = (): boolean => this.#turns.size > 0
      this.#lease = new QueueLease(host.deadlines, settings.expiresMs, inUse, () => host.remove(this))
    }
  }

  get exclusive(): boolean {
    return this.owner !== undefined
  }

  get deleted(): boolean {
    return this.#deleted
  }

  get messageCount(): number {
    return this.backlog.length
  }

  get consumerCount(): number {
    return this.#turns.size
  }

  consumers(): Iterable<QueueConsumer> {
    return this.#turns.consumers
  }

  touch(): void {
    this.#lease?.renew()
  }

  protected get resource(): string {
    return queueName(this.name, this.host.name)
  }

  enqueue(message: Message): boolean {
    this.counts.published++
    if (this.backlog.refuses(message)) {
      this.counts.refused++
      if (this.settings.overflow === 'reject-publish-dlx') this.backlog.die(message, 'maxlen')
      this.host.settle()
      return false
    }
    const queued = new QueuedMessage(message, this, this.#seq++, this.backlog.expiryOf(message))
    const consumer = this.backlog.length === 0 ? this.#nextConsumer() : undefined
    if (consumer === undefined) {
      this.host.hold(message)
      this.backlog.push(queued)
      this.#dispatch()
      this.host.settle()
    } else if (consumer.noAck) {
      this.#passTurn()
      this.#send(queued, consumer)
    } else {
      this.#passTurn()
      this.host.hold(message)
      this.#hand(queued, consumer)
    }
    return true
  }

  consume(consumer: QueueConsumer): void {
    checkConsumerArguments(this.resource, consumer.arguments, this.type)
    // Quorum queues do not know exclusive consumers, and do not say so.
    const exclusive = consumer.exclusive && this.type === 'classic'
    if (exclusive && (this.#active !== undefined || this.#turns.size > 0)) throw this.#inExclusiveUse()
    if (this.#exclusive !== undefined) throw this.#inExclusiveUse()
    this.host.declared.assertRoom(`cannot consume from ${this.resource}`)
    this.host.declared.add(consumerBytes(consumer))
    this.#turns.add(consumer, Number(consumer.arguments.get('x-priority')?.value ?? 0))
    if (exclusive) this.#exclusive = consumer
    this.#active?.joined(consumer)
  }

  #inExclusiveUse(): Error {
    return accessRefused(`${this.resource} in exclusive use`)
  }

  cancel(consumer: QueueConsumer): void {
    if (!this.#forget(consumer)) return
    if (this.#exclusive === consumer) this.#exclusive = undefined
    this.#active?.left(consumer)
    if (this.#turns.size > 0) {
      this.#dispatch()
      this.host.settle()
    } else if (this.autoDelete) {
      this.host.remove(this)
    } else {
      this.touch()
    }
  }

  #forget(consumer: QueueConsumer): boolean {
    const known = this.#turns.remove(consumer)
    if (known) this.host.declared.remove(consumerBytes(consumer))
    return known
  }

  lineUp(consumer: QueueConsumer): void {
    this.#turns.wake(consumer)
  }

  wake(consumer: QueueConsumer): void {
    this.#turns.wake(consumer)
    if (this.backlog.length === 0) return
    this.#dispatch()
    this.host.settle()
  }

  get(noAck: boolean): QueuedMessage | undefined {
    if (this.#active !== undefined && this.refusesGet) {
      throw resourceLocked(
        `cannot obtain access to locked ${this.resource}. basic.get operations are not supported by ${this.type} queues with single active consumer`,
      )
    }
    this.touch()
    const queued = this.backlog.shift()
    if (queued !== undefined) {
      this.counts.delivered++
      if (noAck) {
        this.counts.settled++
        this.host.release(queued.message)
      } else {
        this.#unsettled++
      }
    }
    this.host.settle()
    return queued
  }

  /** Whether a queue with one active consumer gives nothing to basic.get. */
  protected get refusesGet(): boolean {
    return this.host.profile.classicRefusesGet
  }

  acknowledge(queued: QueuedMessage): void {
    this.counts.settled++
    this.#settled(queued)
  }

  reject(queued: QueuedMessage): void {
    if (!this.#deleted) this.backlog.die(queued.message, 'rejected')
    this.#settled(queued)
    this.host.settle()
  }

  #settled(queued: QueuedMessage): void {
    const { consumer } = queued
    this.#unsettled--
    queued.consumer = null
    this.host.release(queued.message)
    if (this.#active?.settled(consumer) === true) this.#dispatch()
  }

  giveBack(queued: readonly QueuedMessage[], cause: ReturnCause): void {
    if (this.#deleted) {
      for (const one of queued) this.#settled(one)
      return
    }
    const stay = queued.filter((one) => this.takesBack(one, cause))
    for (const one of stay) {
      // Who gives back has room again, and may be the one who gets it: it has its turn before the others are asked.
      if (one.consumer !== null) this.#turns.wake(one.consumer)
      this.#active?.settled(one.consumer)
      one.consumer = null
      one.redelivered = true
    }
    this.#unsettled -= stay.length
    this.counts.returned += stay.length
    this.backlog.giveBack(stay)
    this.#dispatch()
    this.host.settle()
  }

  /** Whether a message may come back; one that may not is {@link bury buried}. */
  protected takesBack(_queued: QueuedMessage, _cause: ReturnCause): boolean {
    return true
  }

  /** Ends a message that came back too often. */
  protected bury(queued: QueuedMessage): void {
    this.backlog.die(queued.message, 'delivery_limit')
    this.#settled(queued)
  }

  purge(): number {
    return this.backlog.clear()
  }

  end(): number {
    this.#deleted = true
    this.#lease?.end()
    const count = this.backlog.end()
    for (const consumer of this.#turns.consumers) {
      this.#forget(consumer)
      consumer.cancelled()
    }
    return count
  }

  stats(): QueueStats {
    return {
      name: this.name,
      type: this.type,
      durable: this.durable,
      autoDelete: this.autoDelete,
      exclusive: this.exclusive,
      arguments: this.arguments,
      ready: this.backlog.length,
      readyBytes: this.backlog.bytes,
      unsettled: this.#unsettled,
      consumers: this.#turns.size,
      ...this.counts,
    }
  }

  /** Who gets the next message. */
  #nextConsumer(): QueueConsumer | undefined {
    if (this.#active === undefined) return this.#turns.peek()
    const { taker } = this.#active
    return taker?.canTake() === true ? taker : undefined
  }

  #passTurn(): void {
    if (this.#active === undefined) this.#turns.pass()
  }

  /** Delivers what waits to who has room, as far as there is time for it. */
  #dispatch(): void {
    while (this.backlog.length > 0 && !this.#deleted) {
      const consumer = this.#nextConsumer()
      if (consumer === undefined) return
      if (!this.host.longWork.hasTime()) return this.#dispatchLater()
      this.#passTurn()
      const queued = this.backlog.shift()
      if (queued === undefined) return
      if (queued.redelivered) this.redelivering(queued)
      if (consumer.noAck) {
        this.#send(queued, consumer)
        this.host.release(queued.message)
      } else {
        this.#hand(queued, consumer)
      }
    }
  }

  #dispatchLater(): void {
    if (this.#later) return
    this.#later = true
    this.host.longWork.later(() => {
      this.#later = false
      this.#dispatch()
      this.host.settle()
    })
  }

  /** What was given back is about to be delivered again. */
  protected redelivering(_queued: QueuedMessage): void {}

  /** Delivers what need not be settled. */
  #send(queued: QueuedMessage, consumer: QueueConsumer): void {
    this.counts.delivered++
    this.counts.settled++
    consumer.deliver(queued)
  }

  /** Delivers what must be settled. */
  #hand(queued: QueuedMessage, consumer: QueueConsumer): void {
    queued.consumer = consumer
    this.#active?.handed()
    this.counts.delivered++
    this.#unsettled++
    consumer.deliver(queued)
  }
}

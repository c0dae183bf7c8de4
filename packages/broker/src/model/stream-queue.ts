import { notImplemented, preconditionFailed } from '../amqp-error.ts'
import type { QueueIdentity } from './classic-queue.ts'
import type { Deadline } from './deadlines.ts'
import { consumerBytes } from './declaration-cost.ts'
import type { Field, Fields } from './field.ts'
import { headersOf, withProperties } from './message-properties.ts'
import type { Message } from './message.ts'
import { noCounts, type QueueCounts } from './queue-counts.ts'
import type { QueueConsumer, QueueStats, ReturnCause, RoutedQueue } from './queue.ts'
import { checkConsumerArguments, refuseGlobalPrefetch, type QueueSettings } from './queue-arguments.ts'
import type { QueueHost } from './queue-host.ts'
import { NEVER, QueuedMessage } from './queued-message.ts'
import { queueName } from './resource-name.ts'
import { Ring } from './ring.ts'
import { streamStart } from './stream-offset.ts'

interface Entry {
  /** With its offset in the headers. */
  readonly message: Message
  readonly atMs: number
}

/**
 * The part of a stream that clients of AMQP 0-9-1 see: a log that consumers read from a place of their choice, each at
 * its own pace, and that nobody takes anything out of but time and size. Unlike RabbitMQ's, which drops whole
 * segments, it drops single messages, and as soon as they are too old or too many.
 *
 * @source rabbit_stream_queue
 */
export class StreamQueue implements RoutedQueue {
  readonly type = 'stream'
  readonly name: string
  readonly durable = true
  readonly autoDelete = false
  readonly exclusive = false
  readonly owner = undefined
  readonly arguments: Fields
  readonly #host: QueueHost
  readonly #settings: QueueSettings
  readonly #log = new Ring<Entry>()
  /** The offset of the oldest entry. */
  #base = 0
  #bytes = 0
  /** The offset that each consumer reads next. */
  readonly #cursors = new Map<QueueConsumer, number>()
  readonly #counts: QueueCounts = noCounts()
  #unsettled = 0
  #deleted = false
  #retention: Deadline | undefined

  constructor(host: QueueHost, identity: QueueIdentity, settings: QueueSettings) {
    this.#host = host
    this.#settings = settings
    this.name = identity.name
    this.arguments = identity.arguments
  }

  get deleted(): boolean {
    return this.#deleted
  }

  get messageCount(): number {
    return this.#log.length
  }

  get consumerCount(): number {
    return this.#cursors.size
  }

  consumers(): Iterable<QueueConsumer> {
    return this.#cursors.keys()
  }

  touch(): void {}

  get #resource(): string {
    return queueName(this.name, this.#host.name)
  }

  get #end(): number {
    return this.#base + this.#log.length
  }

  enqueue(message: Message): boolean {
    this.#counts.published++
    const offset: Field = { type: 'long', value: this.#end }
    const headers = new Map(headersOf(message)).set('x-stream-offset', offset)
    const logged = withProperties(message, { headers })
    this.#host.hold(logged)
    this.#log.push({ message: logged, atMs: this.#host.clock.now() })
    this.#bytes += logged.bodySize
    this.#trim()
    for (const consumer of this.#cursors.keys()) this.wake(consumer)
    return true
  }

  consume(consumer: QueueConsumer): void {
    checkConsumerArguments(this.#resource, consumer.arguments, this.type)
    if (consumer.prefetch === 0) {
      throw preconditionFailed(`consumer prefetch count is not set for '${this.#resource}'`)
    }
    if (consumer.noAck) {
      throw notImplemented(`automatic acknowledgement not supported by stream queues ${this.#resource}`)
    }
    refuseGlobalPrefetch(this.#resource, consumer)
    this.#host.declared.assertRoom(`cannot consume from ${this.#resource}`)
    this.#trim()
    this.#cursors.set(consumer, this.#startOf(consumer))
    this.#host.declared.add(consumerBytes(consumer))
  }

  #startOf(consumer: QueueConsumer): number {
    const start = streamStart(consumer.arguments.get('x-stream-offset'), this.#host.clock.now())
    switch (start.kind) {
      case 'first':
        return this.#base
      case 'last':
        return Math.max(this.#base, this.#end - 1)
      case 'next':
        return this.#end
      case 'offset':
        return Math.max(this.#base, start.offset)
      case 'time':
        return this.#firstSince(start.timeMs)
    }
  }

  /** The offset of the first entry that came then or later. */
  #firstSince(timeMs: number): number {
    let low = 0
    let high = this.#log.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#log.at(middle) as Entry).atMs < timeMs) low = middle + 1
      else high = middle
    }
    return this.#base + low
  }

  cancel(consumer: QueueConsumer): void {
    if (this.#cursors.delete(consumer)) this.#host.declared.remove(consumerBytes(consumer))
  }

  /** Everybody reads a stream from a place of their own. */
  lineUp(): void {}

  wake(consumer: QueueConsumer): void {
    let cursor = this.#cursors.get(consumer)
    if (cursor === undefined) return
    // What was dropped before it was read is lost to this consumer.
    cursor = Math.max(cursor, this.#base)
    while (cursor < this.#end && consumer.canTake()) {
      const { message } = this.#log.at(cursor - this.#base) as Entry
      const queued = new QueuedMessage(message, this, cursor, NEVER)
      queued.consumer = consumer
      // Who has it keeps it in memory, whether it is still in the log or not.
      this.#host.hold(message)
      cursor++
      this.#cursors.set(consumer, cursor)
      this.#unsettled++
      this.#counts.delivered++
      consumer.deliver(queued)
    }
  }

  get(): QueuedMessage | undefined {
    throw notImplemented(`basic.get not supported by stream queues ${this.#resource}`)
  }

  acknowledge(queued: QueuedMessage): void {
    this.#letGo(queued)
    this.#counts.settled++
  }

  reject(): void {
    throw this.#cannotRefuse()
  }

  giveBack(queued: readonly QueuedMessage[], cause: ReturnCause): void {
    if (cause !== 'closed') throw this.#cannotRefuse()
    for (const one of queued) this.#letGo(one)
  }

  #letGo(queued: QueuedMessage): void {
    queued.consumer = null
    this.#unsettled--
    this.#host.release(queued.message)
  }

  #cannotRefuse(): Error {
    return notImplemented(`basic.nack and basic.reject not supported by stream queues ${this.#resource}`)
  }

  purge(): number {
    throw notImplemented(`queue.purge not supported by stream queues ${this.#resource}`)
  }

  end(): number {
    this.#deleted = true
    this.#retention?.cancel()
    while (this.#log.length > 0) this.#dropOldest()
    for (const consumer of this.#cursors.keys()) {
      this.cancel(consumer)
      consumer.cancelled()
    }
    return 0
  }

  stats(): QueueStats {
    return {
      name: this.name,
      type: this.type,
      durable: this.durable,
      autoDelete: this.autoDelete,
      exclusive: this.exclusive,
      arguments: this.arguments,
      ready: this.#log.length,
      readyBytes: this.#bytes,
      unsettled: this.#unsettled,
      consumers: this.#cursors.size,
      ...this.#counts,
    }
  }

  #dropOldest(): void {
    const entry = this.#log.shift() as Entry
    this.#base++
    this.#bytes -= entry.message.bodySize
    this.#host.release(entry.message)
  }

  /** Holds the log to its size and age; one entry stays whatever its size. */
  #trim(): void {
    const { maxBytes, maxAgeMs } = this.#settings
    while (this.#bytes > maxBytes && this.#log.length > 1) {
      this.#counts.dropped++
      this.#dropOldest()
    }
    if (maxAgeMs === Infinity) return
    const oldestMs = this.#host.clock.now() - maxAgeMs
    while (this.#log.length > 0 && (this.#log.peek() as Entry).atMs <= oldestMs) {
      this.#counts.expired++
      this.#dropOldest()
    }
    const oldest = this.#log.peek()
    if (oldest === undefined || this.#retention !== undefined) return
    const atMs = this.#host.deadlines.nowMs() + (oldest.atMs - oldestMs)
    this.#retention = this.#host.deadlines.at(atMs, () => {
      this.#retention = undefined
      this.#trim()
    })
  }
}

import type { Fields } from './field.ts'
import type { Message } from './message.ts'
import type { QueueType } from './queue-arguments.ts'
import type { QueuedMessage } from './queued-message.ts'

/** An opaque mark of a connection: exclusive queues belong to one. */
export type Owner = object

/** Who consumes from a queue. The session implements it, the queue calls it. */
export interface QueueConsumer {
  /** Byte string; unique in its channel. */
  readonly tag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  /** All arguments of basic.consume; `x-priority` and `x-stream-offset` are the queue's to read. */
  readonly arguments: Fields
  /** The prefetch count of the channel when the consumer began; 0 for no limit. */
  readonly prefetch: number
  /** Whether a limit for its whole channel was set (`basic.qos` with `global`). */
  readonly globalPrefetch: boolean
  /** A name for `consumers()`: which connection and channel. */
  readonly label: string
  /** Whether it has room for one more message now. One that has none is not asked again until {@link Queue.wake}. */
  canTake(): boolean
  /**
   * Takes a message: writes it, and keeps it until it is settled unless {@link noAck}. Must not call back into the
   * queue before it returns.
   */
  deliver(queued: QueuedMessage): void
  /** The queue is gone, or has put this consumer out; it gets nothing any more. */
  cancelled(): void
}

/** Why messages come back. Quorum queues count some of these. */
export type ReturnCause = 'nack' | 'reject' | 'recover' | 'closed'

/** What the model shows of a queue. */
export interface QueueStats {
  readonly name: string
  readonly type: QueueType
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly exclusive: boolean
  readonly arguments: Fields
  readonly ready: number
  readonly readyBytes: number
  readonly unsettled: number
  readonly consumers: number
  /** Since the queue was declared. */
  readonly published: number
  readonly delivered: number
  readonly settled: number
  readonly returned: number
  readonly expired: number
  readonly dropped: number
  readonly refused: number
}

/** A queue of any type, as a session sees it. Methods throw `AmqpError` where RabbitMQ would close the channel. */
export interface Queue {
  readonly name: string
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly arguments: Fields
  /** Of an exclusive queue: whose it is. */
  readonly owner: Owner | undefined
  /** Whether it was deleted: what is settled then goes nowhere. */
  readonly deleted: boolean
  /** What queue.declare-ok says: ready messages, and consumers. */
  readonly messageCount: number
  readonly consumerCount: number
  /**
   * Registers a consumer, and delivers nothing yet: the session writes consume-ok and then calls {@link wake}.
   * Throws 403 (exclusive use) and 406 (arguments).
   */
  consume(consumer: QueueConsumer): void
  /** Forgets a consumer; what it holds stays with it. The last one may take an auto-delete queue along. */
  cancel(consumer: QueueConsumer): void
  /** The consumer has room again, and so may others: it will be asked in its turn, once one of them is woken. */
  lineUp(consumer: QueueConsumer): void
  /** The consumer has room (again): delivers to it now, in its turn. */
  wake(consumer: QueueConsumer): void
  /** basic.get: the oldest ready message, or `undefined`. With `noAck` it is settled. Throws 405 (SAC), 540 (stream). */
  get(noAck: boolean): QueuedMessage | undefined
  /** Settles what was taken. */
  acknowledge(queued: QueuedMessage): void
  /** Refuses what was taken for good: dead-lettered where the queue says so. Throws 540 (stream). */
  reject(queued: QueuedMessage): void
  /** Gives back what was taken: to its original place, `redelivered` from now on. In any order; all of this queue. */
  giveBack(queued: readonly QueuedMessage[], cause: ReturnCause): void
  /** Takes out what is ready; the number of these. Throws 540 (stream). */
  purge(): number
  stats(): QueueStats
}

/** A queue of any type, as the virtual host sees it. */
export interface RoutedQueue extends Queue {
  readonly type: QueueType
  readonly exclusive: boolean
  /** The consumers, in the order in which they came. */
  consumers(): Iterable<QueueConsumer>
  /** Takes a message, and delivers it at once where somebody waits; `false` when it refuses it. */
  enqueue(message: Message): boolean
  /** Somebody named the queue in a declaration: its lease begins anew. */
  touch(): void
  /** The queue was deleted: tells its consumers, and lets go of what is ready; the number of these. */
  end(): number
}

/** Why a message leaves its queue without having been settled. */
export type DeathReason = 'expired' | 'rejected' | 'maxlen' | 'delivery_limit'

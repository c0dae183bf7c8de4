import { Binding, Exchange, Queue, type FieldTable, type QueueDefinition } from '@hermod/amqp'
import type { NotificationSource } from '@hermod/messaging'
import {
  fanoutExchangeName,
  fanoutQueueName,
  notificationQueueName,
  replyQueueName,
  requestQueueName,
} from './queue-names.ts'
import type { RabbitSettings } from './rabbit-settings.ts'

/** The options that say what is declared. */
export type TopologySettings = Pick<
  RabbitSettings,
  | 'durableQueues'
  | 'autoDeleteQueues'
  | 'quorumQueues'
  | 'transientQuorumQueues'
  | 'streamFanout'
  | 'haQueues'
  | 'quorumDeliveryLimit'
  | 'quorumMaxMemoryLength'
  | 'quorumMaxMemoryBytes'
  | 'transientQueuesTtlMs'
  | 'cancelOnFailover'
  | 'useQueueManager'
>

/** What a stream is read from: what comes next, or a number that a delivery's header `x-stream-offset` gave, plus one. */
export type StreamOffset = 'last' | number | bigint

/**
 * What the driver declares, flag by flag and argument by argument as oslo.messaging does, for declaring the same
 * otherwise is an error of the broker (406). No I/O.
 *
 * A queue carries its exchange and binding, and the arguments of its consumers. Publishers of requests declare the
 * exchange alone; those of notifications also the queue, so that nothing is lost before there is a listener.
 *
 * @source oslo.messaging _drivers/impl_rabbit.py Connection.declare_*_consumer, topic_send, fanout_send, notify_send
 */
export class RabbitTopology {
  readonly #settings: TopologySettings

  /** @param settings without contradictions: see `readRabbitOptions`. */
  constructor(settings: TopologySettings) {
    this.#settings = settings
  }

  /** The exchange of requests and notifications. */
  topicExchange(name: string): Exchange {
    const { autoDeleteQueues } = this.#settings
    return new Exchange(name, 'topic', { durable: this.#durable, autoDelete: autoDeleteQueues })
  }

  /** The exchange of requests to all servers of a topic. */
  fanoutExchange(topic: string): Exchange {
    const { transientQuorumQueues } = this.#settings
    return new Exchange(fanoutExchangeName(topic), 'fanout', {
      durable: transientQuorumQueues,
      autoDelete: true,
    })
  }

  /** The queue that all servers of a topic share, or that of one server. */
  requestQueue(exchange: string, topic: string, server?: string): Queue {
    const name = requestQueueName(topic, server)
    return this.#sharedQueue(name, [new Binding(this.topicExchange(exchange), name)])
  }

  /**
   * The queue of one server for the requests to all, or the stream that all of them read.
   * @param suffix what tells it from those of other servers; unused with streams.
   * @param offset where a stream is read from.
   */
  fanoutQueue(topic: string, suffix: string, offset: StreamOffset = 'last'): Queue {
    const { streamFanout, transientQueuesTtlMs: ttlMs } = this.#settings
    const exchange = this.fanoutExchange(topic)
    const binding = { exchange, routingKey: topic, autoDelete: false }
    if (!streamFanout)
      return new Queue(fanoutQueueName(topic, suffix), { ...binding, ...this.#transientQueue() })
    return new Queue(fanoutQueueName(topic, undefined), {
      ...binding,
      durable: true,
      queueType: 'stream',
      // A stream counts in whole seconds.
      ...(ttlMs > 0 && { maxAgeMs: Math.ceil(ttlMs / 1000) * 1000 }),
      // In oslo.messaging this takes the place of every other argument.
      consumerArguments: { 'x-stream-offset': offset },
    })
  }

  /** The queue of a process for replies; it is bound to nothing, for the default exchange reaches every queue. */
  replyQueue(suffix: string): Queue {
    return new Queue(replyQueueName(suffix), { autoDelete: false, ...this.#transientQueue() })
  }

  /** The queue of notifications of one priority; also what is declared before one is published. */
  notificationQueue({ exchange, topic, priority }: NotificationSource): Queue {
    const name = notificationQueueName(topic, priority)
    return this.#sharedQueue(name, [new Binding(this.topicExchange(exchange), name)])
  }

  /** The queue of a pool: one for all sources. */
  poolQueue(pool: string, sources: readonly NotificationSource[]): Queue {
    const exchanges = new Map(sources.map(({ exchange }) => [exchange, this.topicExchange(exchange)]))
    const bindings = sources.map(
      ({ exchange, topic, priority }) =>
        new Binding(
          exchanges.get(exchange) ?? this.topicExchange(exchange),
          notificationQueueName(topic, priority),
        ),
    )
    return this.#sharedQueue(pool, bindings)
  }

  /**
   * Whether a server deletes its fanout queue when it stops: only when nobody will find it again.
   * @source oslo.messaging _drivers/impl_rabbit.py Connection.close
   */
  get deletesFanoutQueue(): boolean {
    return !this.#settings.streamFanout && !this.#settings.useQueueManager
  }

  get #durable(): boolean {
    return this.#settings.durableQueues || this.#settings.quorumQueues
  }

  get #consumerArguments(): FieldTable {
    return this.#settings.cancelOnFailover ? { 'x-cancel-on-ha-failover': true } : {}
  }

  #sharedQueue(name: string, bindings: readonly Binding[]): Queue {
    const { quorumQueues, autoDeleteQueues } = this.#settings
    return new Queue(name, {
      durable: this.#durable,
      autoDelete: autoDeleteQueues,
      bindings,
      ...this.#kind(quorumQueues),
      consumerArguments: this.#consumerArguments,
    })
  }

  #transientQueue(): QueueDefinition {
    const { transientQuorumQueues, transientQueuesTtlMs } = this.#settings
    return {
      durable: transientQuorumQueues,
      ...this.#kind(transientQuorumQueues),
      ...(transientQueuesTtlMs > 0 && { expiresMs: transientQueuesTtlMs }),
      consumerArguments: this.#consumerArguments,
    }
  }

  #kind(quorum: boolean): QueueDefinition {
    const { haQueues, quorumDeliveryLimit, quorumMaxMemoryLength, quorumMaxMemoryBytes } = this.#settings
    if (!quorum) return haQueues ? { arguments: { 'x-ha-policy': 'all' } } : {}
    return {
      queueType: 'quorum',
      ...(quorumDeliveryLimit !== 0 && { deliveryLimit: quorumDeliveryLimit }),
      ...(quorumMaxMemoryLength !== 0 && { maxInMemoryLength: quorumMaxMemoryLength }),
      ...(quorumMaxMemoryBytes !== 0 && { maxInMemoryBytes: quorumMaxMemoryBytes }),
    }
  }
}

import { randomUUID } from 'node:crypto'
import type { Priority } from '@hermod/messaging'

/**
 * The name of the exchange of requests to all servers of a topic. No exchange of a target has a part in it.
 * @source oslo.messaging _drivers/impl_rabbit.py declare_fanout_consumer
 */
export function fanoutExchangeName(topic: string): string {
  return `${topic}_fanout`
}

/** The queue, and routing key, of the requests to any server of a topic, or to one. */
export function requestQueueName(topic: string, server?: string): string {
  return server === undefined ? topic : `${topic}.${server}`
}

/**
 * The queue, and routing key, of notifications of one priority.
 * @source oslo.messaging notify/messaging.py, _drivers/amqpdriver.py listen_for_notifications
 */
export function notificationQueueName(topic: string, priority: Priority): string {
  return `${topic}.${priority}`
}

/** What tells the queues of one process from those of another: 32 hexadecimal digits, other ones each time. */
export function randomQueueSuffix(): string {
  return randomUUID().replaceAll('-', '')
}

/** The queue of one server for the requests to all. With streams, `suffix` is undefined: all read one queue. */
export function fanoutQueueName(topic: string, suffix: string | undefined): string {
  return suffix === undefined ? fanoutExchangeName(topic) : `${fanoutExchangeName(topic)}_${suffix}`
}

/** The queue of a process for the replies to its calls. */
export function replyQueueName(suffix: string): string {
  return `reply_${suffix}`
}

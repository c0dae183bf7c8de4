import type { Connection } from '../client/connection.ts'
import type { Queue } from './queue.ts'
import { SimpleQueue, type SimpleQueueOptions } from './simple-queue.ts'

/**
 * A {@link SimpleQueue} for what may be lost: queue and exchange are transient and vanish with their last consumer
 * and binding, messages are not kept on disk, and `get` acks what it gives.
 *
 * Newer versions of kombu (5.7 does) declare the queue exclusive too; `queue: { exclusive: true }` does so here. What is put in after
 * the queue has vanished makes it anew, where kombu's is lost.
 *
 * @source kombu simple.py, SimpleBuffer
 */
export class SimpleBuffer extends SimpleQueue {
  constructor(connection: Connection, queue: string | Queue, options: SimpleQueueOptions = {}) {
    super(connection, queue, {
      ...options,
      ackOnGet: options.ackOnGet ?? true,
      queue: { durable: false, autoDelete: true, ...options.queue },
      exchange: { durable: false, autoDelete: true, deliveryMode: 'transient', ...options.exchange },
    })
  }
}

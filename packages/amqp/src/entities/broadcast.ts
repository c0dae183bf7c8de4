import { randomUUID } from 'node:crypto'
import { Exchange } from './exchange.ts'
import { Queue, type QueueDefinition } from './queue.ts'

/** How a {@link broadcastQueue} differs from the usual one. */
export interface BroadcastOptions extends QueueDefinition {
  /** The queue's name; a random one where absent. */
  readonly queue?: string | undefined
  /** A random part is added to `queue`, so that it can be asked for many times. Default false. */
  readonly unique?: boolean | undefined
}

/**
 * A queue of one's own on a fanout exchange, so that each one who consumes such a queue gets every message: kombu's
 * Broadcast. The queue vanishes with its last consumer; the exchange stays.
 *
 * @param exchange the exchange's name; fanout and durable, unless the options bring another one.
 * @source kombu common.py, `Broadcast`
 */
export function broadcastQueue(exchange: string, options: BroadcastOptions = {}): Queue {
  const { queue, unique = false, ...definition } = options
  const name = unique ? `${queue ?? 'bcast'}.${randomUUID()}` : (queue ?? `bcast.${randomUUID()}`)
  return new Queue(name, { exchange: new Exchange(exchange, 'fanout'), autoDelete: true, ...definition })
}

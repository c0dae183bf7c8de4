import type { Connection } from '../client/connection.ts'
import type { ConnectionPool } from './connection-pool.ts'
import { Pool, type PoolLimit } from './pool.ts'
import type { Lease } from './pool-lease.ts'
import { Producer } from './producer.ts'
import type { ProducerOptions } from './producer-options.ts'

/**
 * Producers, each on a connection of its own, which it borrows from a pool for as long as it lives. One whose
 * connection has ended is replaced. Without a free connection it waits for one. Closing the pool gives the connections back and leaves theirs open.
 *
 * @example
 * await using connections = new ConnectionPool('amqp://localhost', { limit: 4 })
 * await using producers = new ProducerPool(connections, { exchange: new Exchange('orders'), limit: 4 })
 * await producers.use((producer) => producer.publish({ id: 7 }))
 */
export class ProducerPool extends Pool<Producer> {
  constructor(connections: ConnectionPool, options: ProducerOptions & PoolLimit = {}) {
    const { limit, ...producerOptions } = options
    const leases = new WeakMap<Producer, Lease<Connection>>()
    super({
      limit,
      create: async ({ signal }) => {
        const lease = await connections.acquire({ signal })
        try {
          const producer = new Producer(lease.resource, producerOptions)
          leases.set(producer, lease)
          return producer
        } catch (error) {
          await lease.release()
          throw error
        }
      },
      destroy: async (producer, { signal }) => {
        await producer.close({ signal })
        await leases.get(producer)?.release()
      },
      isUsable: (producer) => leases.get(producer)?.resource.state !== 'closed',
    })
  }
}

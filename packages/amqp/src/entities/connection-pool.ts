import { addAbortListener } from 'node:events'
import { Connection } from '../client/connection.ts'
import type { ConnectionOptions, ConnectionTarget } from '../client/connection-options.ts'
import { disposeOrClose } from './dispose-or-close.ts'
import { Pool, type PoolLimit } from './pool.ts'

/**
 * Connections to the same brokers, each with a socket of its own. One that recovers stays in the pool; one that has
 * ended for good is replaced.
 *
 * A single connection serves any number of channels and users; several make sense to keep what blocks one of them
 * from the others, or for more bytes than one TCP stream carries.
 */
export class ConnectionPool extends Pool<Connection> {
  constructor(target: ConnectionTarget, options: ConnectionOptions & PoolLimit = {}) {
    const { limit, ...connectionOptions } = options
    super({
      limit,
      create: ({ signal }) => connectUntil(signal, target, connectionOptions),
      destroy: (connection, { signal }) => disposeOrClose(connection, signal),
      isUsable: ({ state }) => state !== 'closed' && state !== 'closing',
    })
  }
}

/** Connects, and gives up when either signal aborts: `AbortSignal.any` would leak on Node 20. */
async function connectUntil(
  unwanted: AbortSignal,
  target: ConnectionTarget,
  options: ConnectionOptions,
): Promise<Connection> {
  const own = options.signal
  own?.throwIfAborted()
  unwanted.throwIfAborted()
  const attempt = new AbortController()
  using _unwanted = addAbortListener(unwanted, () => attempt.abort(unwanted.reason))
  using _own = own === undefined ? undefined : addAbortListener(own, () => attempt.abort(own.reason))
  return await Connection.connect(target, { ...options, signal: attempt.signal })
}

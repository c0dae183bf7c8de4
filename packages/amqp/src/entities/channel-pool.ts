import type { Channel } from '../client/channel.ts'
import type { ChannelOptions } from '../client/channel-options.ts'
import type { Connection } from '../client/connection.ts'
import { disposeOrClose } from './dispose-or-close.ts'
import { Pool, type PoolLimit } from './pool.ts'

/** Channels of one connection. One that has ended is replaced; closing the pool leaves the connection open. */
export class ChannelPool extends Pool<Channel> {
  constructor(connection: Connection, options: ChannelOptions & PoolLimit = {}) {
    const { limit, ...channelOptions } = options
    super({
      limit,
      create: () => connection.openChannel(channelOptions),
      destroy: (channel, { signal }) => disposeOrClose(channel, signal),
      isUsable: ({ state }) => state !== 'closed' && state !== 'closing',
    })
  }
}

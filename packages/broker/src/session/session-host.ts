import type { Clock, Logger } from '@hermod/kernel'
import type { Limits } from '../limits.ts'
import type { VirtualHostModel } from '../model/virtual-host.ts'
import type { Profile } from '../profile.ts'
import type { Alarms } from './alarms.ts'
import type { ConnectionSession } from './connection-session.ts'
import type { Peer } from './link.ts'
import type { PublishWatch } from './publish-watch.ts'
import type { Login } from './sasl.ts'
import type { Turn } from './turn.ts'

/** What the broker says about itself. */
export interface Advertisement {
  readonly product: string
  readonly version: string
}

/** What a connection needs of its broker. */
export interface SessionHost {
  readonly profile: Profile
  readonly limits: Limits
  readonly clock: Clock
  readonly logger: Logger
  readonly turn: Turn
  readonly alarms: Alarms
  readonly advertise: Advertisement
  readonly heartbeatSeconds: number
  readonly taps: PublishWatch
  /** Counts bytes against the memory of the broker; negative when they are no longer held. */
  hold(bytes: number): void
  /**
   * The same for what is under way to a queue.
   * @throws {AmqpError} 506 where that is too much.
   */
  holdUnderWay(bytes: number): void
  /** Whether these are a user and its password, and the user may come from there. */
  admits(login: Login, peer: Peer): boolean
  /** @throws {AmqpError} 530 where the user cannot open it. */
  openVirtualHost(name: string, user: string): VirtualHostModel
  /** The handshake is over, and well. */
  opened(session: ConnectionSession): void
  /** It is gone. */
  ended(session: ConnectionSession): void
}

import type { MethodArguments, MethodName } from '@hermod/amqp/wire'
import type { Limits } from '../limits.ts'
import type { TableLimits } from '../model/field-table.ts'
import type { Owner } from '../model/queue.ts'
import type { VirtualHostModel } from '../model/virtual-host.ts'
import type { Profile } from '../profile.ts'
import type { Output } from './output.ts'
import type { PublishWatch } from './publish-watch.ts'

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly output: Output
  readonly virtualHost: VirtualHostModel
  /** The mark of this connection. */
  readonly owner: Owner
  /** Byte string. */
  readonly user: string
  readonly limits: Limits
  readonly tableLimits: TableLimits
  readonly profile: Profile
  /** The largest frame that the client takes; 0 for any. */
  readonly frameMax: number
  /** Whether the client wants to be told when a consumer ends. */
  readonly cancelNotify: boolean
  /**
   * Counts what is under way to a queue against the memory of the broker; negative when it is no longer.
   * @throws {AmqpError} 506 where that is too much.
   */
  holdUnderWay(bytes: number): void
  readonly taps: PublishWatch
  /** For lists: which connection this is. */
  readonly name: string
}

/** What the parts of a channel need of it. */
export interface ChannelParts {
  readonly number: number
  readonly host: ChannelHost
  /** Answers, behind the confirms that wait. */
  send<Name extends MethodName>(name: Name, args: MethodArguments[Name]): void
  /** Writes what answers nothing, perhaps before confirms that wait. */
  write<Name extends MethodName>(name: Name, args: MethodArguments[Name]): void
}

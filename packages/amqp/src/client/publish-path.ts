import type { ConnectionBlockedError, HermodError } from '@hermod/kernel'
import type { PublishOptions } from './publisher.ts'
import type { ReturnedMessage } from './returned-publish.ts'
import type { Session } from './session.ts'

/** How messages leave a channel: each with its confirm, or together with their transaction. */
export interface PublishPath {
  /** Written, but not confirmed. */
  readonly unconfirmed: number
  /** Not yet written: the window is full, or the connection is away or blocked. */
  readonly waiting: number
  /** See `Channel.publish`. */
  publish(
    exchange: string,
    routingKey: string,
    body: Uint8Array,
    options: PublishOptions | undefined,
  ): Promise<void>
  /** `basic.ack` or `basic.nack` from the broker. */
  confirm(tag: number, multiple: boolean, acked: boolean): void
  /** `basic.return` from the broker. */
  returned(message: ReturnedMessage): void
  /** A channel is ready. */
  attach(session: Session, channel: number): void
  /** The channel is gone. */
  detach(cause: HermodError): void
  /** Nothing more may be written: the channel is being closed. What was written can still be confirmed. */
  seal(reason: HermodError): void
  /** No channel will come again: everything still open is rejected. */
  end(cause: HermodError): void
  /** The broker takes no publishes for now (`connection.blocked`). */
  block(): void
  /** It has done so for longer than publishers wait. */
  refuse(error: ConnectionBlockedError): void
  /** It takes them again. */
  unblock(): void
  /** `channel.flow` from the broker; it ends with the channel that it came on. */
  flowStopped: boolean
  /** There is room in the output again. */
  resume(): void
  /** Resolves when nothing is unconfirmed and nothing waits. */
  idle(): Promise<void>
}

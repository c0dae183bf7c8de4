import type { HermodError } from '@hermod/kernel'

/** How a channel behaves. */
export interface ChannelOptions {
  /**
   * Whether the channel comes back after a reconnect or a channel error, with what was declared on it and its
   * consumers. `false`: it ends then, and `closed` says why. Default true.
   */
  readonly recover?: boolean | undefined
  /** Messages written and not yet confirmed, at the most; more wait (in a transaction: are refused). Default 1000. */
  readonly maxUnconfirmed?: number | undefined
  /**
   * Whether the broker confirms what is published. `false`: at most once; the promise of a publish resolves when the
   * message is on its way to the socket, and nobody learns whether the broker took it. For requests whose answer tells,
   * and for what may get lost; it saves the broker and this side a confirm for each. Default true.
   */
  readonly confirms?: boolean | undefined
  /**
   * Publishes and acks count from `commit()` on, and `rollback()` takes them back. There are no confirms then: what
   * was published settles with its transaction. Default false.
   */
  readonly transactional?: boolean | undefined
}

/**
 * What a channel is doing: `opening` lasts until the broker has answered and everything is back, also after a
 * reconnect or a channel error; `waiting`: for the connection, or for the pause after channel errors in a row.
 */
export type ChannelState = 'opening' | 'open' | 'waiting' | 'closing' | 'closed'

/** Why a channel ended; without an error it was closed here. */
export interface ChannelEnd {
  readonly error?: HermodError | undefined
}

import type { HermodError } from '@hermod/kernel'

/**
 * What a tap reports besides events. Everything that was or may have been missed is among it.
 */
export type TapStatus =
  /** The tap has a queue on a broker again, after it was away. */
  | {
      readonly type: 'connected'
      readonly at: Date
      /** `host:port` */
      readonly server: string
      readonly queue: string
      readonly bound: readonly string[]
      readonly missing: readonly string[]
    }
  /** An exchange that was missing is there and bound now; what it carried from `unseenFrom` on was not seen. */
  | { readonly type: 'bound'; readonly at: Date; readonly exchange: string; readonly unseenFrom: Date }
  /** The connection or the tap's queue is gone; it is made again. */
  | { readonly type: 'disconnected'; readonly at: Date; readonly error: HermodError }
  /** The next attempt follows after `delayMs`. */
  | {
      readonly type: 'reconnecting'
      readonly at: Date
      readonly attempt: number
      readonly delayMs: number
      /** Why the last attempt failed; undefined before the first. */
      readonly error: HermodError | undefined
    }
  /** The tap is back: what was published from `from` to `to` was not seen. */
  | {
      readonly type: 'gap'
      readonly at: Date
      readonly from: Date
      readonly to: Date
      readonly lengthMs: number
    }
  /** Events were dropped here, because they came faster than they were taken: `dropped` since the last such report. */
  | { readonly type: 'ring-dropped'; readonly at: Date; readonly dropped: number; readonly total: number }
  /** The queue in the broker is as long as it may be: the broker may have dropped events, and does not say how many. */
  | { readonly type: 'tap-full'; readonly at: Date; readonly depth: number; readonly limit: number }
  /** A message that is no notification, or cannot be read. */
  | {
      readonly type: 'unreadable'
      readonly at: Date
      readonly exchange: string
      readonly routingKey: string
      readonly reason: string
      readonly total: number
    }
  /** Something that limits what is seen, for example an exchange that may not be read. */
  | { readonly type: 'warning'; readonly at: Date; readonly message: string }

/** What a tap has done so far. */
export interface TapStats {
  /** Messages that came from the broker. */
  readonly received: number
  /** Events that were handed out. */
  readonly delivered: number
  /** Messages dropped here because nobody took them in time; exact. */
  readonly ringDropped: number
  /** Messages that could not be read as notifications. */
  readonly unreadable: number
  /** How often the tap was away. */
  readonly gaps: number
  /** Whether the queue in the broker has ever been seen at its limit. */
  readonly brokerMayHaveDropped: boolean
  /** What the tap's queue is bound to now. */
  readonly bindings: readonly { readonly exchange: string; readonly topics: readonly string[] }[]
  /** Exchanges that were looked for and are not there. */
  readonly missingExchanges: readonly string[]
  /** The broker in use, or last in use: `host:port`. */
  readonly server: string
  /** The name of the tap's queue; empty while it has none. */
  readonly queue: string
}

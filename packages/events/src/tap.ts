import type { HermodError } from '@hermod/kernel'
import type { NotificationEvent } from '@hermod/openstack'
import type { TapStats, TapStatus } from './tap-status.ts'

/** Why a tap ended; without an error it was closed here. */
export interface TapEnd {
  readonly error?: HermodError | undefined
}

/** Handles one event; the next one waits for what it returns. */
export type EventHandler = (event: NotificationEvent) => void | Promise<void>

/**
 * A live copy of the notifications on a broker, which disturbs nobody who reads them otherwise.
 *
 * At most once: what is published while the tap is away, or faster than it is read, is not seen. Every such loss is
 * counted exactly or reported as possible, never silent. Order: as in the broker, for each exchange.
 */
export interface Tap extends AsyncIterable<NotificationEvent>, AsyncDisposable {
  /**
   * Calls `handler` for every event whose type matches, in order, one at a time. A tap is either iterated or has
   * handlers. What a handler throws is an uncaught exception.
   *
   * @param pattern a glob over the event type, see {@link compilePatterns}.
   * @returns a function that removes the handler.
   */
  on(pattern: string, handler: EventHandler): () => void
  /** Calls `listener` for everything that is not an event. @returns a function that removes it. */
  onStatus(listener: (status: TapStatus) => void): () => void
  /** What was done so far. */
  stats(): TapStats
  /** Ends the tap; its queue is gone when this resolves. Events that were received can still be taken. */
  close(): Promise<void>
  /** Resolves, and never rejects, when the tap is over for good. */
  readonly closed: Promise<TapEnd>
}

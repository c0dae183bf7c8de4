/** What makes a broker block publishers, and ends it again. */
export interface Pressure {
  /** Begins it, or, where publishing alone is to do so, nothing. */
  begin(): Promise<void>
  /** Ends it; resolves with the number of messages that it took from the queue for that. */
  end(queue: string): Promise<number>
}

/**
 * A client that plays: it publishes to its queue until it is told to stop, and goes on when it is told so. After each
 * message it asks for the queue, by its other connection: with no more than a few messages ahead of the broker, it is
 * not blocked again by those that were on their way.
 */
export type BlockedPlay = (url: string, pressure: Pressure) => Promise<readonly string[]>

/** How a client that is told of reasons says what happened to it, in this order. */
export const EXPECTED_IF_BLOCKED: readonly string[] = [
  'blocked: low on memory',
  // By another connection, meanwhile: it has published nothing, and is told nothing.
  'got first',
  'unblocked',
  'confirmed',
  // By the time that the queue is deleted: whatever was published, also while the connection was not read from.
  'nothing lost',
]

/** Of 1 KiB, so that it takes no long time to reach the limit of a broker with little memory. */
export const FILLING: Buffer = Buffer.alloc(1024)

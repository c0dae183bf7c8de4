/** What happened to the messages of a queue since it was declared. */
export interface QueueCounts {
  /** That came, also those that were refused. */
  published: number
  /** Handed to consumers and to basic.get, each time. */
  delivered: number
  /** Acknowledged, or delivered without a need to be. */
  settled: number
  /** Given back. */
  returned: number
  expired: number
  /** Dropped by a limit of length. */
  dropped: number
  /** Refused by a limit of length. */
  refused: number
}

export const noCounts = (): QueueCounts => ({
  published: 0,
  delivered: 0,
  settled: 0,
  returned: 0,
  expired: 0,
  dropped: 0,
  refused: 0,
})

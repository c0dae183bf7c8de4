import type { DriverStats } from '@hermod/messaging'

/** What a rabbit driver counts, since it was made. */
export interface DriverCounters extends DriverStats {
  /** Messages that the broker confirmed: requests, replies, signs of life, notifications. */
  sent: number
  /** Messages that were delivered, whatever became of them. */
  received: number
  duplicates: number
  refused: number
  unexpectedReplies: number
  lostReplies: number
  /** How often one of its connections broke. */
  disconnects: number
  /** Messages of which nobody knows whether the broker has them, because the connection broke before the confirm. */
  uncertain: number
  /** How often a reply was sent again because its caller's queue was missing. */
  replyRetries: number
  [counter: string]: number
}

export function newCounters(): DriverCounters {
  return {
    sent: 0,
    received: 0,
    duplicates: 0,
    refused: 0,
    unexpectedReplies: 0,
    lostReplies: 0,
    disconnects: 0,
    uncertain: 0,
    replyRetries: 0,
  }
}

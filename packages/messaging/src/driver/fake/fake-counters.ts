import type { DriverStats } from '../driver.ts'

/** What the fake driver counts. A connection cannot be lost, so `disconnects` stays 0. */
export interface FakeCounters extends DriverStats {
  sent: number
  received: number
  duplicates: number
  refused: number
  unexpectedReplies: number
  lostReplies: number
  /** Messages that a full queue gave up for one that this driver sent. */
  dropped: number
  /** Notifications that listeners refused for good: nothing keeps them. */
  rejected: number
}

/** Counters at nothing. */
export function createFakeCounters(): FakeCounters {
  return {
    sent: 0,
    received: 0,
    duplicates: 0,
    refused: 0,
    unexpectedReplies: 0,
    lostReplies: 0,
    disconnects: 0,
    dropped: 0,
    rejected: 0,
  }
}

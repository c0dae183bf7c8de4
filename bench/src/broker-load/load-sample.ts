import type { Sample } from '../jobs/job.ts'

/** What one load found. */
export interface LoadSample extends Sample {
  /** Of a backlog: what the broker's process held while all of it was there. */
  readonly memoryBytes?: number
  /** Of a backlog: until it was consumed and acked. */
  readonly drainSeconds?: number
}

/** One load, as a worker is told of it. */
export interface LoadJob {
  readonly mode: string
  readonly url: string
  /** Absent where the broker has no process of its own. */
  readonly brokerPid?: number
  readonly count: number
  readonly warmUpCount: number
  readonly bodySize: number
  readonly window: number
}

import type { Job, Sample, Task } from '../jobs/job.ts'

/** The sizes of a run on one broker. */
export interface RunSize {
  readonly count: number
  readonly warmUpCount: number
  readonly bodySize: number
}

/** The part of a job that the broker decides. */
export type BrokerShare = Pick<Job, 'url' | 'queue' | 'warmUpQueue' | 'brokerPid'>

/** A broker that the contestants run against. */
export interface BenchBroker extends AsyncDisposable {
  /** What it is, with its version. */
  readonly title: string
  /** Makes the queues of one run ready. */
  prepare(task: Task, size: RunSize): Promise<BrokerShare>
  /** Rejects unless every message of the run prepared last was confirmed and kept, or delivered and settled. */
  verify(task: Task, size: RunSize): Promise<void>
  /** What the broker can do at most, measured with as little client as possible; absent where nothing can tell. */
  measureCeiling?(task: Task, size: RunSize, window: number): Promise<Sample>
}

import type { Job, Sample } from '../jobs/job.ts'
import type { TaskKind } from '../jobs/task.ts'

/** The brokers that can be measured against. */
export const BROKERS = ['null', 'rabbitmq'] as const

/** One of {@link BROKERS}. */
export type BrokerName = (typeof BROKERS)[number]

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
  readonly name: BrokerName
  /** What it is, with its version. */
  readonly title: string
  /** What can be done with it. */
  readonly kinds: readonly TaskKind[]
  /** Makes ready what one run needs: its queues, for calls of AMQP itself the echo, for listeners what they handle. */
  prepare(kind: TaskKind, size: RunSize): Promise<BrokerShare>
  /** Rejects unless every message of the run prepared last was confirmed and kept, or delivered and settled. Those who
   * ran are gone by then. */
  verify(kind: TaskKind, size: RunSize): Promise<void>
  /** What the broker can do at most, measured with as little client as possible; absent where nothing can tell. */
  measureCeiling?(kind: TaskKind, size: RunSize, window: number): Promise<Sample>
}

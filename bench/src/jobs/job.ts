/** What is measured. */
export type Task = 'publish' | 'consume'

/** Every task, in the order in which they run. */
export const TASKS: readonly Task[] = ['publish', 'consume']

/** One measurement, done by one fresh process. */
export interface Job {
  readonly contestant: string
  readonly task: Task
  readonly url: string
  readonly queue: string
  readonly count: number
  /** A queue and a number of messages to warm the process up with, not measured. */
  readonly warmUpQueue: string
  readonly warmUpCount: number
  readonly bodySize: number
  /** Unconfirmed publishes, or the prefetch count. */
  readonly window: number
  /** The broker's process, when its CPU time can be read. */
  readonly brokerPid?: number
}

/** What one measurement found. */
export interface Sample {
  readonly messages: number
  readonly seconds: number
  readonly clientCpuSeconds: number
  readonly brokerCpuSeconds?: number
}

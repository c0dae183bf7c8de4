import type { Latency } from './job.ts'

/** A contestant that is connected, and does the work of its job as often as it is asked to. */
export interface JobRun {
  /** @returns how long calls took, where that is measured. */
  run(queue: string, count: number): Promise<Latency | undefined>
  close(): Promise<void>
}

import type { Task, TaskPlan } from './task.ts'

/** One measurement, done by one fresh process. */
export interface Job extends Pick<TaskPlan, 'kind' | 'window'> {
  readonly contestant: string
  readonly task: Task
  readonly url: string
  /** A queue; for remote calls and notifications a topic. */
  readonly queue: string
  readonly count: number
  /** A queue or topic and a number of messages to warm the process up with, not measured. */
  readonly warmUpQueue: string
  readonly warmUpCount: number
  readonly bodySize: number
  /** Where to write a CPU profile of the timed section, if one is wanted; only in Node. */
  readonly profileFile?: string
  /** The broker's process, when its CPU time can be read. */
  readonly brokerPid?: number
  /** The process that answers calls and takes casts, where the task has one. */
  readonly serverPid?: number
}

/** What one measurement found. */
export interface Sample {
  /** Messages, or calls. */
  readonly messages: number
  readonly seconds: number
  readonly clientCpuSeconds: number
  readonly brokerCpuSeconds?: number
  readonly serverCpuSeconds?: number
  /** How long calls took, where that is measured. */
  readonly latencyMs?: Latency
}

/** Of all calls of a run, by the nearest rank. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

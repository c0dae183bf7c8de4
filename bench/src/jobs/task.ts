/** What is measured. */
export type Task = 'publish' | 'one-by-one' | 'consume' | 'rpc' | 'rpc-64'

/** What the clients do in a task: publish with confirms, consume and ack, or call an echo. */
export type TaskKind = 'publish' | 'consume' | 'call'

/** How a task is done and shown. */
export interface TaskPlan {
  readonly kind: TaskKind
  /** Unconfirmed publishes, deliveries unacked, or calls without a reply at once. */
  readonly window: number
  readonly title: string
  readonly unit: 'messages' | 'calls'
}

/** Every task, in the order in which they run. */
export const TASK_PLANS: Readonly<Record<Task, TaskPlan>> = {
  publish: {
    kind: 'publish',
    window: 500,
    title: 'publish, each confirmed, 500 in flight',
    unit: 'messages',
  },
  'one-by-one': {
    kind: 'publish',
    window: 1,
    title: 'publish one by one, each when the one before is confirmed',
    unit: 'messages',
  },
  consume: { kind: 'consume', window: 200, title: 'consume and ack, prefetch 200', unit: 'messages' },
  rpc: { kind: 'call', window: 1, title: 'calls one by one, answered by an echo', unit: 'calls' },
  'rpc-64': { kind: 'call', window: 64, title: 'calls, 64 in flight, answered by an echo', unit: 'calls' },
}

/** Every task, in the order in which they run. */
export const TASKS: readonly Task[] = Object.keys(TASK_PLANS) as Task[]

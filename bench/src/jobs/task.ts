import { isLoadTask, type LoadTask } from '../broker-load/load-task.ts'

/** What is measured. */
export type Task =
  | 'publish'
  | 'one-by-one'
  | 'consume'
  | 'rpc'
  | 'rpc-64'
  | 'oslo-call-1'
  | 'oslo-call-8'
  | 'oslo-call-32'
  | 'oslo-call-256'
  | 'oslo-cast'
  | 'notify'
  | 'listen'

/** What the AMQP clients do in a task: publish with confirms, consume and ack, or call an echo. */
export type AmqpKind = 'publish' | 'consume' | 'call'

/** What is done with a library for remote calls or notifications, or with a bare client in its place. */
type OsloKind = 'oslo-call' | 'oslo-cast' | 'notify' | 'listen'

/** What contestants do in a task. */
export type TaskKind = AmqpKind | OsloKind

/** How a task is done and shown. */
export interface TaskPlan {
  readonly kind: TaskKind
  /**
   * Unconfirmed publishes, deliveries unacked, calls without a reply, or casts and notifications not taken by the broker
   * at once. What a listener prefetches is left to it.
   */
  readonly window: number
  readonly title: string
  readonly unit: 'messages' | 'calls' | 'casts' | 'notifications'
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
  'oslo-call-1': { kind: 'oslo-call', window: 1, title: 'remote calls one by one', unit: 'calls' },
  'oslo-call-8': { kind: 'oslo-call', window: 8, title: 'remote calls, 8 in flight', unit: 'calls' },
  'oslo-call-32': { kind: 'oslo-call', window: 32, title: 'remote calls, 32 in flight', unit: 'calls' },
  'oslo-call-256': { kind: 'oslo-call', window: 256, title: 'remote calls, 256 in flight', unit: 'calls' },
  'oslo-cast': {
    kind: 'oslo-cast',
    window: 100,
    title: 'casts, 100 in flight, until the server has run the last',
    unit: 'casts',
  },
  notify: {
    kind: 'notify',
    window: 100,
    title: 'notifications emitted, 100 in flight',
    unit: 'notifications',
  },
  listen: { kind: 'listen', window: 100, title: 'notifications handled', unit: 'notifications' },
}

/** Every task, in the order in which they run. */
export const TASKS: readonly Task[] = Object.keys(TASK_PLANS) as Task[]

/** Every kind. */
export const TASK_KINDS: readonly TaskKind[] = [...new Set(TASKS.map((task) => TASK_PLANS[task].kind))]

/** The kinds of remote calls and notifications. */
export const OSLO_KINDS: readonly TaskKind[] = ['oslo-call', 'oslo-cast', 'notify', 'listen']

/** What is measured in one run and shown on one page. */
export type Floor = ClientFloor | 'broker'

/** A floor on which clients are compared. */
export type ClientFloor = 'amqp' | 'messaging'

/** Every floor, in the order in which they are measured. */
export const FLOORS: readonly Floor[] = ['amqp', 'messaging', 'broker']

/** Those on which clients are compared. */
export const CLIENT_FLOORS: readonly ClientFloor[] = ['amqp', 'messaging']

/** The floor that a task measures. */
export function floorOf(task: Task | LoadTask): Floor {
  return isLoadTask(task) ? 'broker' : clientFloorOf(task)
}

/** The floor that a task of clients measures. */
export function clientFloorOf(task: Task): ClientFloor {
  return OSLO_KINDS.includes(TASK_PLANS[task].kind) ? 'messaging' : 'amqp'
}

import { fileURLToPath } from 'node:url'
import { OSLO_KINDS, TASKS, TASK_PLANS, type Task, type TaskKind } from '../jobs/task.ts'
import type { Contestant } from './contestant.ts'
import type { OsloContestant } from './oslo-contestant.ts'

/** One row of the tables. */
export type RosterEntry = NodeEntry | PythonEntry

/** A client that runs in Node. */
interface NodeEntry {
  readonly name: string
  readonly runtime: 'node'
  /** The npm package whose version is reported. */
  readonly package: string
  /** Loads the library; each is loaded only in the process that measures it. Absent: no part in the tasks of AMQP itself. */
  load?(): Promise<{ readonly contestant: Contestant }>
  /** The same for remote calls, and where `notifies`, for notifications. */
  loadOslo?(): Promise<{ readonly contestant: OsloContestant }>
  readonly notifies?: true
}

/** A client that is a Python program: its only argument is the job as JSON, and it prints the sample as JSON. */
interface PythonEntry {
  readonly name: string
  readonly runtime: 'python'
  readonly program: string
  /** What answers its calls; its only argument is a ServerPlan as JSON. */
  readonly serverProgram?: string
  readonly kinds: readonly TaskKind[]
  /** The modules that it imports; their versions are reported. */
  readonly modules: readonly string[]
}

/** The first of the roster, which the others are compared with. */
export const OURS = 'hermod'

/** The only AMQP client that is no Node library. */
export const KOMBU = 'kombu'

/** What Hermod's remote calls and notifications are compared with. */
export const OSLO = 'oslo.messaging'

/** Remote calls as small as they can be made on a client: nothing is confirmed. */
export const BARE: readonly string[] = ['amqplib', 'cloudamqp']

/** The same with requests and replies confirmed and mandatory. */
export const GUARANTEED: readonly string[] = ['amqplib+confirms', 'cloudamqp+confirms']

/** Who takes part. */
export const ROSTER: readonly RosterEntry[] = [
  {
    name: OURS,
    runtime: 'node',
    package: '@hermod/amqp',
    load: () => import('./hermod.ts'),
    loadOslo: () => import('./hermod-oslo.ts'),
    notifies: true,
  },
  {
    name: 'amqplib',
    runtime: 'node',
    package: 'amqplib',
    load: () => import('./amqplib.ts'),
    loadOslo: async () => ({ contestant: (await import('./amqplib-rpc.ts')).bare }),
  },
  {
    name: 'rabbitmq-client',
    runtime: 'node',
    package: 'rabbitmq-client',
    load: () => import('./rabbitmq-client.ts'),
  },
  {
    name: 'cloudamqp',
    runtime: 'node',
    package: '@cloudamqp/amqp-client',
    load: () => import('./cloudamqp.ts'),
    loadOslo: async () => ({ contestant: (await import('./cloudamqp-rpc.ts')).bare }),
  },
  {
    name: 'amqplib+confirms',
    runtime: 'node',
    package: 'amqplib',
    loadOslo: async () => ({ contestant: (await import('./amqplib-rpc.ts')).guaranteed }),
  },
  {
    name: 'cloudamqp+confirms',
    runtime: 'node',
    package: '@cloudamqp/amqp-client',
    loadOslo: async () => ({ contestant: (await import('./cloudamqp-rpc.ts')).guaranteed }),
  },
  {
    name: KOMBU,
    runtime: 'python',
    program: fileURLToPath(new URL('../../kombu/kombu_job.py', import.meta.url)),
    kinds: ['publish', 'consume'],
    modules: ['kombu', 'amqp'],
  },
  {
    name: OSLO,
    runtime: 'python',
    program: fileURLToPath(new URL('../../oslo/oslo_job.py', import.meta.url)),
    serverProgram: fileURLToPath(new URL('../../oslo/oslo_server.py', import.meta.url)),
    kinds: OSLO_KINDS,
    modules: ['oslo_messaging', 'kombu', 'amqp'],
  },
]

/** The entry of this name. */
export function findEntry(name: string): RosterEntry {
  const entry = ROSTER.find((candidate) => candidate.name === name)
  if (entry === undefined) throw new Error(`no contestant is named '${name}'`)
  return entry
}

/** The tasks that a contestant takes part in. */
export function tasksOf(entry: RosterEntry): readonly Task[] {
  return TASKS.filter((task) => takesPart(entry, TASK_PLANS[task].kind))
}

function takesPart(entry: RosterEntry, kind: TaskKind): boolean {
  if (entry.runtime === 'python') return entry.kinds.includes(kind)
  if (!OSLO_KINDS.includes(kind)) return entry.load !== undefined
  const isCall = kind === 'oslo-call' || kind === 'oslo-cast'
  return entry.loadOslo !== undefined && (isCall || entry.notifies === true)
}

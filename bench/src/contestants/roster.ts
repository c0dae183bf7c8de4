import { fileURLToPath } from 'node:url'
import { TASKS, TASK_PLANS, type Task } from '../jobs/task.ts'
import type { Contestant } from './contestant.ts'

/** One row of the tables. */
export type RosterEntry = NodeEntry | PythonEntry

/** A client that runs in Node. */
interface NodeEntry {
  readonly name: string
  readonly runtime: 'node'
  /** The npm package whose version is reported. */
  readonly package: string
  /** Loads the library; each is loaded only in the process that measures it. */
  load(): Promise<{ readonly contestant: Contestant }>
}

/** A client that is a Python program: its only argument is the job as JSON, and it prints the sample as JSON. */
interface PythonEntry {
  readonly name: string
  readonly runtime: 'python'
  readonly program: string
  /** The modules that it imports; their versions are reported. */
  readonly modules: readonly string[]
}

/** The first of the roster, which the others are compared with. */
export const OURS = 'hermod'

/** The only client that is no Node library. */
export const KOMBU = 'kombu'

/** Who takes part. */
export const ROSTER: readonly RosterEntry[] = [
  { name: OURS, runtime: 'node', package: '@hermod/amqp', load: () => import('./hermod.ts') },
  { name: 'amqplib', runtime: 'node', package: 'amqplib', load: () => import('./amqplib.ts') },
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
  },
  {
    name: KOMBU,
    runtime: 'python',
    program: fileURLToPath(new URL('../../kombu/kombu_job.py', import.meta.url)),
    modules: ['kombu', 'amqp'],
  },
]

/** The entry of this name. */
export function findEntry(name: string): RosterEntry {
  const entry = ROSTER.find((candidate) => candidate.name === name)
  if (entry === undefined) throw new Error(`no contestant is named '${name}'`)
  return entry
}

/** The tasks that a contestant takes part in. */
export function tasksOf({ runtime }: RosterEntry): readonly Task[] {
  return runtime === 'node' ? TASKS : TASKS.filter((task) => TASK_PLANS[task].kind !== 'call')
}

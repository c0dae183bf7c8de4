import type { BenchBroker, BrokerName, RunSize } from './brokers/bench-broker.ts'
import { KOMBU, OSLO } from './contestants/roster.ts'
import { TASK_PLANS, type Task } from './jobs/task.ts'

const BODY_SIZE = 1024

/**
 * RabbitMQ is slower than every client, so that fewer messages take as long. The warm-up is long enough that hot code
 * is compiled before the clock starts: with 5 000 messages, compiling was a fifth of what consuming 60 000 cost Hermod.
 */
const COUNTS: Readonly<
  Record<BrokerName, Readonly<Partial<Record<Task, Pick<RunSize, 'count' | 'warmUpCount'>>>>>
> = {
  null: {
    publish: { count: 150_000, warmUpCount: 20_000 },
    'one-by-one': { count: 12_000, warmUpCount: 3_000 },
    consume: { count: 150_000, warmUpCount: 20_000 },
    rpc: { count: 12_000, warmUpCount: 3_000 },
    'rpc-64': { count: 50_000, warmUpCount: 10_000 },
  },
  rabbitmq: {
    publish: { count: 50_000, warmUpCount: 10_000 },
    'one-by-one': { count: 3_000, warmUpCount: 3_000 },
    consume: { count: 40_000, warmUpCount: 15_000 },
    rpc: { count: 3_000, warmUpCount: 2_000 },
    'rpc-64': { count: 20_000, warmUpCount: 5_000 },
    'oslo-call-1': { count: 2_000, warmUpCount: 2_000 },
    'oslo-call-8': { count: 6_000, warmUpCount: 3_000 },
    'oslo-call-32': { count: 16_000, warmUpCount: 6_000 },
    'oslo-call-256': { count: 20_000, warmUpCount: 8_000 },
    'oslo-cast': { count: 20_000, warmUpCount: 8_000 },
    notify: { count: 20_000, warmUpCount: 8_000 },
    listen: { count: 30_000, warmUpCount: 10_000 },
  },
}
const QUICK_DIVISOR = 4

/** Python's libraries need about ten times as long for a message wherever others have several under way. */
const PYTHON_DIVISOR = 10

/** What is to be run where. */
export interface SizedRun {
  readonly broker: Pick<BenchBroker, 'name'>
  readonly task: Task
  readonly quick: boolean
}

/** How much one run does; `contestant` may be one that is given less, so that it takes as long as the others. */
export function runSize({ broker, task, quick }: SizedRun, contestant?: string): RunSize {
  const size = COUNTS[broker.name][task]
  if (size === undefined) throw new TypeError(`the ${broker.name} broker has no ${task}`)
  const { count, warmUpCount } = size
  const isPython = contestant === KOMBU || contestant === OSLO
  const less = isPython && TASK_PLANS[task].window > 1 ? PYTHON_DIVISOR : 1
  return {
    count: count / less / (quick ? QUICK_DIVISOR : 1),
    warmUpCount: warmUpCount / less,
    bodySize: BODY_SIZE,
  }
}

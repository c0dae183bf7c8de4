import type { BenchBroker, BrokerName, RunSize } from './brokers/bench-broker.ts'
import { KOMBU } from './contestants/roster.ts'
import { TASK_PLANS, type Task } from './jobs/task.ts'

const BODY_SIZE = 1024

/**
 * RabbitMQ is slower than every client, so that fewer messages take as long. The warm-up is long enough that hot code
 * is compiled before the clock starts: with 5 000 messages, compiling was a fifth of what consuming 60 000 cost Hermod.
 */
const COUNTS: Readonly<Record<BrokerName, Readonly<Record<Task, Pick<RunSize, 'count' | 'warmUpCount'>>>>> = {
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
  },
}
const QUICK_DIVISOR = 4

/** kombu needs about ten times as long for a message wherever others have several under way. */
const KOMBU_DIVISOR = 10

/** What is to be run where. */
export interface SizedRun {
  readonly broker: Pick<BenchBroker, 'name'>
  readonly task: Task
  readonly quick: boolean
}

/** How much one run does; `contestant` may be one that is given less, so that it takes as long as the others. */
export function runSize({ broker, task, quick }: SizedRun, contestant?: string): RunSize {
  const { count, warmUpCount } = COUNTS[broker.name][task]
  const less = contestant === KOMBU && TASK_PLANS[task].window > 1 ? KOMBU_DIVISOR : 1
  return {
    count: count / less / (quick ? QUICK_DIVISOR : 1),
    warmUpCount: warmUpCount / less,
    bodySize: BODY_SIZE,
  }
}

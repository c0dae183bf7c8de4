import { spreadOf } from '../report/spread.ts'
import type { LoadSample } from './load-sample.ts'
import { LOAD_PLANS, type LoadTask } from './load-task.ts'
import type { LoadedBrokerName } from './loaded-broker-name.ts'
import { startLoadedBroker, type LoadedBroker } from './loaded-broker.ts'
import { buildLoad, runLoad } from './run-load.ts'

/** A backlog takes minutes to build and to empty: no more rounds than this. */
const FRESH_ROUNDS = 3

/** The half of RabbitMQ's top rate is what both brokers carry where latency is measured. */
const PACE = 0.5

/** Loads that are compared with each other, and not only on two brokers: their rounds take turns. */
const COMPARED: ReadonlySet<LoadTask> = new Set(['broker-topic-1', 'broker-topic-10', 'broker-topic-10000'])

/** What is measured, and how. */
export interface LoadTournamentPlan {
  readonly tasks: readonly LoadTask[]
  readonly brokers: readonly LoadedBrokerName[]
  readonly rounds: number
  readonly quick: boolean
  readonly onProgress: (line: string) => void
}

/** Every counted sample of one load. */
export interface LoadStanding {
  readonly task: LoadTask
  readonly samples: ReadonlyMap<LoadedBrokerName, readonly LoadSample[]>
  /** Messages a second that were sent, where the load is paced. */
  readonly rate?: number
}

/** What a tournament found. */
export interface LoadOutcome {
  readonly standings: readonly LoadStanding[]
  /** The brokers with their versions. */
  readonly brokerTitles: readonly string[]
}

/**
 * Puts every load on every broker, turn by turn, so that what else the machine does falls on both; the first round warms
 * up and is dropped. The brokers live through all of it, but for loads that need fresh ones. Rejects when a load fails.
 */
export async function runLoadTournament(plan: LoadTournamentPlan): Promise<LoadOutcome> {
  const program = await buildLoad()
  const standings: LoadStanding[] = []
  const brokers: LoadedBroker[] = []
  try {
    for (const name of plan.brokers) brokers.push(await startLoadedBroker(name))
    const alone = plan.tasks.filter((task) => !COMPARED.has(task)).map((task) => [task])
    for (const tasks of [...alone, plan.tasks.filter((task) => COMPARED.has(task))]) {
      const isPaced = tasks.some((task) => LOAD_PLANS[task].isPaced)
      const rate = isPaced ? await paceOf(plan, program, brokers, standings) : undefined
      standings.push(...(await runTasks(plan, program, brokers, tasks, rate)))
    }
  } finally {
    for (const broker of brokers) await broker[Symbol.asyncDispose]()
  }
  standings.sort((one, other) => plan.tasks.indexOf(one.task) - plan.tasks.indexOf(other.task))
  return { standings, brokerTitles: brokers.map(({ title }) => title) }
}

/** Round by round, each task on each broker. */
async function runTasks(
  plan: LoadTournamentPlan,
  program: string,
  brokers: readonly LoadedBroker[],
  tasks: readonly LoadTask[],
  rate: number | undefined,
): Promise<readonly LoadStanding[]> {
  const standings = tasks.map((task) => ({
    task,
    samples: new Map<LoadedBrokerName, LoadSample[]>(brokers.map(({ name }) => [name, []])),
    ...(rate !== undefined && { rate }),
  }))
  const isFresh = tasks.some((task) => LOAD_PLANS[task].isFresh)
  const [first, last] = isFresh ? [1, Math.min(plan.rounds, FRESH_ROUNDS)] : [0, plan.rounds]
  for (let round = first; round <= last; round++) {
    for (const { task, samples } of standings) {
      for (const broker of round % 2 === 0 ? brokers : brokers.toReversed()) {
        const sample = await runOnce(plan, program, broker, task, rate)
        if (round > 0) samples.get(broker.name)?.push(sample)
        const shown = Math.round(sample.messages / sample.seconds).toLocaleString('en')
        plan.onProgress(`${task}, round ${round || 'dropped'}: ${broker.name} ${shown}/s`)
      }
    }
  }
  return standings
}

async function runOnce(
  { quick }: LoadTournamentPlan,
  program: string,
  broker: LoadedBroker,
  task: LoadTask,
  rate: number | undefined,
): Promise<LoadSample> {
  const run = { task, quick, ...(rate !== undefined && { rate }) }
  if (!LOAD_PLANS[task].isFresh) return runLoad(program, { ...run, broker })
  await using fresh = await startLoadedBroker(broker.name)
  return await runLoad(program, { ...run, broker: fresh })
}

/** Half of what RabbitMQ reached in this run; of the slower broker where RabbitMQ takes no part. */
async function paceOf(
  plan: LoadTournamentPlan,
  program: string,
  brokers: readonly LoadedBroker[],
  standings: readonly LoadStanding[],
): Promise<number> {
  const [reference] = brokers
  if (reference === undefined) throw new TypeError('no broker to measure')
  const known = standings.find(({ task }) => task === 'broker-flow')?.samples.get(reference.name)
  const samples = known ?? [await runOnce(plan, program, reference, 'broker-flow', undefined)]
  return Math.round(PACE * spreadOf(samples.map(({ messages, seconds }) => messages / seconds)).median)
}

import type { BenchBroker, BrokerName, RunSize } from './brokers/bench-broker.ts'
import type { Job, Sample } from './jobs/job.ts'
import { JobServer } from './jobs/job-server.ts'
import { runJob } from './jobs/run-job.ts'
import { TASK_PLANS, type Task } from './jobs/task.ts'
import { runSize } from './run-size.ts'

/** The name under which the broker's own ceiling appears among the contestants. */
export const CEILING = 'C driver (ceiling)'

/** With a window, the ceiling is measured with so many times the messages: it needs no tenth of the time. */
const CEILING_FACTOR = 5

/** Every counted sample of one task on one broker. */
export interface Standing {
  readonly broker: BrokerName
  /** The broker with its version. */
  readonly brokerTitle: string
  readonly task: Task
  readonly bodySize: number
  /** By contestant, in the order of the roster. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>
}

/** Where to write CPU profiles, where they are wanted. */
export interface ProfileFiles {
  readonly clientProfile?: string
  /** Of the whole life of the process that answers calls. */
  readonly serverProfile?: string
}

/** One task on one broker. */
export interface TournamentPlan {
  readonly broker: BenchBroker
  readonly task: Task
  readonly quick: boolean
  readonly contestants: readonly string[]
  readonly rounds: number
  readonly onProgress: (line: string) => void
}

/**
 * Runs every contestant once a round, each round beginning with the next one, so that what else the machine
 * does falls on all of them. The first round warms the machine up and is dropped. Rejects when a contestant
 * does not finish or a message is missing.
 */
export async function runTournament(plan: TournamentPlan): Promise<Standing> {
  const { broker, task, contestants, rounds, onProgress } = plan
  const entrants = broker.measureCeiling === undefined ? contestants : [...contestants, CEILING]
  const samples = new Map<string, Sample[]>(entrants.map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const first = round % entrants.length
    for (const name of [...entrants.slice(first), ...entrants.slice(0, first)]) {
      const sample = await runOnce(plan, name)
      if (round > 0) samples.get(name)?.push(sample)
      const rate = Math.round(sample.messages / sample.seconds).toLocaleString('en')
      onProgress(`${broker.title}, ${task}, round ${round || 'dropped'}: ${name} ${rate}/s`)
    }
  }
  const { bodySize } = runSize(plan)
  return { broker: broker.name, brokerTitle: broker.title, task, bodySize, samples }
}

async function runOnce(plan: TournamentPlan, name: string): Promise<Sample> {
  const { broker, task } = plan
  if (name !== CEILING) return runContestant(plan, name, runSize(plan, name))
  if (broker.measureCeiling === undefined) throw new TypeError('the broker has no ceiling')
  const { kind, window } = TASK_PLANS[task]
  const size = runSize(plan)
  const count = window === 1 ? size.count : size.count * CEILING_FACTOR
  return broker.measureCeiling(kind, { ...size, count }, window)
}

/** Runs one contestant once and checks what the broker has of it. */
export async function runContestant(
  { broker, task }: Pick<TournamentPlan, 'broker' | 'task'>,
  contestant: string,
  size: RunSize,
  profiles: ProfileFiles = {},
): Promise<Sample> {
  const { kind, window } = TASK_PLANS[task]
  const { clientProfile, serverProfile } = profiles
  const share = await broker.prepare(kind, size)
  const job: Job = {
    ...share,
    ...size,
    contestant,
    task,
    kind,
    window,
    ...(clientProfile !== undefined && { profileFile: clientProfile }),
  }
  const sample = await (kind === 'oslo-call' || kind === 'oslo-cast'
    ? runWithServer(job, serverProfile)
    : runJob(job))
  await broker.verify(kind, size)
  return sample
}

async function runWithServer(job: Job, profileFile: string | undefined): Promise<Sample> {
  const { contestant, url, queue: topic } = job
  await using server = await JobServer.start({
    contestant,
    url,
    topic,
    ...(profileFile !== undefined && { profileFile }),
  })
  return await runJob({ ...job, ...(server.pid !== undefined && { serverPid: server.pid }) })
}

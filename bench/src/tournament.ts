import type { BenchBroker, RunSize } from './brokers/bench-broker.ts'
import type { Sample, Task } from './jobs/job.ts'
import { runJob } from './jobs/run-job.ts'

/** The name under which the broker's own ceiling appears among the contestants. */
export const CEILING = 'C driver (ceiling)'

/** Unconfirmed publishes at once, and deliveries unacked at once. */
export const WINDOWS: Readonly<Record<Task, number>> = { publish: 500, consume: 200 }

/** How many times as many messages as a contestant the ceiling is measured with: it needs no tenth of the time. */
const CEILING_FACTOR = 5

/** Every counted sample of one task on one broker. */
export interface Standing {
  readonly broker: string
  readonly task: Task
  readonly size: RunSize
  /** By contestant, in the order of the roster. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>
}

/** One task on one broker. */
export interface TournamentPlan {
  readonly broker: BenchBroker
  readonly task: Task
  readonly size: RunSize
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
  const { broker, task, size, contestants, rounds, onProgress } = plan
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
  return { broker: broker.title, task, size, samples }
}

async function runOnce({ broker, task, size }: TournamentPlan, name: string): Promise<Sample> {
  const window = WINDOWS[task]
  if (name === CEILING && broker.measureCeiling !== undefined)
    return broker.measureCeiling(task, { ...size, count: size.count * CEILING_FACTOR }, window)
  const share = await broker.prepare(task, size)
  const sample = await runJob({ ...share, ...size, contestant: name, task, window })
  await broker.verify(task, size)
  return sample
}

import type { BrokerName } from '../brokers/bench-broker.ts'
import { BARE, GUARANTEED, KOMBU, OSLO, OURS } from '../contestants/roster.ts'
import type { Task } from '../jobs/task.ts'
import type { StartupTimes } from '../startup.ts'
import { CEILING, type Standing } from '../tournament.ts'
import { librariesOf, rowsOf, type Row } from './standing-table.ts'

/** What Hermod's medians should reach in one task, compared with others of the same run. */
interface Goal {
  readonly broker: BrokerName
  readonly task: Task
  /** With the best rate and with the least client CPU among these; absent: among all libraries. */
  readonly against?: readonly string[]
  /** At least this many times the rate; absent: it is only to be shown. */
  readonly rate?: number
  /** At most this many times the client CPU. */
  readonly cpu?: number
  /** At most this many times the median latency. */
  readonly p50?: number
  /** Why it is not reached, once that has been found; shown when it is missed. */
  readonly missedBecause?: string
}

/** A median below this is slower, however wide the ranges are: a noisy run must not pass for a level one. */
const LEVEL_FROM = 0.95

/** "No slower" is a rate of 1; it alone allows for the spread, see {@link isLevel}. */
const NO_SLOWER = 1

/** RabbitMQ's reads and writes were counted at the client's socket, see "What bounds each figure". */
const SMALL_PIECES =
  'RabbitMQ hands deliveries over five to eight at a time, and each time is a turn of the event loop with a read and mostly a write, about 25 µs for each of these calls, while the client sleeps for four fifths of the time'

/** From profiles of both ends, and from timing the parts by themselves. */
const MORE_WORK =
  'client, server and broker share two cores, and a call of ours costs each of its ends about 42 µs where a bare one costs 27 to 31: the envelope, which is JSON in JSON, is 10 of them (writing 7, of which `JSON.stringify` of 1 KiB twice is 5; reading 3 to 4), and confirms and acks, which leave on another connection than the messages, are most of the rest; between runs the ratio moves from 0.8 to 0.9 at 32 in flight, from 0.7 to 0.85 at 256'

const GOALS: readonly Goal[] = [
  { broker: 'null', task: 'publish', rate: 4 },
  { broker: 'null', task: 'one-by-one', rate: NO_SLOWER },
  { broker: 'null', task: 'consume', rate: 4 },
  { broker: 'null', task: 'rpc', rate: NO_SLOWER },
  { broker: 'null', task: 'rpc-64', rate: NO_SLOWER },
  { broker: 'rabbitmq', task: 'publish', rate: 0.9, cpu: 0.6 },
  { broker: 'rabbitmq', task: 'one-by-one', rate: NO_SLOWER },
  { broker: 'rabbitmq', task: 'consume', rate: 1.25, cpu: 0.6, missedBecause: SMALL_PIECES },
  { broker: 'rabbitmq', task: 'rpc', rate: NO_SLOWER },
  { broker: 'rabbitmq', task: 'rpc-64', rate: NO_SLOWER },
  { broker: 'null', task: 'publish', against: [KOMBU], rate: 4, cpu: 0.1 },
  { broker: 'null', task: 'consume', against: [KOMBU], rate: 4, cpu: 0.1 },
  { broker: 'rabbitmq', task: 'publish', against: [KOMBU], rate: 4, cpu: 0.1 },
  {
    broker: 'rabbitmq',
    task: 'consume',
    against: [KOMBU],
    rate: 4,
    cpu: 0.1,
    missedBecause: `the broker delivers no more than this to any client; ${SMALL_PIECES}`,
  },
  { broker: 'rabbitmq', task: 'oslo-call-1', against: [OSLO], p50: 0.5 },
  { broker: 'rabbitmq', task: 'oslo-call-32', against: [OSLO], rate: 10 },
  { broker: 'rabbitmq', task: 'oslo-call-32', against: BARE, rate: NO_SLOWER, missedBecause: MORE_WORK },
  { broker: 'rabbitmq', task: 'oslo-call-256', against: BARE, rate: 0.8, missedBecause: MORE_WORK },
  { broker: 'rabbitmq', task: 'oslo-call-32', against: GUARANTEED },
  { broker: 'rabbitmq', task: 'oslo-call-256', against: GUARANTEED },
  { broker: 'rabbitmq', task: 'notify', against: [OSLO], rate: 6 },
  { broker: 'rabbitmq', task: 'listen', against: [OSLO], rate: 8, cpu: 0.1 },
]

/** The null broker can do at least this many times what the fastest client does, or it would be the limit. */
const CEILING_GOAL = 2
/** Where clients have only a few messages under way, both ends wait for the kernel instead. */
const CEILING_TASKS: readonly Task[] = ['publish', 'consume']
/** What `hermod --version` may add to a bare Node process. */
const STARTUP_GOAL_MS = 60

/** The goals that these measurements can judge, as Markdown blocks. */
export function judgeGoals(standings: readonly Standing[], startup: StartupTimes | undefined): string[] {
  const judged = GOALS.flatMap((goal) => {
    const standing = standings.find(({ broker, task }) => broker === goal.broker && task === goal.task)
    const verdict = standing === undefined ? undefined : judge(goal, rowsOf(standing))
    return verdict === undefined ? [] : [verdict]
  })
  const table = [
    '| broker | task | against | rate | goal | client CPU | goal | p50 | goal | verdict |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...judged.map(({ line }) => line),
  ]
  const missed = judged.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))
  const others = [
    ...standings.flatMap(judgeCeiling),
    ...(startup === undefined ? [] : [judgeStartup(startup)]),
  ]
  return [
    ...(judged.length > 0 ? [table.join('\n')] : []),
    ...(missed.length > 0 ? [missed.join('\n')] : []),
    ...(others.length > 0 ? [others.join('\n')] : []),
  ]
}

/** A line of the table, and where the goal is missed, why. */
interface Judgement {
  readonly line: string
  readonly reason?: string
}

function judge(goal: Goal, rows: readonly Row[]): Judgement | undefined {
  const ours = rows.find(({ name }) => name === OURS)
  const others = librariesOf(rows).filter(({ name }) => goal.against?.includes(name) ?? true)
  const fastest = others[0]
  const leanest = others.toSorted((a, b) => a.clientCpu.median - b.clientCpu.median)[0]
  if (ours === undefined || fastest === undefined || leanest === undefined) return undefined
  const rate = ours.rates.median / fastest.rates.median
  const cpu = ours.clientCpu.median / leanest.clientCpu.median
  const level = goal.rate === NO_SLOWER && rate >= LEVEL_FROM && isLevel(ours, fastest)
  const p50 = ours.p50 && fastest.p50 && ours.p50.median / fastest.p50.median
  const isFast = goal.rate === undefined || rate >= goal.rate
  const met = (isFast || level) && atMost(cpu, goal.cpu) && atMost(p50, goal.p50)
  const hasGoal = (goal.rate ?? goal.cpu ?? goal.p50) !== undefined
  const verdict = !hasGoal ? '–' : met ? (isFast ? 'met' : 'met: level within the spread') : '**missed**'
  const against = [...new Set([fastest.name, leanest.name])].join(' (rate), ')
  const cells = [
    goal.broker === 'null' ? 'null broker' : 'RabbitMQ',
    goal.task,
    against.includes(',') ? `${against} (CPU)` : against,
    times(rate),
    goal.rate === undefined ? '–' : `≥ ${goal.rate} ×`,
    times(cpu),
    goal.cpu === undefined ? '–' : `≤ ${goal.cpu} ×`,
    times(p50),
    goal.p50 === undefined ? '–' : `≤ ${goal.p50} ×`,
    verdict,
  ]
  const line = `| ${cells.join(' | ')} |`
  if (met) return { line }
  const because = goal.missedBecause ?? 'the reason has not been found yet'
  return {
    line,
    reason: `- Missed, ${cells.slice(0, 3).join(', ')}: ${because}. See [what bounds each figure](../README.md#what-bounds-each-figure).`,
  }
}

function atMost(ratio: number | undefined, goal: number | undefined): boolean {
  return goal === undefined || (ratio !== undefined && ratio <= goal)
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`
}

/** Whether two contestants cannot be told apart: the median of each lies within the range of the other. */
function isLevel({ rates: ours }: Row, { rates: theirs }: Row): boolean {
  return ours.median >= theirs.min && theirs.median <= ours.max
}

function judgeCeiling(standing: Standing): string[] {
  const rows = rowsOf(standing)
  const ceiling = rows.find(({ name }) => name === CEILING)
  const fastest = rows.find(({ name }) => name !== CEILING)
  if (!CEILING_TASKS.includes(standing.task) || ceiling === undefined || fastest === undefined) return []
  const ratio = ceiling.rates.median / fastest.rates.median
  return [
    `- ${standing.brokerTitle}, ${standing.task}: the broker's ceiling is ${ratio.toFixed(2)} × the fastest client ` +
      `(goal at least ${CEILING_GOAL} ×): ${ratio >= CEILING_GOAL ? 'met' : '**missed**'}`,
  ]
}

function judgeStartup({ hermodVersionMs, bareNodeMs }: StartupTimes): string {
  const addedMs = hermodVersionMs - bareNodeMs
  return (
    `- \`hermod --version\` adds ${addedMs.toFixed(0)} ms to \`node -e 0\` (${hermodVersionMs.toFixed(0)} ms and ` +
    `${bareNodeMs.toFixed(0)} ms, best of 10; goal at most ${STARTUP_GOAL_MS} ms): ${addedMs <= STARTUP_GOAL_MS ? 'met' : '**missed**'}`
  )
}

import { spreadOf } from '../report/spread.ts'
import type { LoadSample } from './load-sample.ts'
import { LOAD_BODY_SIZE, type LoadTask } from './load-task.ts'
import type { LoadStanding } from './load-tournament.ts'
import type { LoadedBrokerName } from './loaded-broker-name.ts'

/** What the embedded broker's median should be. */
interface LoadGoal {
  readonly task: LoadTask
  readonly what: string
  /** The figure that is judged, from medians; undefined where something that it needs was not measured. */
  readonly figure: (medians: Medians) => number | undefined
  readonly least?: number
  readonly most?: number
  readonly unit: string
  /** Why it is not reached, once that has been found; shown when it is missed. */
  readonly missedBecause?: string
}

/** The median of a figure of the samples of a task. */
type Medians = (
  task: LoadTask,
  broker: LoadedBrokerName,
  figureOf: (sample: LoadSample) => number | undefined,
) => number | undefined

const rate = ({ messages, seconds }: LoadSample): number => messages / seconds
const p99 = ({ latencyMs }: LoadSample): number | undefined => latencyMs?.p99
const memory = ({ memoryBytes, messages }: LoadSample): number | undefined =>
  memoryBytes === undefined ? undefined : memoryBytes / (messages * LOAD_BODY_SIZE)
const brokerCpu = ({ brokerCpuSeconds, messages }: LoadSample): number | undefined =>
  brokerCpuSeconds === undefined ? undefined : brokerCpuSeconds / messages

/** "Flat": ten thousand bindings may cost this much more than ten, which is what runs differ by. */
const FLAT = 1.15

const GOALS: readonly LoadGoal[] = [
  {
    task: 'broker-flow',
    what: "end to end, RabbitMQ's rate",
    figure: (of) => over(of('broker-flow', 'embedded', rate), of('broker-flow', 'rabbitmq', rate)),
    least: 4,
    unit: ' ×',
  },
  {
    task: 'broker-flow',
    what: 'end to end, messages/s',
    figure: (of) => of('broker-flow', 'embedded', rate),
    least: 100_000,
    unit: '',
  },
  {
    task: 'broker-latency',
    what: "p99 at half of RabbitMQ's top rate, RabbitMQ's",
    figure: (of) => over(of('broker-latency', 'embedded', p99), of('broker-latency', 'rabbitmq', p99)),
    most: 1,
    unit: ' ×',
  },
  {
    task: 'broker-backlog',
    what: "memory of the broker's whole process, bytes of the bodies",
    figure: (of) => of('broker-backlog', 'embedded', memory),
    most: 1.5,
    unit: ' ×',
  },
  {
    task: 'broker-topic-10000',
    what: "the broker's CPU for a message, that with 10 bindings",
    figure: (of) =>
      over(of('broker-topic-10000', 'embedded', brokerCpu), of('broker-topic-10', 'embedded', brokerCpu)),
    most: FLAT,
    unit: ' ×',
  },
  {
    task: 'broker-memory',
    what: '`memory://`, notifications/s of one thread',
    figure: (of) => of('broker-memory', 'embedded', rate),
    least: 27_000,
    unit: '',
  },
]

/** The goals that these measurements can judge, as Markdown. */
export function judgeLoads(standings: readonly LoadStanding[]): string {
  const medians: Medians = (task, broker, figureOf) => {
    const samples = standings.find((standing) => standing.task === task)?.samples.get(broker) ?? []
    const figures = samples.map(figureOf).filter((figure) => figure !== undefined)
    return figures.length === 0 ? undefined : spreadOf(figures).median
  }
  const judged = GOALS.flatMap((goal) => {
    const figure = goal.figure(medians)
    return figure === undefined ? [] : [judge(goal, figure)]
  })
  if (judged.length === 0) return ''
  const table = [
    '| task | what | reached | goal | verdict |',
    '| --- | --- | --- | --- | --- |',
    ...judged.map(({ line }) => line),
  ].join('\n')
  return [table, judged.flatMap(({ reason }) => (reason === undefined ? [] : [reason])).join('\n')]
    .filter((block) => block !== '')
    .join('\n\n')
}

function judge(goal: LoadGoal, figure: number): { readonly line: string; readonly reason?: string } {
  const { task, what, least, most, unit, missedBecause = 'the reason has not been found yet' } = goal
  const met = (least === undefined || figure >= least) && (most === undefined || figure <= most)
  const wanted = least === undefined ? `≤ ${shown(most ?? 0)}${unit}` : `≥ ${shown(least)}${unit}`
  const verdict = met ? 'met' : '**missed**'
  return {
    line: `| ${task} | ${what} | ${shown(figure)}${unit} | ${wanted} | ${verdict} |`,
    ...(!met && { reason: `- Missed, ${task}, ${what}: ${missedBecause}.` }),
  }
}

function shown(figure: number): string {
  return figure >= 1000 ? Math.round(figure).toLocaleString('en') : String(Number(figure.toFixed(2)))
}

function over(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

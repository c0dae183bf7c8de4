import { describeMachine } from '../report/machine.ts'
import { spreadOf, type Spread } from '../report/spread.ts'
import { judgeLoads } from './load-goals.ts'
import type { LoadSample } from './load-sample.ts'
import { LOAD_BODY_SIZE, LOAD_PLANS, type LoadTask } from './load-task.ts'
import type { LoadStanding } from './load-tournament.ts'
import type { LoadedBrokerName } from './loaded-broker-name.ts'

/** Everything that one run found about brokers. */
export interface LoadFindings {
  readonly command: string
  readonly date: Date
  readonly rounds: number
  readonly standings: readonly LoadStanding[]
  /** With versions. */
  readonly brokerTitles: readonly string[]
  /** What could not be measured, and why. */
  readonly leftOut: readonly string[]
}

/** The page of the floor `broker`. */
export function loadPage(findings: LoadFindings): string {
  const { standings, rounds, leftOut } = findings
  const goals = judgeLoads(standings)
  return `${[
    '# Results: the embedded broker',
    [
      `- Command: \`${findings.command}\``,
      `- Date: ${findings.date.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
      `- Machine: ${describeMachine()}`,
      `- Node ${process.version}`,
      `- Brokers: ${findings.brokerTitles.length === 0 ? 'none' : findings.brokerTitles.join('; ')}`,
    ].join('\n'),
    `Cells are medians of ${rounds} rounds (of the backlog 3) with the lowest and the highest in parentheses; the brokers take ` +
      'turns, and so do the loads on a topic exchange; one round before these is dropped. The ratio is to RabbitMQ. Bodies have ' +
      `${LOAD_BODY_SIZE.toLocaleString('en')} bytes, messages are transient. How it is measured, and what it does not show: ` +
      '[README.md](../README.md#brokers-under-load).',
    ...(goals === '' ? [] : ['## Goals', goals]),
    ...standings.flatMap((standing) => [heading(standing), table(standing)]),
    ...(leftOut.length > 0 ? ['## Left out', leftOut.map((line) => `- ${line}`).join('\n')] : []),
  ].join('\n\n')}\n`
}

function heading({ task, samples, rate }: LoadStanding): string {
  const { title, unit } = LOAD_PLANS[task]
  const counts = [...samples].flatMap(([name, [sample]]) =>
    sample === undefined ? [] : `${sample.messages.toLocaleString('en')} on ${shownName(task, name)}`,
  )
  const paced = rate === undefined ? '' : `, ${rate.toLocaleString('en')} a second`
  return `## ${title[0]?.toUpperCase()}${title.slice(1)}\n\n\`${task}\`: ${unit} a round: ${counts.join(', ')}${paced}.`
}

/** In one thread with its clients the embedded broker is reached by another name. */
function shownName(task: LoadTask, name: LoadedBrokerName): string {
  if (name === 'rabbitmq') return 'RabbitMQ'
  return LOAD_PLANS[task].program === 'messaging' ? '`memory://`' : 'embedded'
}

type Column = readonly [
  title: string,
  figureOf: (sample: LoadSample) => number | undefined,
  format: (value: number) => string,
]

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const hundredths = (value: number): string => value.toFixed(2)

const COLUMNS: readonly Column[] = [
  ['p50 ms', ({ latencyMs }) => latencyMs?.p50, hundredths],
  ['p99 ms', ({ latencyMs }) => latencyMs?.p99, hundredths],
  ['emptied, messages/s', ({ drainSeconds, messages }) => drainSeconds && messages / drainSeconds, whole],
  ['memory MiB', ({ memoryBytes }) => memoryBytes && memoryBytes / 2 ** 20, whole],
  [
    'memory / payload',
    ({ memoryBytes, messages }) => memoryBytes && memoryBytes / (messages * LOAD_BODY_SIZE),
    hundredths,
  ],
  [
    'load CPU s/100k',
    ({ clientCpuSeconds, messages }) => (clientCpuSeconds / messages) * 100_000,
    hundredths,
  ],
  [
    'broker CPU s/100k',
    ({ brokerCpuSeconds, messages }) =>
      brokerCpuSeconds === undefined ? undefined : (brokerCpuSeconds / messages) * 100_000,
    hundredths,
  ],
]

function table({ task, samples }: LoadStanding): string {
  const all = [...samples.values()].flat()
  const columns = COLUMNS.filter(([, figureOf]) => all.some((sample) => figureOf(sample) !== undefined))
  const base = ratesOf(samples.get('rabbitmq') ?? [])?.median
  const rows = [...samples].map(([name, taken]) => {
    const rates = ratesOf(taken)
    return [
      shownName(task, name),
      String(taken.length),
      cell(rates, whole),
      base === undefined || rates === undefined ? '–' : (rates.median / base).toFixed(2),
      ...columns.map(([, figureOf, format]) => cell(knownSpread(taken, figureOf), format)),
    ]
  })
  const titles = ['broker', 'n', `${LOAD_PLANS[task].unit}/s`, 'ratio', ...columns.map(([title]) => title)]
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function ratesOf(samples: readonly LoadSample[]): Spread | undefined {
  return knownSpread(samples, ({ messages, seconds }) => messages / seconds)
}

function knownSpread(
  samples: readonly LoadSample[],
  figureOf: (sample: LoadSample) => number | undefined,
): Spread | undefined {
  const figures = samples.map(figureOf).filter((figure) => figure !== undefined)
  return figures.length === 0 ? undefined : spreadOf(figures)
}

function cell(spread: Spread | undefined, format: (value: number) => string): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  return `${format(median)} (${format(min)}–${format(max)})`
}

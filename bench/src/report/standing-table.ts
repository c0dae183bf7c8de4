import { CEILING, type Standing } from '../tournament.ts'
import { OURS } from '../contestants/roster.ts'
import type { Sample } from '../jobs/job.ts'
import { TASK_PLANS } from '../jobs/task.ts'
import { spreadOf, type Spread } from './spread.ts'

/** What one contestant did in one task on one broker. */
export interface Row {
  readonly name: string
  /** How often it was measured. */
  readonly times: number
  /** Messages or calls a second. */
  readonly rates: Spread
  /** CPU seconds for 100 000 of them, of the client and of the broker where that could be read. */
  readonly clientCpu: Spread
  readonly brokerCpu: Spread | undefined
  /** Of the process that answers, where there is one that belongs to the contestant. */
  readonly serverCpu: Spread | undefined
  /** Milliseconds of one call, where that is measured. */
  readonly p50: Spread | undefined
  readonly p99: Spread | undefined
}

/** Every contestant's row, the fastest first; the ceiling is one of them. */
export function rowsOf({ samples }: Standing): readonly Row[] {
  return [...samples]
    .map(([name, taken]) => ({
      name,
      times: taken.length,
      rates: spreadOf(taken.map(({ messages, seconds }) => messages / seconds)),
      clientCpu: spreadOf(taken.map(({ messages, clientCpuSeconds }) => per100k(clientCpuSeconds, messages))),
      brokerCpu: knownSpread(taken, ({ brokerCpuSeconds, messages }) => per100k(brokerCpuSeconds, messages)),
      serverCpu: knownSpread(taken, ({ serverCpuSeconds, messages }) => per100k(serverCpuSeconds, messages)),
      p50: knownSpread(taken, ({ latencyMs }) => latencyMs?.p50),
      p99: knownSpread(taken, ({ latencyMs }) => latencyMs?.p99),
    }))
    .toSorted((a, b) => b.rates.median - a.rates.median)
}

/** The rows of the libraries that are not ours, the fastest first. */
export function librariesOf(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ name }) => name !== OURS && name !== CEILING)
}

/** Of the samples that have this figure. */
function knownSpread(
  samples: readonly Sample[],
  figureOf: (sample: Sample) => number | undefined,
): Spread | undefined {
  const numbers = samples.map(figureOf).filter((figure) => figure !== undefined)
  return numbers.length === 0 ? undefined : spreadOf(numbers)
}

function per100k(seconds: number, messages: number): number
function per100k(seconds: number | undefined, messages: number): number | undefined
function per100k(seconds: number | undefined, messages: number): number | undefined {
  return seconds === undefined ? undefined : (seconds / messages) * 100_000
}

/** One standing as a Markdown table, the fastest first. */
export function standingTable(standing: Standing): string {
  const rows = rowsOf(standing)
  const best = librariesOf(rows)[0]?.rates.median
  const columns: readonly Column[] = [
    ['client', ({ name }) => name],
    ['n', ({ times }) => String(times)],
    [`${TASK_PLANS[standing.task].unit}/s`, ({ rates }) => cell(rates, whole)],
    ['ratio', ({ rates }) => (best === undefined ? '–' : (rates.median / best).toFixed(2))],
    ...wherePresent(rows, 'p50 ms', ({ p50 }) => p50),
    ...wherePresent(rows, 'p99 ms', ({ p99 }) => p99),
    ['client CPU s/100k', ({ clientCpu }) => cell(clientCpu, hundredths)],
    ...wherePresent(rows, 'server CPU s/100k', ({ serverCpu }) => serverCpu),
    ['broker CPU s/100k', ({ brokerCpu }) => cell(brokerCpu, hundredths)],
  ]
  return [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...rows.map((row) => columns.map(([, textOf]) => textOf(row))),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** A title, and what stands under it. */
type Column = readonly [title: string, textOf: (row: Row) => string]

/** A column that only some tasks have. */
function wherePresent(
  rows: readonly Row[],
  title: string,
  spreadIn: (row: Row) => Spread | undefined,
): readonly Column[] {
  const isPresent = rows.some((row) => spreadIn(row) !== undefined)
  return isPresent ? [[title, (row) => cell(spreadIn(row), hundredths)]] : []
}

function cell(spread: Spread | undefined, format: (value: number) => string): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  return `${format(median)} (${format(min)}–${format(max)})`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function hundredths(value: number): string {
  return value.toFixed(2)
}

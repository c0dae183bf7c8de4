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
}

/** Every contestant's row, the fastest first; the ceiling is one of them. */
export function rowsOf({ samples }: Standing): readonly Row[] {
  return [...samples]
    .map(([name, taken]) => ({
      name,
      times: taken.length,
      rates: spreadOf(taken.map(({ messages, seconds }) => messages / seconds)),
      clientCpu: spreadOf(taken.map(({ messages, clientCpuSeconds }) => per100k(clientCpuSeconds, messages))),
      brokerCpu: brokerCpuOf(taken),
    }))
    .toSorted((a, b) => b.rates.median - a.rates.median)
}

/** The rows of the libraries that are not ours, the fastest first. */
export function librariesOf(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ name }) => name !== OURS && name !== CEILING)
}

function brokerCpuOf(samples: readonly Sample[]): Spread | undefined {
  const numbers = samples.flatMap(({ brokerCpuSeconds, messages }) =>
    brokerCpuSeconds === undefined ? [] : [per100k(brokerCpuSeconds, messages)],
  )
  return numbers.length === 0 ? undefined : spreadOf(numbers)
}

function per100k(seconds: number, messages: number): number {
  return (seconds / messages) * 100_000
}

/** One standing as a Markdown table, the fastest first. */
export function standingTable(standing: Standing): string {
  const rows = rowsOf(standing)
  const best = librariesOf(rows)[0]?.rates.median
  const lines = rows.map(({ name, times, rates, clientCpu, brokerCpu }) => {
    const ratio = best === undefined ? '–' : (rates.median / best).toFixed(2)
    const broker = brokerCpu === undefined ? '–' : cell(brokerCpu, hundredths)
    return `| ${name} | ${times} | ${cell(rates, whole)} | ${ratio} | ${cell(clientCpu, hundredths)} | ${broker} |`
  })
  return [
    `| client | n | ${TASK_PLANS[standing.task].unit}/s | ratio | client CPU s/100k | broker CPU s/100k |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

function cell({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function hundredths(value: number): string {
  return value.toFixed(2)
}

import { CEILING, type Standing } from '../tournament.ts'
import type { Sample } from '../jobs/job.ts'
import { spreadOf, type Spread } from './spread.ts'

/** Our own row; every other one but the ceiling is a library to compare with. */
export const OURS = 'hermod'

const ratesOf = (samples: readonly Sample[]): Spread =>
  spreadOf(samples.map(({ messages, seconds }) => messages / seconds))

/** The median rate of one contestant in messages a second, where it took part. */
export function medianRate(standing: Standing, name: string): number | undefined {
  const samples = standing.samples.get(name)
  return samples === undefined ? undefined : ratesOf(samples).median
}

/** The best median rate among the libraries that are not ours; 0 when none took part. */
export function bestLibraryRate(standing: Standing): number {
  const libraries = [...standing.samples.keys()].filter((name) => name !== OURS && name !== CEILING)
  return Math.max(0, ...libraries.map((name) => medianRate(standing, name) ?? 0))
}

/** One standing as a Markdown table, the fastest first. */
export function standingTable(standing: Standing): string {
  const best = bestLibraryRate(standing)
  const rows = [...standing.samples]
    .map(([name, samples]) => ({ name, samples, rates: ratesOf(samples) }))
    .toSorted((a, b) => b.rates.median - a.rates.median)
    .map(({ name, samples, rates }) => {
      const ratio = best === 0 ? '–' : (rates.median / best).toFixed(2)
      const client = cpuCell(samples, ({ clientCpuSeconds }) => clientCpuSeconds)
      const broker = cpuCell(samples, ({ brokerCpuSeconds }) => brokerCpuSeconds)
      return `| ${name} | ${samples.length} | ${cell(rates, whole)} | ${ratio} | ${client} | ${broker} |`
    })
  return [
    '| client | n | msgs/s | ratio | client CPU s/100k | broker CPU s/100k |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function cpuCell(samples: readonly Sample[], cpuOf: (sample: Sample) => number | undefined): string {
  const numbers = samples.flatMap((sample) => {
    const seconds = cpuOf(sample)
    return seconds === undefined ? [] : [(seconds / sample.messages) * 100_000]
  })
  return numbers.length === 0 ? '–' : cell(spreadOf(numbers), (value) => value.toFixed(2))
}

function cell({ median, min, max }: Spread, format: (value: number) => string): string {
  return `${format(median)} (${format(min)}–${format(max)})`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

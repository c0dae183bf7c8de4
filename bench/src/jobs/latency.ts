import type { Latency } from './job.ts'

/** The middle and the slow end of what was measured. */
export function latencyOf(tookMs: Float64Array): Latency {
  const sorted = tookMs.toSorted()
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
  return { p50: at(0.5), p99: at(0.99) }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** How durations are written on the command line; for error texts. */
export const DURATION_FORMS = 'a number with ms, s, m or h, for example 250ms, 5s, 10m or 2h'

/** Milliseconds of a duration such as `250ms`, `1.5s`, `10m` or `2h`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNIT_MS[match[2] as string]!
}

/** A duration for a narrow column: `850ms`, `12.4s`, `2m05s`, `3h12m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)}ms`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)}s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${twoDigits(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h${twoDigits(Math.floor((seconds % 3600) / 60))}m`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/** A duration within a sentence: `0.8 s`. */
export function formatSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`
}

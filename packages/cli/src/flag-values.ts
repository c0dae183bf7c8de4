import { DURATION_FORMS, parseDurationMs } from './duration.ts'

/** Commander's collector of flags that may be repeated or hold a comma-separated list. */
export function collectList(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), ...value.split(',').map((item) => item.trim())]
}

/** Commander's collector of flags that may be repeated and whose values may hold commas. */
export function collectValues(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}

/** A duration above zero; otherwise the problem goes to `issues`. */
export function durationOf(flag: string, text: string | undefined, issues: string[]): number | undefined {
  if (text === undefined) return undefined
  const durationMs = parseDurationMs(text)
  if (durationMs === undefined) issues.push(`${flag} '${text}' is not a duration; give ${DURATION_FORMS}`)
  else if (durationMs <= 0)
    issues.push(`${flag} '${text}' is no time at all; give more than 0, for example 5s`)
  return durationMs
}

/** A whole number from 1; otherwise the problem goes to `issues`. */
export function countOf(flag: string, text: string | undefined, issues: string[]): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  issues.push(`${flag} '${text}' is not a whole number from 1`)
  return undefined
}

/** One of a few words; otherwise the problem goes to `issues`. */
export function choiceOf<Word extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly Word[],
  issues: string[],
): Word | undefined {
  if (text === undefined) return undefined
  const word = allowed.find((candidate) => candidate === text)
  if (word === undefined) issues.push(`${flag} '${text}' is not one of ${allowed.join(', ')}`)
  return word
}

/** Names that may not be empty; the problems go to `issues`. */
export function namesOf(flag: string, names: readonly string[], issues: string[]): readonly string[] {
  if (names.includes(''))
    issues.push(`${flag} has an empty name; give one or more names, for example ${flag} nova`)
  return names
}

/** A number above zero, up to `most`; otherwise the problem goes to `issues`. */
export function rateOf(
  flag: string,
  text: string | undefined,
  most: number,
  issues: string[],
): number | undefined {
  if (text === undefined) return undefined
  const rate = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (rate > 0 && rate <= most) return rate
  issues.push(`${flag} '${text}' is not a number above 0 and up to ${most}`)
  return undefined
}

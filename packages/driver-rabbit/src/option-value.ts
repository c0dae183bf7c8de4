import type { RabbitOptionRule } from './rabbit-option-table.ts'

/** The value of an option. */
export type OptionValue = boolean | number | string | undefined

/** @source oslo.config types.py Boolean */
const TRUE = ['true', '1', 'on', 'yes']
const FALSE = ['false', '0', 'off', 'no']

const WHOLE = /^\s*[+-]?\d{1,15}\s*$/
const DECIMAL = /^\s*[+-]?(?:\d{1,15}\.?\d{0,15}|\.\d{1,15})(?:e[+-]?\d{1,2})?\s*$/i

/**
 * Reads an option as it is written in a conf file or a URL: in its own unit in, in milliseconds out.
 *
 * @param fail called with what is wrong, which completes a sentence that begins with the option's name.
 * @source oslo.config types.py Boolean, Integer, Float, String
 */
export function optionValue(
  rule: RabbitOptionRule,
  written: string,
  fail: (problem: string) => never,
): OptionValue {
  const { type, choices } = rule
  if (type === 'boolean') {
    const word = written.trim().toLowerCase()
    if (TRUE.includes(word)) return true
    return FALSE.includes(word) ? false : fail('is neither true nor false')
  }
  if (type === 'text') {
    if (choices === undefined) return written
    const choice = choices.find((candidate) => candidate.toLowerCase() === written.trim().toLowerCase())
    return choice ?? fail(`is none of ${choices.join(', ')}`)
  }
  const whole = type === 'integer'
  const readable = whole ? WHOLE : DECIMAL
  if (!readable.test(written)) return fail(`is no ${whole ? 'whole number' : 'number'}${unitText(rule)}`)
  const number = Number(written)
  return inRange(number, rule.min, rule.max) ? inMs(rule, number) : fail(rangeText(rule))
}

/** A value in the option's own unit as it is in ours. */
export function inMs({ unit }: RabbitOptionRule, value: number): number {
  return unit === 'seconds' ? Math.round(value * 1000) : value
}

/**
 * Says what is wrong with a value that a program gave, in our units; undefined when nothing is. Where an operator
 * must wait for a second at least, a program may wait for less.
 */
export function valueProblem(rule: RabbitOptionRule, value: unknown): string | undefined {
  const { type, choices, unit, min, max } = rule
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'is neither true nor false'
  if (type === 'text') {
    if (typeof value !== 'string') return 'is no text'
    return choices === undefined || choices.includes(value) ? undefined : `is none of ${choices.join(', ')}`
  }
  if (!Number.isSafeInteger(value)) return `is no whole number${unit === undefined ? '' : ' of milliseconds'}`
  const least = unit === undefined || min === undefined ? min : Math.min(min, 1)
  const most = unit === undefined || max === undefined ? max : max * 1000
  return inRange(value as number, least, most) ? undefined : rangeText({ min: least, max: most })
}

function inRange(value: number, min = -Infinity, max = Infinity): boolean {
  return value >= min && value <= max
}

function rangeText({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  if (max === undefined) return `is less than ${min}`
  return min === undefined ? `is more than ${max}` : `is not from ${min} to ${max}`
}

function unitText({ unit }: RabbitOptionRule): string {
  return unit === undefined ? '' : ` of ${unit}`
}

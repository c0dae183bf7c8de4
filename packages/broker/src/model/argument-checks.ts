import { preconditionFailed } from '../amqp-error.ts'
import { erlangString, erlangTerm } from './erlang-text.ts'
import { typeClass } from './field-equality.ts'
import type { Field, Fields } from './field.ts'

/** Says what is wrong with an argument, as RabbitMQ prints it; `undefined` when nothing is. */
export type ArgumentCheck = (field: Field, all: Fields) => string | undefined

/** @source rabbit_misc:check_expiry: about ten years */
const LONGEST_MS = 315_360_000_000

const unacceptable = (field: Field): string => `{unacceptable_type,${field.type}}`

export const integer: ArgumentCheck = (field) =>
  typeClass(field.type) === 'int' && field.type !== 'decimal'
    ? undefined
    : erlangString(`expected integer, got ${field.type}`)

const numeric = (field: Field): number => Number(field.value)

export const nonNegative: ArgumentCheck = (field, all) =>
  integer(field, all) ?? (numeric(field) < 0 ? `{value_negative,${erlangTerm(field)}}` : undefined)

export const atMost =
  (highest: number): ArgumentCheck =>
  (field, all) =>
    nonNegative(field, all) ??
    (numeric(field) > highest ? `{max_value_exceeded,${erlangTerm(field)}}` : undefined)

export const positive: ArgumentCheck = (field, all) =>
  nonNegative(field, all) ?? (numeric(field) === 0 ? `{value_zero,${erlangTerm(field)}}` : undefined)

const duration: ArgumentCheck = (field) => {
  if (numeric(field) < 0) return `{value_negative,${erlangTerm(field)}}`
  return numeric(field) > LONGEST_MS ? `{value_too_large,${erlangTerm(field)}}` : undefined
}

export const timeToLive: ArgumentCheck = (field, all) => integer(field, all) ?? duration(field, all)

export const lease: ArgumentCheck = (field, all) =>
  integer(field, all) ?? (numeric(field) === 0 ? `{value_zero,${erlangTerm(field)}}` : duration(field, all))

export const bool: ArgumentCheck = (field) => (field.type === 'bool' ? undefined : unacceptable(field))

export const text: ArgumentCheck = (field) => (field.type === 'longstr' ? undefined : unacceptable(field))

/** The wire has 255 bytes for a routing key: RabbitMQ ends whoever is given a letter with more. */
const LONGEST_KEY = 255

export const routingKey: ArgumentCheck = (field, all) =>
  text(field, all) ??
  ((field.value as string).length > LONGEST_KEY
    ? `{value_too_long,${(field.value as string).length}}`
    : undefined)

export const oneOf =
  (values: readonly string[], otherwise: (value: string) => string): ArgumentCheck =>
  (field, all) =>
    text(field, all) ??
    (values.includes(field.value as string) ? undefined : otherwise(field.value as string))

/** Holds the arguments that are there to their checks, in this order. @throws {AmqpError} 406 */
export function checkValues(
  resource: string,
  args: Fields,
  checks: ReadonlyMap<string, ArgumentCheck>,
  known: ReadonlySet<string>,
): void {
  if (args.size === 0) return
  for (const [key, check] of checks) {
    const field = known.has(key) ? args.get(key) : undefined
    const problem = field === undefined ? undefined : check(field, args)
    if (problem !== undefined) throw preconditionFailed(`invalid arg '${key}' for ${resource}: ${problem}`)
  }
}

/** Refuses arguments that some other type of queue has. @throws {AmqpError} 406 */
export function checkNames(
  resource: string,
  args: Fields,
  queueType: string,
  foreign: (key: string) => boolean,
): void {
  for (const key of args.keys()) {
    if (foreign(key)) {
      throw preconditionFailed(`invalid arg '${key}' for ${resource} of queue type rabbit_${queueType}_queue`)
    }
  }
}

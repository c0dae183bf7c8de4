import { preconditionFailed, type AmqpError } from '../amqp-error.ts'
import { erlangTerm } from './erlang-text.ts'
import type { Field, Fields } from './field.ts'
import { sameData, sameField, typeClass } from './field-equality.ts'

/*
 * Whether a declaration may name what is there already (rabbit_misc:assert_args_equivalence and
 * assert_field_equivalence).
 */

const refuse = (key: string, resource: string, received: string, current: string): AmqpError =>
  preconditionFailed(
    `inequivalent arg '${key}' for ${resource}: received ${received} but current is ${current}`,
  )

/** Compares a property such as `durable`. @throws {AmqpError} 406 */
export function assertSameProperty(
  key: string,
  resource: string,
  current: boolean | string,
  received: boolean | string,
): void {
  if (current !== received) throw refuse(key, resource, `'${received}'`, `'${current}'`)
}

/** Compares the arguments that are known; the others never make a difference. @throws {AmqpError} 406 */
export function assertSameArguments(
  resource: string,
  current: Fields,
  received: Fields,
  keys: readonly string[],
): void {
  for (const key of keys) assertSameArgument(key, resource, current.get(key), received.get(key))
}

function assertSameArgument(
  key: string,
  resource: string,
  current: Field | undefined,
  received: Field | undefined,
): void {
  if (current !== undefined && received !== undefined) {
    if (sameField(current, received)) return
    // A text is the same text as bytes, but 1 is not 1.0.
    const comparable = !(isFloat(current) || isFloat(received)) || isFloat(current) === isFloat(received)
    if (comparable && sameData(current.value, received.value)) return
    throw refuse(key, resource, quoted(received), quoted(current))
  }
  if (current === received) return
  if (key === 'x-queue-type' && isClassic(current) && isClassic(received)) return
  throw refuse(key, resource, typed(received), typed(current))
}

const isClassic = (field: Field | undefined): boolean =>
  field === undefined || (field.type === 'longstr' && field.value === 'classic')

const isFloat = (field: Field): boolean => typeClass(field.type) === 'float'

const text = ({ type, value }: Field): string =>
  typeof value === 'string' ? value : erlangTerm({ type, value })
const quoted = (field: Field): string => (field.type === 'void' ? 'none' : `'${text(field)}'`)
const typed = (field: Field | undefined): string =>
  field === undefined ? 'none' : `the value '${text(field)}' of type '${field.type}'`

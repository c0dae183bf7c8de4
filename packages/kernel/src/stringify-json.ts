import { types } from 'node:util'
import { isHermodError } from './errors/base.ts'
import { EncodeError } from './errors/serialization.ts'

/** Deeper than bodies are, so that the look-ahead ends on a cycle; the writer then names it. */
const LOOK_AHEAD_DEPTH = 64

/** Far from where the engine's stack ends. */
const DEEPEST = 1000

/** How {@link stringifyJson} writes. */
export interface StringifyJsonOptions {
  /** Blanks per level; 0 (the default) writes one line. */
  readonly space?: number | undefined
}

/**
 * Writes strict JSON, losing nothing that {@link parsePythonJson} reads.
 *
 * As `JSON.stringify` (members that are `undefined`, functions or symbols are left out, `toJSON` is used), except:
 * a `bigint` is written in digits and a number beyond ±(2^53 − 1) with an exponent, so that each is read back as
 * what it was; `NaN` and the infinities are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"` where
 * `JSON.stringify` would silently write `null`.
 *
 * @throws {EncodeError} E_ENCODE for a value that contains itself, lies deeper than 1000 levels, has no JSON form
 *   at all, or whose `toJSON` throws.
 */
export function stringifyJson(value: unknown, options: StringifyJsonOptions = {}): string {
  const { space = 0 } = options
  try {
    const text = isOrdinary(value, 0)
      ? JSON.stringify(value, null, space)
      : new Writer(space).write(value, '')
    if (text !== undefined) return text
  } catch (error) {
    if (isHermodError(error)) throw error
    throw new EncodeError('the value cannot be written as JSON: reading it failed', { cause: error })
  }
  throw new EncodeError(`a value of type ${typeof value} has no JSON form`)
}

/** Whether `JSON.stringify` writes the value as we would. */
function isOrdinary(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'number':
      // Also false for NaN.
      return Math.abs(value) <= Number.MAX_SAFE_INTEGER
    case 'bigint':
      return false
    case 'object':
      break
    default:
      return true
  }
  if (value === null) return true
  if (depth === LOOK_AHEAD_DEPTH) return false
  if (Array.isArray(value)) {
    for (const item of value) if (!isOrdinary(item, depth + 1)) return false
    return true
  }
  if (value instanceof Date) return true
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return false
  for (const key in value) {
    if (!isOrdinary((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

class Writer {
  readonly #indent: string
  /** The objects being written, outermost first: one that comes again inside itself is a cycle. */
  readonly #open: object[] = []

  constructor(space: number) {
    this.#indent = ' '.repeat(space)
  }

  /** The text, or nothing for what JSON leaves out. */
  write(given: unknown, key: string): string | undefined {
    const value = plainValue(given, key)
    switch (typeof value) {
      case 'bigint':
        return value.toString()
      case 'number':
        return numberText(value)
      case 'object':
        return value === null ? 'null' : this.#compound(value)
      default:
        return JSON.stringify(value)
    }
  }

  #compound(value: object): string {
    if (this.#open.includes(value)) throw new EncodeError('a value that contains itself has no JSON form')
    if (this.#open.length === DEEPEST)
      throw new EncodeError(`the value is nested deeper than ${DEEPEST} levels`)
    this.#open.push(value)
    const isArray = Array.isArray(value)
    const parts: string[] = []
    if (isArray) {
      for (let index = 0; index < value.length; index++) {
        parts.push(this.write(value[index], String(index)) ?? 'null')
      }
    } else {
      for (const [key, item] of Object.entries(value)) {
        const text = this.write(item, key)
        if (text !== undefined) parts.push(`${JSON.stringify(key)}:${this.#indent === '' ? '' : ' '}${text}`)
      }
    }
    this.#open.pop()
    const [left, right] = isArray ? '[]' : '{}'
    if (parts.length === 0) return `${left}${right}`
    if (this.#indent === '') return `${left}${parts.join(',')}${right}`
    const outer = `\n${this.#indent.repeat(this.#open.length)}`
    return `${left}${outer}${this.#indent}${parts.join(`,${outer}${this.#indent}`)}${outer}${right}`
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  // In digits only, a number beyond 2^53 − 1 would be read back as an exact integer, which it never was.
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? JSON.stringify(value) : value.toExponential()
}

/** The value behind `toJSON` and behind the wrapper objects of primitive values. */
function plainValue(given: unknown, key: string): unknown {
  let value = given
  if (typeof value === 'object' && value !== null) {
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') value = toJSON.call(value, key) as unknown
  }
  return types.isBoxedPrimitive(value) ? value.valueOf() : value
}

import { DecodeError } from './errors/serialization.ts'
import { endOfString } from './python-json-parser.ts'

/** Digits in a row from which on an integer may lie beyond 2^53 − 1 (which has 16). */
const LONG_RUN = 16

/** The least that one member of an object takes: two quotes, a colon, a digit, a comma. */
const SHORTEST_MEMBER = 5

/** The least that one item of a list takes: a digit, a comma. */
const SHORTEST_VALUE = 2

/** What a text must not exceed. */
export interface JsonLimits {
  readonly maxDepth: number
  readonly maxKeys: number
  readonly maxValues: number
}

/**
 * Whether the text holds a token that `JSON.parse` would refuse or round, outside of strings.
 *
 * @throws {DecodeError} when objects and arrays lie deeper, an object has more members, or the text more values, than
 * the limits say.
 */
export function needsPythonReader(text: string, limits: JsonLimits, exactIntegers: boolean): boolean {
  // Looking for single units is many times faster than walking the text, and enough for nearly every body.
  const harmless =
    text.length <= limits.maxKeys * SHORTEST_MEMBER &&
    text.length <= limits.maxValues * SHORTEST_VALUE &&
    !opensMoreThan(limits.maxDepth, text) &&
    !text.includes('NaN') &&
    !text.includes('Infinity') &&
    !(exactIntegers && hasLongRun(text))
  return !harmless && scan(text, limits, exactIntegers)
}

/** Whether the text has more than `count` opening brackets, in strings too. */
function opensMoreThan(count: number, text: string): boolean {
  let left = count
  for (const bracket of ['{', '[']) {
    for (let index = text.indexOf(bracket); index >= 0; index = text.indexOf(bracket, index + 1)) {
      if (--left < 0) return true
    }
  }
  return false
}

/** Whether there are 16 digits in a row, in strings too: such a run covers a unit at a multiple of 16. */
function hasLongRun(text: string): boolean {
  for (let index = 0; index < text.length; index += LONG_RUN) {
    if (!isDigit(text.charCodeAt(index))) continue
    let start = index
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--
    let end = index + 1
    while (isDigit(text.charCodeAt(end))) end++
    if (end - start >= LONG_RUN) return true
  }
  return false
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

/** The exact answer, unit by unit. */
function scan(text: string, limits: JsonLimits, exactIntegers: boolean): boolean {
  const { maxDepth, maxKeys, maxValues } = limits
  const keysAt: number[] = [0]
  let depth = 0
  let digits = 0
  let special = false
  // What opens holds a first value, and behind every comma stands one more.
  let values = 1
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (isDigit(unit)) {
      if (++digits === LONG_RUN && exactIntegers) special = true
      // Reading and writing a long integer costs more with every digit.
      if (digits > LONG_RUN && ++values > maxValues) throw exceeded(`more than ${maxValues} values`, index)
      continue
    }
    digits = 0
    switch (unit) {
      case 0x22: // a string: what is in it means nothing here
        index = endOfString(text, index)
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > maxDepth) throw exceeded(`nested deeper than ${maxDepth} levels`, index)
        keysAt[depth] = 0
        values++
        break
      case 0x2c: // ,
        if (++values > maxValues) throw exceeded(`more than ${maxValues} values`, index)
        break
      case 0x7d: // }
      case 0x5d: // ]
        if (depth > 0) depth--
        break
      case 0x3a: // :
        keysAt[depth] = (keysAt[depth] ?? 0) + 1
        if (keysAt[depth]! > maxKeys) throw exceeded(`an object of more than ${maxKeys} members`, index)
        break
      case 0x4e: // N of NaN
      case 0x49: // I of Infinity
        special = true
    }
  }
  return special
}

function exceeded(problem: string, offset: number): DecodeError {
  return new DecodeError(`${problem} in JSON at offset ${offset}`, { details: { offset } })
}

import { DecodeError } from './errors/serialization.ts'
import type { JsonObject, JsonValue } from './json-value.ts'

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
/** What stands in a string as something else than itself, or must not stand there. */
// oxlint-disable-next-line no-control-regex -- JSON forbids exactly these inside a string
const UNPLAIN = /[\\\u0000-\u001f]/

const QUOTE = 0x22
const BACKSLASH = 0x5c

const WORDS: readonly (readonly [string, JsonValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]

/**
 * The longest integer that is read exactly: making a `bigint` takes time with the square of its length, and Python
 * itself refuses longer ones.
 * @source Python `sys.set_int_max_str_digits`, default 4300
 */
const MAX_DIGITS = 4300

/** Where the string that opens at `start` ends: its closing quote, or the end of the text. */
export function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === QUOTE) return index
    if (unit === BACKSLASH) index++
  }
  return text.length
}

/** One reading of one text, by recursive descent; the depth has been checked before. */
export class PythonJsonParser {
  readonly #text: string
  readonly #exactIntegers: boolean
  #offset = 0

  constructor(text: string, exactIntegers: boolean) {
    this.#text = text
    this.#exactIntegers = exactIntegers
  }

  /** @throws {DecodeError} at the first unit that fits no rule. */
  parse(): JsonValue {
    const value = this.#value()
    this.#skipBlanks()
    if (this.#offset < this.#text.length) throw this.#invalid()
    return value
  }

  #value(): JsonValue {
    this.#skipBlanks()
    const first = this.#text[this.#offset]
    if (first === '{') return this.#object()
    if (first === '[') return this.#array()
    if (first === '"') return this.#string()
    if (first === undefined || first < '0' || first > '9') {
      for (const [word, value] of WORDS) {
        if (this.#text.startsWith(word, this.#offset)) {
          this.#offset += word.length
          return value
        }
      }
    }
    return this.#number()
  }

  #object(): JsonObject {
    const object: JsonObject = {}
    this.#offset++
    if (this.#takes('}')) return object
    do {
      this.#skipBlanks()
      if (this.#text[this.#offset] !== '"') throw this.#invalid()
      const key = this.#string()
      if (!this.#takes(':')) throw this.#invalid()
      const value = this.#value()
      // An assignment to this one name would set the prototype.
      if (key === '__proto__') {
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      } else {
        object[key] = value
      }
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#invalid()
    return object
  }

  #array(): JsonValue[] {
    const array: JsonValue[] = []
    this.#offset++
    if (this.#takes(']')) return array
    do array.push(this.#value())
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#invalid()
    return array
  }

  #string(): string {
    const start = this.#offset
    const end = endOfString(this.#text, start)
    if (end === this.#text.length) throw this.#invalid()
    this.#offset = end + 1
    const content = this.#text.slice(start + 1, end)
    if (!UNPLAIN.test(content)) return content
    try {
      return JSON.parse(`"${content}"`) as string
    } catch {
      this.#offset = start
      throw this.#invalid()
    }
  }

  #number(): number | bigint {
    const start = this.#offset
    NUMBER.lastIndex = start
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#invalid()
    this.#offset = NUMBER.lastIndex
    const [text, fraction, exponent] = match
    const value = Number(text)
    if (!this.#exactIntegers || fraction !== undefined || exponent !== undefined) return value
    if (Number.isSafeInteger(value)) return value
    if (text.length > MAX_DIGITS) {
      throw new DecodeError(`an integer of more than ${MAX_DIGITS} digits in JSON at offset ${start}`, {
        details: { offset: start },
      })
    }
    return BigInt(text)
  }

  #takes(unit: string): boolean {
    this.#skipBlanks()
    if (this.#text[this.#offset] !== unit) return false
    this.#offset++
    return true
  }

  #skipBlanks(): void {
    let unit = this.#text.charCodeAt(this.#offset)
    while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      unit = this.#text.charCodeAt(++this.#offset)
    }
  }

  #invalid(): DecodeError {
    const offset = this.#offset
    const problem = offset < this.#text.length ? 'invalid JSON' : 'JSON ends too early'
    return new DecodeError(`${problem} at offset ${offset}`, { details: { offset } })
  }
}

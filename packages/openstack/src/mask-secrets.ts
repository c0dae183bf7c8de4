import type { JsonObject, JsonValue } from '@hermod/kernel'
import { isSecretMember } from './secret-key.ts'
import { maskValue } from './secret-mask.ts'
import { maskSecretShapes } from './secret-shapes.ts'

/** A value with its secrets masked, and how many they were. */
export interface MaskedValue<Value extends JsonValue> {
  readonly value: Value
  readonly masked: number
}

/** Deeper values are hidden whole: what nobody looks into must not leave. */
const MAX_DEPTH = 64
const TOO_DEEP = '***deeper than 64 levels***'

/**
 * So much text of one value is searched for secrets: more than real payloads hold, and a fraction of a second's work
 * whatever it says. What may hold a secret beyond it is hidden whole.
 */
const MAX_SEARCHED = 2 * 1024 * 1024

/**
 * A copy without secrets: every value under a secret name, and everything inside texts that looks like a secret,
 * replaced by a mask that says its kind and size, `***token:183 chars***`.
 *
 * Null, booleans and what is empty stay. Masking what is masked changes nothing. Names are untouched, and
 * `__proto__` remains an ordinary member.
 */
export function maskSecrets<Value extends JsonValue>(value: Value): MaskedValue<Value> {
  const walk = new Walk()
  return { value: walk.copy(value, 0) as Value, masked: walk.masked }
}

class Walk {
  masked = 0
  #left = MAX_SEARCHED

  copy(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth === MAX_DEPTH) {
      this.masked++
      return TOO_DEEP
    }
    if (Array.isArray(value)) return value.map((item) => this.copy(item, depth + 1))
    const copy: JsonObject = {}
    for (const key of Object.keys(value)) {
      const member = this.#member(key, value[key]!, depth)
      if (key === '__proto__') {
        // An assignment to this one name would set the prototype.
        Object.defineProperty(copy, key, {
          value: member,
          writable: true,
          enumerable: true,
          configurable: true,
        })
      } else {
        copy[key] = member
      }
    }
    return copy
  }

  #member(key: string, value: JsonValue, depth: number): JsonValue {
    if (!isSecretMember(key)) return this.copy(value, depth + 1)
    const hidden = maskValue(key, value)
    if (hidden !== value) this.masked++
    return hidden
  }

  #text(text: string): string {
    const found = maskSecretShapes(text, this.#left)
    this.#left -= found.searched
    this.masked += found.masked
    return found.text
  }
}

import type { JsonObject, JsonValue } from '@hermod/kernel'

/**
 * The same value with what `JSON.stringify` throws on or loses as texts: `bigint` as its digits, `NaN` and the
 * infinities by their names. What needs no change is not copied.
 */
export function jsonSafe(value: JsonValue): JsonValue {
  switch (typeof value) {
    case 'bigint':
      return value.toString()
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (Array.isArray(value)) {
    const items = value.map(jsonSafe)
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  let copy: JsonObject | null = null
  for (const key of Object.keys(value)) {
    const safe = jsonSafe(value[key]!)
    // A member called `toJSON` is only text or data in JSON, never a function: JSON.stringify passes it over.
    if (safe === value[key]) continue
    copy ??= { ...value }
    Object.defineProperty(copy, key, { value: safe, writable: true, enumerable: true, configurable: true })
  }
  return copy ?? value
}

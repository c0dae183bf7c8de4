import type { JsonObject, JsonValue } from '@hermod/kernel'

/**
 * A copy of `shape` with the values of `facts` where it has the same members, and with its own elsewhere. It has the
 * members of `shape` and no others, but for objects without members in `facts`, which stand for themselves: free
 * metadata.
 */
export function fillIn(shape: JsonObject, facts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(shape).map(([key, value]) => [
      key,
      Object.hasOwn(facts, key) ? filled(value, facts[key]!) : value,
    ]),
  )
}

function filled(shape: JsonValue, fact: JsonValue): JsonValue {
  return isObject(shape) && isObject(fact) && Object.keys(fact).length > 0 ? fillIn(shape, fact) : fact
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

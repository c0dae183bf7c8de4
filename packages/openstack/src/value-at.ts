import type { JsonObject, JsonValue } from '@hermod/kernel'

/** Whether a value of JSON is an object with names. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The member of that name, or undefined. Only own members count: `constructor` and `__proto__` come from tenants
 * as readily as `name` does.
 */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** What lies under the names of the path, one inside the other, or undefined. */
export function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let found = value
  for (const name of path) found = memberOf(found, name)
  return found
}

/** A text or a number as text; null for what is empty or neither. Nova writes one aggregate's id both ways. */
export function textOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value === '' ? null : value
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}

/** The first path under which there is a text or a number. */
export function firstText(
  value: JsonValue | undefined,
  paths: readonly (readonly string[])[],
): string | null {
  for (const path of paths) {
    const text = textOf(valueAt(value, path))
    if (text !== null) return text
  }
  return null
}

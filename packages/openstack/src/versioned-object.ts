import type { JsonObject, JsonValue } from '@hermod/kernel'
import { isJsonObject, memberOf } from './value-at.ts'

/** The schema that a versioned payload names. */
interface PayloadSchema {
  /** The class name of the payload: `InstanceCreatePayload`. */
  readonly name: string
  /** `1.13` */
  readonly version: string
  /** The service whose class it is: `nova`. */
  readonly namespace: string
}

/** A payload without its wrappers. */
export interface UnwrappedPayload {
  readonly payload: JsonValue
  /** What the outermost wrapper says, or null where there was none. */
  readonly schema: PayloadSchema | null
}

const DATA_SUFFIX = '_object.data'

/** Deeper than parsed bodies are; beyond it nothing is unwrapped. */
const MAX_DEPTH = 128

/**
 * Takes versioned objects out of their wrappers, however deep they lie in each other.
 *
 * A wrapper is an object with `<ns>_object.data` and `<ns>_object.name` (beside `.namespace`, `.version` and
 * perhaps `.changes`). What holds no wrapper is given back as it is, not copied.
 *
 * @source oslo.versionedobjects `obj_to_primitive`; nova, ironic, watcher and masakari send their payloads so
 */
export function unwrapVersionedObjects(payload: JsonValue): UnwrappedPayload {
  return { payload: unwrap(payload, 0), schema: schemaOf(payload) }
}

function unwrap(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) {
    const items = value.map((item) => unwrap(item, depth + 1))
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  const prefix = wrapperPrefix(value)
  if (prefix !== null) return unwrap(value[`${prefix}.data`]!, depth + 1)
  let copy: JsonObject | null = null
  for (const key of Object.keys(value)) {
    const member = value[key]!
    const unwrapped = unwrap(member, depth + 1)
    if (unwrapped === member) continue
    // A spread copies own members as own members, `__proto__` included; so does defining one.
    copy ??= { ...value }
    Object.defineProperty(copy, key, {
      value: unwrapped,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return copy ?? value
}

/** `nova_object` when the object is such a wrapper. */
function wrapperPrefix(value: JsonObject): string | null {
  for (const key in value) {
    if (!key.endsWith(DATA_SUFFIX)) continue
    const prefix = key.slice(0, -'.data'.length)
    if (typeof memberOf(value, `${prefix}.name`) === 'string') return prefix
  }
  return null
}

function schemaOf(payload: JsonValue): PayloadSchema | null {
  if (!isJsonObject(payload)) return null
  const prefix = wrapperPrefix(payload)
  if (prefix === null) return null
  const version = memberOf(payload, `${prefix}.version`)
  const namespace = memberOf(payload, `${prefix}.namespace`)
  return {
    name: payload[`${prefix}.name`] as string,
    version: typeof version === 'string' ? version : '',
    namespace: typeof namespace === 'string' ? namespace : prefix.slice(0, -'_object'.length),
  }
}

import { ConfigurationError, EncodeError, type JsonObject, type JsonValue } from '@hermod/kernel'
import type { FieldTable, FieldValue } from '../wire/field-table.ts'
import { TypedField, type TypedFieldKind } from '../wire/typed-field.ts'
import { isPlainObject } from './definition-check.ts'

/** What JSON has no words for is an object with this member, which says its AMQP type. */
const TAG = '$amqp'
const KINDS: readonly string[] = [
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'timestamp',
  'float',
  'double',
  'decimal',
] satisfies TypedFieldKind[]

/** A table as JSON holds it, and {@link tableFromJson} reads it back: the same on the wire. */
export function tableToJson(table: FieldTable): JsonObject {
  const json: JsonObject = {}
  for (const [name, value] of Object.entries(table)) if (value !== undefined) json[name] = toJson(value)
  return json
}

/** @throws {ConfigurationError} E_CONFIG for a value that its type cannot hold. */
export function tableFromJson(json: Readonly<Record<string, unknown>>): FieldTable {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, fromJson(value)]))
}

function toJson(value: FieldValue): JsonValue {
  if (typeof value === 'bigint') return { [TAG]: 'int64', value: String(value) }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { [TAG]: 'timestamp', value: Math.floor(value.getTime() / 1000) }
  if (value instanceof Uint8Array) return { [TAG]: 'bytes', value: Buffer.from(value).toString('base64') }
  if (value instanceof TypedField) {
    const { kind, scale } = value
    return { [TAG]: kind, value: String(value.value), ...(kind === 'decimal' ? { scale } : {}) }
  }
  if (Array.isArray(value)) return (value as readonly FieldValue[]).map(toJson)
  if (Object.hasOwn(value, TAG))
    throw new EncodeError(`a table with a member '${TAG}' cannot be written as JSON`)
  return tableToJson(value as FieldTable)
}

function fromJson(json: unknown): FieldValue {
  if (Array.isArray(json)) return json.map(fromJson)
  if (!isPlainObject(json)) return json as FieldValue
  const kind = json[TAG]
  if (typeof kind !== 'string') return tableFromJson(json)
  try {
    return fromTagged(kind, json['value'], json['scale'] ?? 0)
  } catch (cause) {
    throw new ConfigurationError([`a value is not what its '${TAG}' says`], { cause })
  }
}

function fromTagged(kind: string, value: unknown, scale: unknown): FieldValue {
  if (kind === 'bytes' && typeof value === 'string') return Buffer.from(value, 'base64')
  if (kind === 'timestamp' && typeof value === 'number') return new Date(value * 1000)
  if (!KINDS.includes(kind) || typeof value !== 'string')
    throw new TypeError(`there is no AMQP type '${kind.slice(0, 64)}' of a ${typeof value}`)
  const integer = kind === 'float' || kind === 'double' ? undefined : BigInt(value)
  const number = integer !== undefined && !Number.isSafeInteger(Number(value)) ? integer : Number(value)
  return new TypedField(kind as TypedFieldKind, number, scale as number)
}

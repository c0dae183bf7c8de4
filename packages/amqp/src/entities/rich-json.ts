import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { DecodeError, EncodeError, type JsonObject, type JsonValue } from '@hermod/kernel'
import { formatIsoDateTime, parseIsoDateTime } from './rich-json-datetime.ts'
import { RichJsonValue, type RichJsonKind } from './rich-json-value.ts'
import { jsonSerializer, type Serializer } from './serializer.ts'

const TYPE = '__type__'
const VALUE = '__value__'

/** Far from where the engine's stack ends. */
const DEEPEST = 1000

/**
 * JSON with the types that kombu from 5.3 on tags as `{"__type__": …, "__value__": …}`: `Date` (datetime), bytes, and
 * {@link RichJsonValue} (date, time, decimal, uuid). It takes the place of `json` in a registry:
 * `DEFAULT_SERIALIZERS.with(richJsonSerializer)`. It is no default, because whoever writes a body then chooses the
 * types that its reader gets.
 *
 * A datetime without an offset is read as UTC; of its microseconds the milliseconds stay. Earlier versions of kombu
 * write moments, decimals and UUIDs as plain text, which stays text here, and read tags as ordinary objects.
 *
 * @source kombu utils/json.py, register_type and object_hook
 */
export const richJsonSerializer: Serializer = Object.freeze({
  name: jsonSerializer.name,
  contentType: jsonSerializer.contentType,
  contentEncoding: jsonSerializer.contentEncoding,
  encode: (value: unknown): Uint8Array => jsonSerializer.encode(tagged(value, '', 0)),
  decode: (body: Buffer, contentEncoding: string | undefined): unknown =>
    untagged(jsonSerializer.decode(body, contentEncoding) as JsonValue),
})

/** The same value with tags in the place of what JSON has no form for. */
function tagged(value: unknown, key: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null || types.isBoxedPrimitive(value)) return value
  if (value instanceof Date) {
    const text = formatIsoDateTime(value)
    if (text === undefined) throw new EncodeError('a Date is invalid, or beyond the years 1 to 9999')
    return tag('datetime', text)
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return isUtf8(bytes) ? tag('bytes', bytes.toString('utf8')) : tag('base64', bytes.toString('base64'))
  }
  // Versions of kombu that write a UUID's version too can do without it.
  if (value instanceof RichJsonValue)
    return tag(value.kind, value.kind === 'uuid' ? { hex: value.text.replaceAll('-', '') } : value.text)
  if (depth === DEEPEST)
    throw new EncodeError(`the value contains itself, or is nested deeper than ${DEEPEST} levels`)
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return tagged(toJSON.call(value, key), key, depth + 1)
  if (Array.isArray(value)) return value.map((item, index) => tagged(item, String(index), depth + 1))
  const entries = Object.entries(value)
  if (isTag(Object.keys(value)))
    throw new EncodeError(`an object of ${TYPE} and ${VALUE} alone would be read as something else`)
  return Object.fromEntries(entries.map(([name, item]) => [name, tagged(item, name, depth + 1)]))
}

function tag(type: string, value: unknown): object {
  return { [TYPE]: type, [VALUE]: value }
}

function isTag(keys: readonly string[]): boolean {
  return keys.length === 2 && keys.includes(TYPE) && keys.includes(VALUE)
}

/** Replaces tags in a value that was just read, in place. */
function untagged(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items: unknown[] = value
    for (let index = 0; index < items.length; index++) items[index] = untagged(items[index] as JsonValue)
    return items
  }
  if (isTag(Object.keys(value))) return meant(value)
  const members: Record<string, unknown> = value
  for (const key of Object.keys(members)) members[key] = untagged(members[key] as JsonValue)
  return members
}

function meant({ [TYPE]: type, [VALUE]: value }: JsonObject): unknown {
  const result = typeof value === 'string' ? fromText(type, value) : fromFields(type, value)
  if (result !== undefined) return result
  throw new DecodeError(
    'a body holds a tagged value of an unknown type, or of another form than its type has',
  )
}

function fromText(type: JsonValue | undefined, text: string): unknown {
  switch (type) {
    case 'datetime':
      return parseIsoDateTime(text.includes(':') ? text : `${text}T00:00`)
    case 'bytes':
      return Buffer.from(text, 'utf8')
    case 'base64':
      return fromBase64(text)
    case 'date':
    case 'time':
    case 'decimal':
      return richValue(type, text)
    default:
      return undefined
  }
}

function fromFields(type: JsonValue | undefined, value: JsonValue | undefined): RichJsonValue | undefined {
  if (type !== 'uuid' || typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { hex } = value
  const groups = typeof hex === 'string' ? /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(hex) : null
  return groups === null ? undefined : richValue('uuid', groups.slice(1).join('-').toLowerCase())
}

function richValue(kind: RichJsonKind, text: string): RichJsonValue | undefined {
  try {
    return new RichJsonValue(kind, text)
  } catch {
    return undefined
  }
}

function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

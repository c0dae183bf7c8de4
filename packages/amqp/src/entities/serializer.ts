import { EncodeError, parsePythonJson, stringifyJson } from '@hermod/kernel'
import { decodeText, encodeText, isBinaryEncoding } from './content-charset.ts'

/**
 * One way to turn values into bodies and back: a name for programs, a content type for the wire.
 *
 * @example
 * const msgpack: Serializer = {
 *   name: 'msgpack',
 *   contentType: 'application/x-msgpack',
 *   contentEncoding: 'binary',
 *   encode,
 *   decode,
 * }
 * const serializers = DEFAULT_SERIALIZERS.with(msgpack)
 */
export interface Serializer {
  /** What programs call it, for example `json`. */
  readonly name: string
  /** The MIME type that its bodies are labelled with. */
  readonly contentType: string
  /** The character set of its bodies; `binary` where they are no text. */
  readonly contentEncoding: string
  /** More names and MIME types, under which bodies are read too. */
  readonly aliases?: readonly string[] | undefined
  /** Writes a value. What it throws rejects the publish, as an {@link EncodeError} unless it is a HermodError. */
  encode(value: unknown): Uint8Array
  /** Reads a body. What it throws makes the message unreadable (`DecodeError`). The bytes are shared: they must not be changed. */
  decode(body: Buffer, contentEncoding: string | undefined): unknown
}

/**
 * JSON as Python writes it: `NaN`, `Infinity` and integers of any size are read; strict JSON is written, an integer of
 * a `bigint` in digits (see `stringifyJson` of the kernel for what `NaN` becomes).
 */
export const jsonSerializer: Serializer = Object.freeze({
  name: 'json',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  encode: (value: unknown): Uint8Array => Buffer.from(stringifyJson(value), 'utf8'),
  decode: (body: Buffer, contentEncoding: string | undefined): unknown =>
    parsePythonJson(decodeText(body, contentEncoding)),
})

/** Text, in UTF-8 when it is written and in the character set of its `contentEncoding` when it is read. */
export const textSerializer: Serializer = Object.freeze({
  name: 'text',
  contentType: 'text/plain',
  contentEncoding: 'utf-8',
  aliases: Object.freeze(['application/text']),
  encode(value: unknown): Uint8Array {
    if (typeof value !== 'string')
      throw new EncodeError(`a body of type ${typeof value} is no text; name another serializer`)
    return encodeText(value, 'utf-8')
  },
  decode: decodeText,
})

/**
 * Bytes as they are. A body whose `contentEncoding` names a character set is read as text, because kombu's `raw`
 * labels text so.
 * @source kombu serialization.py, raw_encode and loads
 */
export const rawSerializer: Serializer = Object.freeze({
  name: 'raw',
  contentType: 'application/data',
  contentEncoding: 'binary',
  aliases: Object.freeze(['application/octet-stream']),
  encode(value: unknown): Uint8Array {
    if (!(value instanceof Uint8Array))
      throw new EncodeError(`a body of type ${typeof value} is no bytes; name another serializer`)
    return value
  },
  decode: (body: Buffer, contentEncoding: string | undefined): unknown =>
    contentEncoding === undefined || isBinaryEncoding(contentEncoding)
      ? body
      : decodeText(body, contentEncoding),
})

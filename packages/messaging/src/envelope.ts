import {
  DecodeError,
  parsePythonJson,
  stringifyJson,
  type JsonObject,
  type JsonValue,
  type ParsePythonJsonOptions,
} from '@hermod/kernel'

const VERSION_KEY = 'oslo.version'
const MESSAGE_KEY = 'oslo.message'

/** The largest body that is read by default: 16 MiB. */
export const MAX_BODY_BYTES: number = 16 * 1024 * 1024

/** How {@link readEnvelope} reads; the JSON limits hold for the outer and the inner text, each on its own. */
export interface ReadEnvelopeOptions extends ParsePythonJsonOptions {
  /** The largest body in bytes of UTF-8; {@link MAX_BODY_BYTES}. */
  readonly maxBytes?: number | undefined
}

/** A message and the envelope that it came in. */
export interface Envelope {
  /** `2.0`: JSON text inside a JSON object; `1.0`: the bare message. */
  readonly version: '1.0' | '2.0'
  readonly message: JsonObject
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads the body of a message of oslo.messaging of any kind: notification, request or reply.
 *
 * An object that lacks `oslo.version` or `oslo.message` is the message itself. `oslo.message` is parsed once; what
 * it holds is never taken for another envelope. What kombu does to bodies of version 1.0 stays as it is: a Python
 * datetime reads as `{"__type__": "datetime", "__value__": "2026-01-02T03:04:05"}`.
 *
 * @throws {DecodeError} E_DECODE for a body that is too large, not UTF-8, no JSON object or beyond the JSON
 *   limits, and for an envelope of a version other than 2.0; never with a part of the body.
 * @source oslo.messaging _drivers/common.py deserialize_msg; _utils.py version_is_compatible
 */
export function readEnvelope(body: string | Uint8Array, options: ReadEnvelopeOptions = {}): Envelope {
  const outer = parsePythonJson(bodyText(body, options.maxBytes ?? MAX_BODY_BYTES), options)
  if (!isObject(outer)) throw new DecodeError('the body is JSON, but no object')
  if (!Object.hasOwn(outer, VERSION_KEY) || !Object.hasOwn(outer, MESSAGE_KEY)) {
    return { version: '1.0', message: outer }
  }
  if (!isReadableVersion(outer[VERSION_KEY])) {
    throw new DecodeError(`the envelope has a version other than 2.0 in '${VERSION_KEY}'`)
  }
  const inner = outer[MESSAGE_KEY]
  if (typeof inner !== 'string') throw new DecodeError(`'${MESSAGE_KEY}' of the envelope is no text`)
  const message = parsePythonJson(inner, options)
  if (!isObject(message)) throw new DecodeError(`'${MESSAGE_KEY}' of the envelope is JSON, but no object`)
  return { version: '2.0', message }
}

/**
 * The body of version 2.0 around a message.
 *
 * @throws {EncodeError} E_ENCODE when the message has no JSON form.
 * @source oslo.messaging _drivers/common.py serialize_msg
 */
export function wrapEnvelope(message: JsonObject): string {
  return stringifyJson({ [VERSION_KEY]: '2.0', [MESSAGE_KEY]: stringifyJson(message) })
}

function bodyText(body: string | Uint8Array, maxBytes: number): string {
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  if (size > maxBytes) throw new DecodeError(`the body has ${size} bytes, more than the ${maxBytes} allowed`)
  if (typeof body === 'string') return body
  try {
    return utf8.decode(body)
  } catch {
    throw new DecodeError('the body is not UTF-8')
  }
}

/** Same major, no newer minor or revision than 2.0.0. */
function isReadableVersion(version: JsonValue | undefined): boolean {
  return typeof version === 'string' && /^0*2\.0+(?:\.0+)?$/.test(version)
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

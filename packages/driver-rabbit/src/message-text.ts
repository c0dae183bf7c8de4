import { stringifyJson, type JsonObject } from '@hermod/kernel'

const CONTEXT_PREFIX = '_context_'

/**
 * The text of a message with its envelope of version 2.0: JSON in a text in JSON.
 * @source oslo.messaging _drivers/common.py serialize_msg
 */
export function envelopeText(message: string): string {
  return `{"oslo.version": "2.0", "oslo.message": ${JSON.stringify(message)}}`
}

/**
 * Puts members behind those of an object, both in their text.
 *
 * @param object the text of a JSON object.
 * @param members the text of members, each beginning with a comma; may be empty.
 */
export function withMembers(object: string, members: string): string {
  if (members === '') return object
  return object === '{}' ? `{${members.slice(1)}}` : `${object.slice(0, -1)}${members}}`
}

/**
 * The entries of a context as members `_context_NAME` of a message, each with a comma before it.
 * @throws {EncodeError} E_ENCODE when one has no JSON form.
 * @source oslo.messaging _drivers/amqp.py pack_context
 */
export function contextMembers(context: JsonObject): string {
  const flat: JsonObject = {}
  let any = false
  for (const key of Object.keys(context)) {
    flat[CONTEXT_PREFIX + key] = context[key]!
    any = true
  }
  if (!any) return ''
  const text = stringifyJson(flat)
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/** A message taken apart: what it is about, its context, and what the peers of this driver say to each other. */
export interface UnpackedMessage {
  readonly message: JsonObject
  readonly context: JsonObject
  /** Names the message among all that were sent, so that a copy is known; undefined when it has none. */
  readonly uniqueId: string | undefined
  /** Names the call; undefined when nobody waits for a reply. */
  readonly msgId: string | undefined
  readonly replyQueue: string | undefined
  /** Seconds within which the caller wants a sign of life. */
  readonly monitorTimeout: number | undefined
}

/**
 * Takes a request apart. Members that nobody here knows stay in the message.
 *
 * Python's servers put `client_timeout` into each context, for their own use, and one that hands its context on sends
 * it; it is left out, since it says nothing of this request.
 *
 * @source oslo.messaging _drivers/amqp.py unpack_context, _MsgIdCache.check_duplicate_message
 */
export function unpackMessage(packed: JsonObject): UnpackedMessage {
  const message: JsonObject = {}
  const context: JsonObject = {}
  for (const key of Object.keys(packed)) {
    if (key.charCodeAt(0) !== UNDERSCORE) setMember(message, key, packed[key]!)
    else if (key.startsWith(CONTEXT_PREFIX)) {
      if (key !== CLIENT_TIMEOUT) setMember(context, key.slice(CONTEXT_PREFIX.length), packed[key]!)
    } else if (!OWN_MEMBERS.has(key)) setMember(message, key, packed[key]!)
  }
  const timeout = packed['_timeout']
  return {
    message,
    context,
    uniqueId: textOf(packed, '_unique_id'),
    msgId: textOf(packed, '_msg_id'),
    replyQueue: textOf(packed, '_reply_q'),
    monitorTimeout: typeof timeout === 'number' && timeout > 0 ? timeout : undefined,
  }
}

const UNDERSCORE = 0x5f
const CLIENT_TIMEOUT = `${CONTEXT_PREFIX}client_timeout`
const OWN_MEMBERS: ReadonlySet<string> = new Set(['_unique_id', '_msg_id', '_reply_q', '_timeout'])

/** An empty text is none: Python's peers test these for truth. */
function textOf(packed: JsonObject, key: string): string | undefined {
  const value = packed[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An assignment to `__proto__` would set the prototype instead of a member. */
function setMember(object: JsonObject, key: string, value: JsonObject[string]): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

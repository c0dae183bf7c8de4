import {
  parsePythonJson,
  type Failure,
  type HermodError,
  type JsonObject,
  type JsonValue,
} from '@hermod/kernel'

/** The class of a failure that names none. */
const NAMELESS = 'UnnamedError'

/**
 * Reads the `failure` of a reply: JSON text within the reply's JSON.
 *
 * Never throws, for the failure itself is the news. A member of an unexpected type reads as empty; a text that is no
 * JSON object gives a failure of class `UnreadableFailure` and module `hermod`, whose message says why. The names are
 * as the peer wrote them; nothing is looked up by them here.
 *
 * @param text as in the reply; an object is taken as it is.
 * @source oslo.messaging _drivers/common.py deserialize_remote_exception
 */
export function readFailure(text: JsonValue): Failure {
  let value = text
  if (typeof text === 'string') {
    try {
      value = parsePythonJson(text)
    } catch (error) {
      return unreadable((error as HermodError).message)
    }
  }
  if (!isObject(value)) return unreadable('it is no object')
  return {
    class: textOf(value, 'class') || NAMELESS,
    module: textOf(value, 'module'),
    message: textOf(value, 'message'),
    tb: linesOf(own(value, 'tb')),
    args: listOf(own(value, 'args')),
    kwargs: objectOf(own(value, 'kwargs')),
  }
}

function unreadable(why: string): Failure {
  return {
    class: 'UnreadableFailure',
    module: 'hermod',
    message: `the server sent a failure that cannot be read: ${why}`,
    tb: [],
    args: [],
    kwargs: {},
  }
}

function own(value: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

function textOf(value: JsonObject, key: string): string {
  const member = own(value, key)
  return typeof member === 'string' ? member : ''
}

function listOf(member: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(member) ? member : []
}

function objectOf(member: JsonValue | undefined): JsonObject {
  return member !== undefined && isObject(member) ? member : {}
}

/** Some servers send the traceback as one text. */
function linesOf(member: JsonValue | undefined): readonly string[] {
  if (typeof member === 'string') return [member]
  return listOf(member).filter((line) => typeof line === 'string')
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

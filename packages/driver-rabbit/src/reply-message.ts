import { stringifyJson, type JsonObject, type JsonValue } from '@hermod/kernel'
import type { Reply } from '@hermod/messaging'
import { envelopeText } from './message-text.ts'

/**
 * The body of a reply, which ends its call.
 *
 * @throws {EncodeError} E_ENCODE when the result has no JSON form.
 * @source oslo.messaging _drivers/amqpdriver.py _send_reply
 */
export function replyText({ result, failure }: Reply, msgId: string, uniqueId: string): string {
  const value =
    failure === undefined
      ? `"result":${stringifyJson(result)},"failure":null`
      : `"result":null,"failure":${JSON.stringify(failureText(failure))}`
  return replyEnvelope(value, true, msgId, uniqueId)
}

/** The body of a sign of life: a reply that ends nothing. */
export function heartbeatText(msgId: string, uniqueId: string): string {
  return replyEnvelope('"result":null,"failure":null', false, msgId, uniqueId)
}

/** @param msgId as the caller wrote it: any text. */
function replyEnvelope(value: string, ending: boolean, msgId: string, uniqueId: string): string {
  const ids = `"_msg_id":${JSON.stringify(msgId)},"_unique_id":"${uniqueId}"`
  return envelopeText(`{${value},"ending":${ending},${ids}}`)
}

/** @source oslo.messaging _drivers/common.py serialize_remote_exception */
function failureText(failure: NonNullable<Reply['failure']>): string {
  const { class: name, module, message, tb, args, kwargs } = failure
  return stringifyJson({ class: name, module, message, tb, args, kwargs })
}

/** A message of a call's server: its reply, a part of it, or a sign of life. */
export interface ReplyPart {
  /** Undefined for a message that is no reply. */
  readonly msgId: string | undefined
  readonly result: JsonValue
  /** Null: the method succeeded, so far. */
  readonly failure: JsonValue
  /** Whether the call ends with it. Servers before oslo.messaging 4 send the value first and the end in a second one. */
  readonly ending: boolean
}

/** Reads a message that came to a queue for replies; what it lacks reads as null. */
export function readReplyPart(message: JsonObject): ReplyPart {
  const { _msg_id: msgId, result = null, failure = null, ending } = message
  return {
    msgId: typeof msgId === 'string' ? msgId : undefined,
    result,
    failure,
    ending: ending === true,
  }
}

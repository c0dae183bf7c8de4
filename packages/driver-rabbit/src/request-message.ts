import { stringifyJson } from '@hermod/kernel'
import type { OutgoingRequest } from '@hermod/messaging'
import { contextMembers, envelopeText, withMembers } from './message-text.ts'

/** Who waits for the reply of a request, and where. */
export interface ReplyAddress {
  readonly msgId: string
  readonly replyQueue: string
  /** The server is to give a sign of life within this time; undefined: it need not. */
  readonly monitorTimeoutMs: number | undefined
}

/** A request in writing, before it is known where its reply goes: what it was made of may change from now on. */
export interface WrittenRequest {
  readonly message: string
  readonly context: string
}

/** @throws {EncodeError} E_ENCODE when arguments or context have no JSON form. */
export function writeRequest({ message, context }: OutgoingRequest): WrittenRequest {
  return { message: stringifyJson(message), context: contextMembers(context) }
}

/**
 * The body of a request: `method`, `args`, `namespace`, `version`, then, where a reply is wanted, `_msg_id`, `_reply_q`
 * and `_timeout` (seconds or null), `_unique_id`, and the context.
 *
 * @source oslo.messaging rpc/client.py _make_message, _drivers/amqpdriver.py _send, _drivers/amqp.py pack_context
 */
export function requestText(
  { message, context }: WrittenRequest,
  uniqueId: string,
  reply?: ReplyAddress,
): string {
  let members = ''
  if (reply !== undefined) {
    const { msgId, replyQueue, monitorTimeoutMs } = reply
    const timeout = monitorTimeoutMs === undefined ? 'null' : monitorTimeoutMs / 1000
    members = `,"_msg_id":"${msgId}","_reply_q":${JSON.stringify(replyQueue)},"_timeout":${timeout}`
  }
  return envelopeText(withMembers(message, `${members},"_unique_id":"${uniqueId}"${context}`))
}

import { stringifyJson } from '@hermod/kernel'
import type { NotifyOptions, OutgoingNotification } from '@hermod/messaging'
import { contextMembers, envelopeText, withMembers } from './message-text.ts'

/**
 * The body of a notification: its members, `_unique_id`, and the context.
 *
 * @throws {EncodeError} E_ENCODE when payload or context have no JSON form.
 * @source oslo.messaging notify/notifier.py _notify, _drivers/amqpdriver.py _send
 */
export function notificationText(
  { message, context }: OutgoingNotification,
  uniqueId: string,
  envelope: NotifyOptions['envelope'],
): string {
  const members = `,"_unique_id":"${uniqueId}"${contextMembers(context)}`
  const text = withMembers(stringifyJson(message), members)
  return envelope === '1.0' ? text : envelopeText(text)
}

import { preconditionFailed } from '../amqp-error.ts'
import { carbonCopyKeys } from './carbon-copies.ts'
import type { TableLimits } from './field-table.ts'
import {
  headersOf,
  parseExpiration,
  rewriteProperties,
  scanProperties,
  shortStringAt,
} from './message-properties.ts'
import type { Message } from './message.ts'

/**
 * Holds the properties of a message to what they may say, in RabbitMQ's order, and notes what queues need of them.
 *
 * @throws {AmqpError} 406
 * @source rabbit_channel:handle_method(basic.publish), rabbit_basic:make_message
 */
export function admitProperties(message: Message, user: string, limits: TableLimits): void {
  const { userId, expiration } = scanProperties(message, limits)
  if (userId !== 0) {
    const claimed = shortStringAt(message, userId)
    if (claimed !== user) {
      throw preconditionFailed(`user_id property set to '${claimed}' but authenticated user was '${user}'`)
    }
  }
  if (expiration !== 0) message.expirationMs = parseExpiration(shortStringAt(message, expiration))
  if (message.tableOffset !== 0 && mayHaveCopies(message)) admitCopies(message, limits)
}

const C = 0x43

/** Whether `CC` stands anywhere in the table: most messages are spared to have theirs read. */
function mayHaveCopies({ header, headerStart, headerEnd, tableOffset }: Message): boolean {
  for (let at = headerStart + tableOffset; at < headerEnd - 1; at++) {
    if (header[at] === C && header[at + 1] === C) return true
  }
  return false
}

/** Notes the further keys, and takes out the header that nobody may see. */
function admitCopies(message: Message, limits: TableLimits): void {
  const headers = headersOf(message)
  message.extraKeys = carbonCopyKeys(headers)
  if (!headers.has('BCC')) return
  const kept = new Map(headers)
  kept.delete('BCC')
  const header = rewriteProperties(message, { headers: kept })
  message.header = header
  message.headerStart = 0
  message.headerEnd = header.length
  scanProperties(message, limits)
}

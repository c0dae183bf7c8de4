import type { HermodError } from '@hermod/kernel'

/** The last of the codes that say nothing of what was asked: 320, an operator closed the connection. */
const CONNECTION_FORCED = 320

/**
 * Whether the broker closed the whole connection over something that it was asked. RabbitMQ does so over an exchange
 * of a type that it does not know (503: its plug-in is gone) and, from 4.3 on, over a transient queue (541). To ask the
 * same again after the reconnect would go on for ever.
 *
 * @source AMQP 0-9-1 §1.2, the reply codes that are hard errors
 */
export function isHardError(error: HermodError): boolean {
  const replyCode = error.code === 'E_CONN_LOST' ? error.details['replyCode'] : undefined
  return typeof replyCode === 'number' && replyCode > CONNECTION_FORCED
}

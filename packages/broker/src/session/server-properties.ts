import type { FieldTable } from '@hermod/amqp'
import type { Advertisement } from './session-host.ts'

/** Clients use these only when they are announced. */
const CAPABILITIES: FieldTable = {
  publisher_confirms: true,
  exchange_exchange_bindings: true,
  'basic.nack': true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
  consumer_priorities: true,
  authentication_failure_close: true,
  per_consumer_qos: true,
  direct_reply_to: true,
}

/**
 * What connection.start says.
 * @source rabbit_reader:server_properties
 */
export function serverProperties({ product, version }: Advertisement): FieldTable {
  return {
    capabilities: CAPABILITIES,
    cluster_name: 'hermod',
    copyright: '',
    information: 'memory only: nothing outlives this process',
    platform: `Node.js ${process.versions.node}`,
    product,
    version,
  }
}

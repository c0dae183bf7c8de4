/**
 * The driver of `rabbit://` and `kombu://` transports: oslo.messaging over RabbitMQ.
 *
 * @packageDocumentation
 */
export { notificationText } from './notification-message.ts'
export {
  RABBIT_GROUP,
  RABBIT_OPTIONS,
  type RabbitOption,
  type RabbitOptionRule,
} from './rabbit-option-table.ts'
export { readRabbitOptions, type RabbitOptionSources, type ReadRabbitOptions } from './rabbit-options.ts'
export { guestNotes, rabbitConnectionOptions, rabbitServers, type RabbitServers } from './rabbit-servers.ts'
export type { RabbitOptions, RabbitSettings } from './rabbit-settings.ts'
export { RabbitTopology, type StreamOffset, type TopologySettings } from './rabbit-topology.ts'
export { rabbit, type RabbitDriverConfig } from './rabbit.ts'

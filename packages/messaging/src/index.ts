/**
 * What oslo.messaging is made of whatever carries it: envelopes, notifications, transport URLs, conf files.
 *
 * @packageDocumentation
 */
export { parseConf, readConfFile } from './conf-file.ts'
export {
  MAX_BODY_BYTES,
  readEnvelope,
  wrapEnvelope,
  type Envelope,
  type ReadEnvelopeOptions,
} from './envelope.ts'
export {
  controlExchangeFromConf,
  notificationTopicsFromConf,
  rabbitConfFrom,
  transportUrlFromConf,
  type RabbitConf,
} from './messaging-conf.ts'
export { PRIORITIES, readNotification, type Notification, type Priority } from './notification.ts'
export { OsloConf, type ConfEntry, type ConfSections } from './oslo-conf.ts'
export { DEFAULT_TRANSPORT_URL, parseTransportUrl } from './parse-transport-url.ts'
export {
  TransportHost,
  TransportUrl,
  type TransportHostParts,
  type TransportUrlParts,
} from './transport-url.ts'

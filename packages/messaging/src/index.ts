/**
 * What oslo.messaging is made of whatever carries it: envelopes, notifications, transport URLs, conf files.
 *
 * @packageDocumentation
 */
export {
  MAX_BODY_BYTES,
  readEnvelope,
  wrapEnvelope,
  type Envelope,
  type ReadEnvelopeOptions,
} from './envelope.ts'
export { PRIORITIES, readNotification, type Notification, type Priority } from './notification.ts'

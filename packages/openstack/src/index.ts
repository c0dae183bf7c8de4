/**
 * What services of OpenStack send: the catalogue of their notifications, one form for all of them, and masks for
 * the secrets in them.
 *
 * @packageDocumentation
 */
export type { ActivityEvent } from './activity/activity-event.ts'
export { cloudActivity, type CloudActivityOptions } from './activity/cloud-activity.ts'
export {
  findEvents,
  loadCatalogue,
  type Catalogue,
  type CatalogueEntry,
  type CatalogueEvent,
  type CatalogueService,
} from './catalogue.ts'
export { eventSample, sampledEventTypes, type EventSample } from './event-samples.ts'
export { eventToRecord, RECORD_VERSION, type EventRecord } from './event-record.ts'
export type { Identity, Initiator } from './identity.ts'
export { knownExchanges, knownTopics, servicesOf } from './known-exchanges.ts'
export { maskSecrets, type MaskedValue } from './mask-secrets.ts'
export {
  normalizeNotification,
  type NormalizeOptions,
  type RawNotification,
} from './normalize-notification.ts'
export type { EventFacts, EventSchema, EventTransport } from './event-facts.ts'
export { NotificationEvent } from './notification-event.ts'
export type { Phase } from './phase.ts'
export type { Publisher } from './publisher.ts'
export type { Resource } from './resource.ts'
export { rpcExchangeOf, serviceOfRpcTarget } from './rpc-topics.ts'
export { serviceOf, serviceOfType, type ServiceClues } from './service-of.ts'
export { toIsoTime } from './timestamp.ts'

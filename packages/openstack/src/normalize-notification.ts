import { createHash } from 'node:crypto'
import type { JsonValue } from '@hermod/kernel'
import { readEnvelope, readNotification, type Notification } from '@hermod/messaging'
import { hostOf } from './host.ts'
import { identityOf, isCadfEvent } from './identity.ts'
import { maskSecrets } from './mask-secrets.ts'
import { NotificationEvent } from './notification-event.ts'
import { phaseOf, type Phase } from './phase.ts'
import { parsePublisher } from './publisher.ts'
import { resourceOf } from './resource.ts'
import { serviceOf } from './service-of.ts'
import { toIsoTime } from './timestamp.ts'
import { memberOf, textOf } from './value-at.ts'
import { unwrapVersionedObjects } from './versioned-object.ts'

/** A notification as a broker delivered it. */
export interface RawNotification {
  readonly body: Uint8Array
  /** As the message says; bodies are read as JSON whatever it says, since old publishers leave it out. */
  readonly contentType?: string | undefined
  readonly exchange: string
  readonly routingKey: string
  readonly queue: string
  readonly redelivered: boolean
  readonly receivedAt: Date
}

/** How {@link normalizeNotification} works. */
export interface NormalizeOptions {
  /** Whether secrets are masked; true. With false the event holds whatever the sender put into it. */
  readonly mask?: boolean | undefined
}

/**
 * Makes one form of all that services of OpenStack send: envelopes opened, versioned objects unwrapped, times in
 * UTC, the usual ids found, and secrets masked in payload and context. An event type that the catalogue does not
 * know gets all the same.
 *
 * @throws {DecodeError} E_DECODE for a body that is no notification: not JSON, no object, a remote call, or without
 *   `event_type`; never with a part of the body.
 */
export function normalizeNotification(
  raw: RawNotification,
  options: NormalizeOptions = {},
): NotificationEvent {
  const { version, message } = readEnvelope(raw.body)
  const notification = readNotification(message)
  const { eventType } = notification
  const unwrapped = unwrapVersionedObjects(notification.payload)
  const { payload, context, masked } =
    (options.mask ?? true)
      ? maskBoth(unwrapped.payload, notification.context)
      : { payload: unwrapped.payload, context: notification.context, masked: 0 }
  const publisher = parsePublisher(notification.publisherId)
  const service = serviceOf({
    exchange: raw.exchange,
    eventType,
    publisherService: publisher.service,
    objectNamespace: unwrapped.schema?.namespace ?? null,
  })
  const phase = phaseOf(eventType)
  const { schema } = unwrapped
  return new NotificationEvent({
    id: idOf(notification, raw.body),
    time: timeOf(notification, payload, raw.receivedAt),
    receivedAt: raw.receivedAt.toISOString(),
    service,
    type: eventType,
    phase,
    outcome: outcomeOf(payload, phase),
    priority: priorityOf(notification, raw.routingKey),
    publisher,
    resource: resourceOf(eventType, payload),
    ...identityOf(service, eventType, payload, context),
    host: hostOf(eventType, payload, publisher),
    schema: schema === null ? null : { name: schema.name, version: schema.version },
    payload,
    context,
    envelope: version,
    transport: {
      exchange: raw.exchange,
      routingKey: raw.routingKey,
      queue: raw.queue,
      redelivered: raw.redelivered,
    },
    masked,
  })
}

function maskBoth(
  payload: JsonValue,
  context: Notification['context'],
): Pick<NotificationEvent, 'payload' | 'context' | 'masked'> {
  const hiddenPayload = maskSecrets(payload)
  const hiddenContext = maskSecrets(context)
  return {
    payload: hiddenPayload.value,
    context: hiddenContext.value,
    masked: hiddenPayload.masked + hiddenContext.masked,
  }
}

function idOf({ messageId, uniqueId }: Notification, body: Uint8Array): string {
  // An empty id is as good as none: all such messages would be one.
  if (messageId !== null && messageId !== '') return messageId
  if (uniqueId !== null && uniqueId !== '') return uniqueId
  return `sha256:${createHash('sha256').update(body).digest('hex').slice(0, 32)}`
}

function timeOf({ timestamp }: Notification, payload: JsonValue, receivedAt: Date): string {
  return (
    toIsoTime(timestamp) ??
    (isCadfEvent(payload) ? toIsoTime(memberOf(payload, 'eventTime')) : null) ??
    receivedAt.toISOString()
  )
}

function priorityOf({ priority }: Notification, routingKey: string): string {
  return (priority === '' ? routingKey.slice(routingKey.lastIndexOf('.') + 1) : priority).toLowerCase()
}

/** An `.end` alone is no success: cinder says in the payload's status how it went. */
function outcomeOf(payload: JsonValue, phase: Phase | null): string | null {
  if (isCadfEvent(payload)) return textOf(memberOf(payload, 'outcome'))
  if (phase === 'error') return 'failure'
  return phase === 'success' ? 'success' : null
}

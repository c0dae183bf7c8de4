import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { Initiator } from './identity.ts'
import type { Phase } from './phase.ts'
import type { Publisher } from './publisher.ts'
import type { Resource } from './resource.ts'

/** Name and version of a versioned payload. */
export interface EventSchema {
  readonly name: string
  readonly version: string
}

/** How a notification travelled. */
export interface EventTransport {
  readonly exchange: string
  readonly routingKey: string
  readonly queue: string
  /** The broker has delivered it before: it may be seen twice. */
  readonly redelivered: boolean
}

/** Everything that a {@link NotificationEvent} holds. */
export interface EventFacts {
  /** `message_id`; `_unique_id` where that is missing; else a hash of the body, the same at every delivery. */
  readonly id: string
  /** When it happened by the sender's clock: ISO 8601 with `Z`, with as many digits as were sent. */
  readonly time: string
  /** When it was received by ours: ISO 8601 with `Z`. */
  readonly receivedAt: string
  /** `nova`, `keystone`: see `serviceOf` for how it is told. */
  readonly service: string
  /** As on the wire: `compute.instance.create.end`, `identity.project tag.created`. */
  readonly type: string
  readonly phase: Phase | null
  /** What CADF says (`success`, `failure`, `pending`, `unknown`), else what the phase says; often null. */
  readonly outcome: string | null
  /** Lower case, `info` or `error` mostly: the message's own, else the last part of the routing key. */
  readonly priority: string
  readonly publisher: Publisher
  readonly resource: Resource
  /** The owner of the resource, else the project in which the request was made. */
  readonly projectId: string | null
  /** The owner of the resource, else the user who made the request. */
  readonly userId: string | null
  readonly requestId: string | null
  readonly globalRequestId: string | null
  /** Who made the request. */
  readonly initiator: Initiator | null
  /** The host that the event is about, else the publisher's. */
  readonly host: string | null
  /** What a versioned payload calls itself; null for all others. */
  readonly schema: EventSchema | null
  /** Without the wrappers of versioned objects, and without secrets. Mostly an object; glance sends texts too. */
  readonly payload: JsonValue
  /** The request's context without secrets; empty where the service sends none. */
  readonly context: JsonObject
  readonly envelope: '1.0' | '2.0'
  readonly transport: EventTransport
  /** How many secrets were masked in payload and context. */
  readonly masked: number
}

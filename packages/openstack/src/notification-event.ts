import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { EventFacts, EventSchema, EventTransport } from './event-facts.ts'
import { eventToRecord, type EventRecord } from './event-record.ts'
import type { Initiator } from './identity.ts'
import { jsonSafe } from './json-safe.ts'
import type { Phase } from './phase.ts'
import type { Publisher } from './publisher.ts'
import type { Resource } from './resource.ts'

/**
 * One notification of a service of OpenStack, in the same form whatever service and format it came from.
 *
 * Nothing in it is vouched for: any user of the broker can send any notification. Integers beyond 2^53 − 1 are
 * `bigint` in payload and context. `JSON.stringify` writes the record of {@link eventToRecord} and never throws;
 * where `JSON.stringify` cannot write a number (`bigint`, `NaN`) it becomes a text.
 */
export class NotificationEvent implements EventFacts {
  readonly id: string
  readonly time: string
  readonly receivedAt: string
  readonly service: string
  readonly type: string
  readonly phase: Phase | null
  readonly outcome: string | null
  readonly priority: string
  readonly publisher: Publisher
  readonly resource: Resource
  readonly projectId: string | null
  readonly userId: string | null
  readonly requestId: string | null
  readonly globalRequestId: string | null
  readonly initiator: Initiator | null
  readonly host: string | null
  readonly schema: EventSchema | null
  readonly payload: JsonValue
  readonly context: JsonObject
  readonly envelope: '1.0' | '2.0'
  readonly transport: EventTransport
  readonly masked: number

  constructor(facts: EventFacts) {
    this.id = facts.id
    this.time = facts.time
    this.receivedAt = facts.receivedAt
    this.service = facts.service
    this.type = facts.type
    this.phase = facts.phase
    this.outcome = facts.outcome
    this.priority = facts.priority
    this.publisher = facts.publisher
    this.resource = facts.resource
    this.projectId = facts.projectId
    this.userId = facts.userId
    this.requestId = facts.requestId
    this.globalRequestId = facts.globalRequestId
    this.initiator = facts.initiator
    this.host = facts.host
    this.schema = facts.schema
    this.payload = facts.payload
    this.context = facts.context
    this.envelope = facts.envelope
    this.transport = facts.transport
    this.masked = facts.masked
  }

  /** What `JSON.stringify` writes: the record, with numbers that it cannot write as texts. */
  toJSON(): EventRecord {
    const record = eventToRecord(this)
    return { ...record, payload: jsonSafe(record.payload), context: jsonSafe(record.context) as JsonObject }
  }
}

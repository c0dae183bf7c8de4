import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { Initiator } from './identity.ts'
import type { EventFacts, EventSchema } from './event-facts.ts'
import type { Phase } from './phase.ts'
import type { Resource } from './resource.ts'

/** The version of {@link EventRecord}: keys are only ever added under the same number. */
export const RECORD_VERSION = 1

/** An event as it is written to files, pipes and sinks: plain data with stable names. */
export interface EventRecord {
  readonly v: typeof RECORD_VERSION
  readonly id: string
  readonly time: string
  readonly received_at: string
  readonly service: string
  readonly type: string
  readonly phase: Phase | null
  readonly priority: string
  /** The publisher id as it was sent. */
  readonly publisher: string | null
  readonly resource: Resource
  readonly project_id: string | null
  readonly user_id: string | null
  readonly request_id: string | null
  readonly global_request_id: string | null
  readonly outcome: string | null
  readonly initiator: Initiator | null
  readonly host: string | null
  readonly schema: EventSchema | null
  readonly payload: JsonValue
  readonly context: JsonObject
  readonly envelope: '1.0' | '2.0'
  readonly transport: {
    readonly exchange: string
    readonly routing_key: string
    readonly queue: string
    readonly redelivered: boolean
  }
  readonly masked: number
}

/**
 * The stable record of an event. Numbers are as they came, `bigint` and `NaN` included: write it with the kernel's
 * `stringifyJson`, which keeps their digits.
 */
export function eventToRecord(event: EventFacts): EventRecord {
  return {
    v: RECORD_VERSION,
    id: event.id,
    time: event.time,
    received_at: event.receivedAt,
    service: event.service,
    type: event.type,
    phase: event.phase,
    priority: event.priority,
    publisher: event.publisher.id,
    resource: event.resource,
    project_id: event.projectId,
    user_id: event.userId,
    request_id: event.requestId,
    global_request_id: event.globalRequestId,
    outcome: event.outcome,
    initiator: event.initiator,
    host: event.host,
    schema: event.schema,
    payload: event.payload,
    context: event.context,
    envelope: event.envelope,
    transport: {
      exchange: event.transport.exchange,
      routing_key: event.transport.routingKey,
      queue: event.transport.queue,
      redelivered: event.transport.redelivered,
    },
    masked: event.masked,
  }
}

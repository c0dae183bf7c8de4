import type { JsonObject, JsonValue } from '@hermod/kernel'
import type { Priority } from '@hermod/messaging'

/** A notification that a service of a cloud would send now, in the parts that a notifier takes. */
export interface ActivityEvent {
  /** The exchange of the service: `nova`, `neutron`, `keystone`, `cinder`. */
  readonly exchange: string
  readonly publisherId: string
  readonly priority: Priority
  readonly eventType: string
  readonly payload: JsonValue
  readonly context: JsonObject
}

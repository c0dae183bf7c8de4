import type { JsonValue } from '@hermod/kernel'
import type { Publisher } from './publisher.ts'
import { memberOf, textOf } from './value-at.ts'

/** Keys under which payloads name the host that they are about. Nova's `hostname` is the guest's own name. */
const HOST_KEYS: readonly string[] = ['host', 'binding:host_id']

/** Types whose `host_name` is a host of the cloud, and not the guest's name as in nova's instances. */
const NAMED_HOST = /^(?:HostAPI|aggregate)\./

/**
 * The host that an event is about, else the publisher's. A payload that has the key without a value (an instance
 * that is not placed yet) means no host.
 */
export function hostOf(eventType: string, payload: JsonValue, publisher: Publisher): string | null {
  const own = memberOf(payload, eventType.slice(0, Math.max(0, eventType.indexOf('.'))))
  for (const place of [own, payload]) {
    for (const key of HOST_KEYS) {
      const value = memberOf(place, key)
      // CADF has an object there: the initiator's address and agent.
      if (value !== undefined && (value === null || typeof value === 'string')) return textOf(value)
    }
  }
  if (NAMED_HOST.test(eventType)) return textOf(memberOf(payload, 'host_name')) ?? publisher.host
  return publisher.host
}

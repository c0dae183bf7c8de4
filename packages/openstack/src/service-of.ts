import { SERVICE_BY_PUBLISHER, SERVICE_BY_TYPE } from './generated/known-names.ts'
import { servicesOf } from './known-exchanges.ts'

const BY_TYPE: ReadonlyMap<string, string> = new Map(SERVICE_BY_TYPE)
const LONGEST_TYPE = Math.max(...SERVICE_BY_TYPE.map(([type]) => type.length))
const BY_PUBLISHER: ReadonlyMap<string, string> = new Map(SERVICE_BY_PUBLISHER)

/** What tells who sent a notification. */
export interface ServiceClues {
  readonly exchange: string
  readonly eventType: string
  /** The first part of the publisher id. */
  readonly publisherService: string | null
  /** `nova` of a payload wrapped as `nova_object`. */
  readonly objectNamespace: string | null
}

/**
 * The service that sent a notification, by the best clue there is: an exchange of its own, the wrapper of a
 * versioned payload, an event type that only one service sends, its publisher id; else the exchange's name.
 */
export function serviceOf({ exchange, eventType, publisherService, objectNamespace }: ServiceClues): string {
  const owners = servicesOf(exchange)
  // Cinder and others share `openstack`: it names nobody.
  if (owners.length === 1) return owners[0]!
  return (
    objectNamespace ??
    serviceOfType(eventType) ??
    BY_PUBLISHER.get(publisherService ?? '') ??
    publisherService ??
    exchange
  )
}

/** The one service that sends events of this type, when the catalogue knows only one. */
export function serviceOfType(eventType: string): string | undefined {
  const whole = BY_TYPE.get(eventType)
  if (whole !== undefined) return whole
  // No longer than what is known, or a type that is nothing but dots would take time with the square of its length.
  for (
    let dot = eventType.lastIndexOf('.', LONGEST_TYPE);
    dot > 0;
    dot = eventType.lastIndexOf('.', dot - 1)
  ) {
    const service = BY_TYPE.get(`${eventType.slice(0, dot)}.*`)
    if (service !== undefined) return service
  }
  return undefined
}

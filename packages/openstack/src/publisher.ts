import { HOSTLESS_PUBLISHERS, SERVICE_BY_PUBLISHER } from './generated/known-names.ts'

/** Who says to have sent a notification. Nothing vouches for it: any user of the broker can write any id. */
export interface Publisher {
  /** The `publisher_id` as it was sent; octavia sends none. */
  readonly id: string | null
  /** Its first part: `compute`, `nova-compute`, `identity`. */
  readonly service: string | null
  /** Its second part, where that is a host; cinder's may be `host@backend#pool`. */
  readonly host: string | null
}

const NOBODY: Publisher = Object.freeze({ id: null, service: null, host: null })
const HOSTLESS: ReadonlySet<string> = new Set(HOSTLESS_PUBLISHERS)
/** Without a separator an id may be a host (trove's) or a service (the audit filter's); these are services. */
const SERVICES: ReadonlySet<string> = new Set([
  ...HOSTLESS_PUBLISHERS,
  ...SERVICE_BY_PUBLISHER.map(([service]) => service),
])

/** Parts before the separator after which no host follows: `aggregate.7` names an aggregate. */
const HOSTLESS_SERVICES: ReadonlySet<string> = new Set(['aggregate'])

/**
 * A publisher id taken apart at its first `.` or `:`.
 *
 * @source nova, watcher and masakari put `:` into the ids of versioned notifications; everybody else uses `.`;
 *   ironic's sensors send Python's `None.<host>`
 */
export function parsePublisher(id: string | null): Publisher {
  if (id === null || id === '') return NOBODY
  const at = id.search(/[.:]/)
  if (at < 0) return SERVICES.has(id) ? { id, service: id, host: null } : { id, service: null, host: id }
  const service = id.slice(0, at)
  const host = HOSTLESS.has(id) || HOSTLESS_SERVICES.has(service) ? '' : id.slice(at + 1)
  return {
    id,
    service: service === '' || service === 'None' ? null : service,
    host: host === '' ? null : host,
  }
}

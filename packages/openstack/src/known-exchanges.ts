import { KNOWN_TOPICS, SERVICES_BY_EXCHANGE } from './generated/known-names.ts'

const EXCHANGES: readonly string[] = Object.freeze(SERVICES_BY_EXCHANGE.map(([exchange]) => exchange))
const TOPICS: readonly string[] = Object.freeze([...KNOWN_TOPICS])
const SERVICES: ReadonlyMap<string, readonly string[]> = new Map(SERVICES_BY_EXCHANGE)

/**
 * The exchanges on which services of OpenStack publish notifications: every service's default, its own name (which
 * operators set as `control_exchange`), and those that ceilometer listens to. Sorted.
 */
export function knownExchanges(): readonly string[] {
  return EXCHANGES
}

/** The topics of notifications: the beginnings of their routing keys, up to `.<priority>`. */
export function knownTopics(): readonly string[] {
  return TOPICS
}

/**
 * The services that publish on an exchange by default or by custom; none for an exchange nobody knows. Several
 * share `openstack`, the default of whoever sets none.
 */
export function servicesOf(exchange: string): readonly string[] {
  return SERVICES.get(exchange) ?? []
}

import { servicesOf } from './known-exchanges.ts'

/**
 * The topics that services take remote calls on by default.
 * @source each service's rpcapi modules and `topic` options; neutron common/topics.py
 */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  barbican: ['barbican.workers'],
  blazar: ['blazar.manager'],
  cinder: ['cinder-backup', 'cinder-scheduler', 'cinder-volume'],
  cloudkitty: ['cloudkitty'],
  cyborg: ['cyborg-agent', 'cyborg-conductor'],
  designate: ['central', 'mdns', 'producer', 'worker'],
  heat: ['engine', 'engine_worker', 'heat-engine-listener'],
  ironic: ['ironic.conductor_manager', 'ironic-inspector'],
  magnum: ['magnum-conductor'],
  manila: ['manila-data', 'manila-scheduler', 'manila-share'],
  masakari: ['ha_engine'],
  mistral: ['mistral_engine', 'mistral_event_engine', 'mistral_executor', 'mistral_notifier'],
  neutron: ['dhcp_agent', 'l3_agent', 'lbaas_agent', 'metering_agent', 'vpnaas_agent'],
  nova: ['cells', 'cert', 'compute', 'conductor', 'consoleauth', 'scheduler'],
  octavia: ['octavia_provisioning', 'octavia_provisioning_v2'],
  senlin: ['senlin-conductor', 'senlin-engine', 'senlin-health-manager'],
  trove: ['guestagent', 'trove-conductor', 'trove-taskmanager'],
  watcher: ['watcher.applier.control', 'watcher.decision.control'],
  zun: ['zun-compute'],
}

/** Families of topics that differ in the resource or in the plugin, such as `q-agent-notifier-port-update`. */
const PREFIXES: readonly (readonly [prefix: string, service: string])[] = [
  ['q-', 'neutron'],
  ['neutron-vo-', 'neutron'],
  ['n-lbaas', 'neutron'],
]

/**
 * Services that set an exchange of their own; all others use `openstack`.
 * @source each service's call of set_transport_defaults
 */
const OWN_EXCHANGE: ReadonlySet<string> = new Set([
  'barbican',
  'designate',
  'heat',
  'ironic',
  'magnum',
  'masakari',
  'neutron',
  'nova',
  'octavia',
  'watcher',
])

const SERVICE_BY_TOPIC: ReadonlyMap<string, string> = new Map(
  Object.entries(TOPICS).flatMap(([service, topics]) => topics.map((topic) => [topic, service] as const)),
)

/**
 * The service of OpenStack that remote calls to a topic reach; undefined where none is known. What follows a known
 * topic and a dot counts to it (`cinder-volume.host@backend`), and an exchange that one service alone uses stands for
 * that service whatever the topic.
 *
 * Operators can rename topics and exchanges: undefined does not mean that nobody is there.
 */
export function serviceOfRpcTarget(topic: string, exchange?: string): string | undefined {
  for (let end = topic.length; end > 0; end = topic.lastIndexOf('.', end - 1)) {
    const service = SERVICE_BY_TOPIC.get(topic.slice(0, end))
    if (service !== undefined) return service
  }
  const [, family] = PREFIXES.find(([prefix]) => topic.startsWith(prefix)) ?? []
  if (family !== undefined || exchange === undefined) return family
  const owners = servicesOf(exchange)
  return owners.length === 1 ? owners[0] : undefined
}

/** The exchange on which the service of a topic takes remote calls by default; undefined where it sets none of its own. */
export function rpcExchangeOf(topic: string): string | undefined {
  const service = serviceOfRpcTarget(topic)
  return service !== undefined && OWN_EXCHANGE.has(service) ? service : undefined
}

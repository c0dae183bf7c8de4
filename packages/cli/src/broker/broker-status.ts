import type { Broker, ProfileName } from '@hermod/broker'
import type { JsonObject, JsonValue } from '@hermod/kernel'
import { formatDuration } from '../duration.ts'
import { visibleText } from '../visible-text.ts'

/** What is known of a broker from its start. */
export interface BrokerIdentityFacts {
  /** Without a password. */
  readonly url: string
  readonly profile: ProfileName
  readonly virtualHosts: readonly string[]
  readonly users: readonly string[]
  readonly startedAt: Date
  /** Its path. */
  readonly log: string | undefined
}

/** How a broker is doing, as `hermod broker status -o json` shows it. */
export function brokerStatus(broker: Broker, facts: BrokerIdentityFacts, now: Date): JsonObject {
  const stats = broker.stats()
  return {
    running: true,
    pid: process.pid,
    url: facts.url,
    profile: facts.profile,
    started_at: facts.startedAt.toISOString(),
    uptime_ms: Math.max(0, now.getTime() - facts.startedAt.getTime()),
    virtual_hosts: [...facts.virtualHosts],
    users: [...facts.users],
    connections: stats.connections,
    refused_connections: stats.refusedConnections,
    channels: stats.channels,
    consumers: stats.consumers,
    queues: stats.queues,
    messages_ready: stats.ready,
    messages_unsettled: stats.unsettled,
    memory_bytes: stats.memoryBytes,
    memory_limit_bytes: stats.memoryLimitBytes,
    declared_bytes: stats.declaredBytes,
    process_memory_bytes: process.memoryUsage.rss(),
    alarms: [...stats.alarms],
    log: facts.log ?? null,
  }
}

const MIB = 1_048_576

const shown = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null)

/** The same for people. */
export function statusText(status: JsonObject): string {
  const text = (key: string): string => {
    const value = status[key]
    return Array.isArray(value) ? value.map(shown).join(', ') : shown(value)
  }
  const mib = (key: string): string => `${(Number(status[key]) / MIB).toFixed(1)} MiB`
  const rows = [
    [
      'broker',
      `process ${text('pid')}, up ${formatDuration(Number(status['uptime_ms']))} since ${text('started_at')}, in memory only`,
    ],
    ['url', text('url')],
    ['profile', text('profile')],
    ['users', text('users')],
    ['virtual hosts', text('virtual_hosts')],
    [
      'connections',
      `${text('connections')}, with ${text('channels')} channels; ${text('refused_connections')} turned away`,
    ],
    ['queues', `${text('queues')}, with ${text('consumers')} consumers`],
    ['messages', `${text('messages_ready')} ready, ${text('messages_unsettled')} unsettled`],
    [
      'memory',
      `${mib('memory_bytes')} of messages, of at most ${mib('memory_limit_bytes')}, and ${mib('declared_bytes')} of declarations; ${mib('process_memory_bytes')} in all`,
    ],
    ['alarms', text('alarms') || 'none'],
    ...(status['log'] === null ? [] : [['log', text('log')] as const]),
  ] as const
  return rows.map(([name, value]) => `${name.padEnd(13)}  ${visibleText(value)}\n`).join('')
}

import type { BrokerAddress, Dial } from '@hermod/amqp'
import { ConfigurationError, silentLogger, systemClock, type Clock, type Logger } from '@hermod/kernel'
import { knownExchanges, knownTopics } from '@hermod/openstack'

/** What to tap, and within which bounds. */
export interface TapOptions {
  /** The brokers, tried in turn. */
  readonly servers: readonly BrokerAddress[]
  /** The exchanges to tap. Default: every exchange that a service of OpenStack is known to use. */
  readonly exchanges?: readonly string[] | undefined
  /** Topics besides the known ones (`notifications`, `versioned_notifications`, `ironic_versioned_notifications`). */
  readonly topics?: readonly string[] | undefined
  /** Messages that may be on their way at once. Default 500. */
  readonly prefetchCount?: number | undefined
  /** Messages that the broker keeps for the tap at the most; older ones are dropped. Default 50 000. */
  readonly maxLength?: number | undefined
  /** Bytes of bodies that the broker keeps for the tap at the most. Default 64 MiB. */
  readonly maxLengthBytes?: number | undefined
  /** Messages that are kept here until they are taken; older ones are dropped and counted. Default 10 000. */
  readonly ringCapacity?: number | undefined
  /** Bytes of bodies that are kept here at the most. Default 64 MiB. */
  readonly ringCapacityBytes?: number | undefined
  /** How often exchanges are looked for again, milliseconds. Default 30 s. */
  readonly searchIntervalMs?: number | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly heartbeatMs?: number | undefined
  /** Shown by the broker's tools as `connection_name`. */
  readonly name?: string | undefined
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** Opens the byte stream; by default TCP or TLS. */
  readonly dial?: Dial | undefined
  /** Ends the opening of the tap. */
  readonly signal?: AbortSignal | undefined
}

/** Options with every default in its place. */
export interface ResolvedTapOptions {
  readonly servers: readonly BrokerAddress[]
  readonly exchanges: readonly string[]
  readonly topics: readonly string[]
  readonly prefetchCount: number
  readonly maxLength: number
  readonly maxLengthBytes: number
  readonly ringCapacity: number
  readonly ringCapacityBytes: number
  readonly searchIntervalMs: number
  readonly connectTimeoutMs: number | undefined
  readonly heartbeatMs: number | undefined
  readonly name: string
  readonly logger: Logger
  readonly clock: Clock
  readonly dial: Dial | undefined
  readonly signal: AbortSignal | undefined
}

const MIB = 1024 * 1024

/** The bounds of a tap that says nothing else. */
export const TAP_DEFAULTS: {
  readonly prefetchCount: number
  readonly maxLength: number
  readonly maxLengthBytes: number
  readonly ringCapacity: number
  readonly ringCapacityBytes: number
  readonly searchIntervalMs: number
} = Object.freeze({
  prefetchCount: 500,
  maxLength: 50_000,
  maxLengthBytes: 64 * MIB,
  ringCapacity: 10_000,
  ringCapacityBytes: 64 * MIB,
  searchIntervalMs: 30_000,
})

/**
 * Checks options and fills in the defaults.
 * @throws {ConfigurationError} E_CONFIG with every problem that was found.
 */
export function resolveTapOptions(options: TapOptions): ResolvedTapOptions {
  const issues: string[] = []
  const count = (name: keyof typeof TAP_DEFAULTS): number => {
    const value = options[name] ?? TAP_DEFAULTS[name]
    if (!Number.isSafeInteger(value) || value < 1)
      issues.push(`${name} is a whole number above 0, not ${value}`)
    return value
  }
  const { topics = [], exchanges = knownExchanges() } = options
  for (const topic of topics) {
    // The same exchanges carry RPC requests with tokens; a wildcard in a topic would copy those.
    if (topic === '' || /[*#]/.test(topic)) issues.push(`topic '${topic}' is empty or holds a wildcard`)
  }
  for (const exchange of exchanges) {
    if (exchange === '') issues.push('the default exchange cannot be tapped: it has no bindings')
  }
  const resolved: ResolvedTapOptions = {
    servers: options.servers,
    exchanges: [...new Set(exchanges)],
    topics: [...new Set([...knownTopics(), ...topics])],
    prefetchCount: count('prefetchCount'),
    maxLength: count('maxLength'),
    maxLengthBytes: count('maxLengthBytes'),
    ringCapacity: count('ringCapacity'),
    ringCapacityBytes: count('ringCapacityBytes'),
    searchIntervalMs: count('searchIntervalMs'),
    connectTimeoutMs: options.connectTimeoutMs,
    heartbeatMs: options.heartbeatMs,
    name: options.name ?? `hermod-tap:${process.pid}`,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    dial: options.dial,
    signal: options.signal,
  }
  if (issues.length > 0) throw new ConfigurationError(issues)
  return resolved
}

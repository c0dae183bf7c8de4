import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { ConfigurationError, silentLogger, systemClock, type Clock, type Logger } from '@hermod/kernel'
import { DEEPEST_TABLE, LIMITS, type Limits } from './limits.ts'
import { PROFILES, type Profile, type ProfileName } from './profile.ts'
import type { Advertisement } from './session/session-host.ts'
import type { BrokerUser } from './users.ts'

/** How a broker is to be. */
export interface BrokerOptions {
  /** Which RabbitMQ it behaves like; see {@link PROFILES}. Default `rabbitmq-4.2`. */
  readonly profile?: ProfileName | undefined
  /** Who may connect. Default: `guest` with the password `guest`, from this machine alone. */
  readonly users?: readonly BrokerUser[] | undefined
  /** Default: `/`. */
  readonly virtualHosts?: readonly string[] | undefined
  /** Bounds that are to differ from {@link LIMITS}. */
  readonly limits?: Partial<Limits> | undefined
  /**
   * When messages take more than this, publishers are held up until it is a tenth less. Default: 40 % of what this
   * process may have (of the machine's memory, of the container's, of the heap of JavaScript: of the least), 1 GiB at
   * the most.
   */
  readonly memoryLimitBytes?: number | undefined
  /** What connection.tune proposes; the client decides. Default 60; 0 for none. */
  readonly heartbeatSeconds?: number | undefined
  /** The passage of time: TTL, leases, heartbeats, time limits. */
  readonly clock?: Clock | undefined
  readonly logger?: Logger | undefined
  /** What clients are told that this is. Default: its own name, and the version of the profile. */
  readonly advertise?: Partial<Advertisement> | undefined
}

/** {@link BrokerOptions} with everything decided. */
export interface BrokerSettings {
  readonly profile: Profile
  readonly users: readonly BrokerUser[]
  /** Whether the users are the default. */
  readonly guestOnly: boolean
  readonly virtualHosts: readonly string[]
  readonly limits: Limits
  readonly memoryLimitBytes: number
  readonly heartbeatSeconds: number
  readonly clock: Clock
  readonly logger: Logger
  readonly advertise: Advertisement
}

const GUEST: readonly BrokerUser[] = [{ name: 'guest', password: 'guest' }]
const MEMORY_SHARE = 0.4
const MOST_MEMORY_BYTES = 1_073_741_824
const LONGEST_HEARTBEAT_S = 65_535
/** @source AMQP 0-9-1 §4.2.3: every peer takes frames of this size */
const SMALLEST_FRAME_MAX = 4096

/** @throws {ConfigurationError} E_CONFIG naming every option that cannot be used. */
export function brokerSettings(options: BrokerOptions): BrokerSettings {
  const { profile = 'rabbitmq-4.2', users = GUEST, virtualHosts = ['/'], heartbeatSeconds = 60 } = options
  const { memoryLimitBytes = defaultMemoryLimitBytes() } = options
  const limits: Limits = { ...LIMITS, ...withoutUndefined(options.limits ?? {}) }
  const faults = [
    Object.hasOwn(PROFILES, profile)
      ? ''
      : `no profile '${profile}'; there are ${Object.keys(PROFILES).join(', ')}`,
    virtualHosts.length > 0 ? '' : 'a broker needs one virtual host at least',
    ...virtualHosts.map((name) => nameFault('virtual host', name)),
    ...users.map(({ name }) => nameFault('user', name)),
    ...Object.entries(limits).map(([name, value]) =>
      Number.isFinite(value) && value >= 0 ? '' : `limit '${name}' must be a number from 0 on`,
    ),
    limits.frameMax >= SMALLEST_FRAME_MAX ? '' : `limit 'frameMax' must be ${SMALLEST_FRAME_MAX} or more`,
    limits.channelMax >= 1 && limits.channelMax <= 65_535 ? '' : `limit 'channelMax' must be from 1 to 65535`,
    limits.maxTableDepth <= DEEPEST_TABLE ? '' : `limit 'maxTableDepth' must be ${DEEPEST_TABLE} or less`,
    memoryLimitBytes > 0 ? '' : `'memoryLimitBytes' must be more than 0`,
    Number.isInteger(heartbeatSeconds) && heartbeatSeconds >= 0 && heartbeatSeconds <= LONGEST_HEARTBEAT_S
      ? ''
      : `'heartbeatSeconds' must be a whole number from 0 to ${LONGEST_HEARTBEAT_S}`,
  ].filter((fault) => fault !== '')
  if (faults.length > 0) throw new ConfigurationError(faults)
  return {
    profile: PROFILES[profile],
    users,
    guestOnly: options.users === undefined,
    virtualHosts,
    limits,
    memoryLimitBytes,
    heartbeatSeconds,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    advertise: {
      product: options.advertise?.product ?? 'Hermod',
      version: options.advertise?.version ?? PROFILES[profile].version,
    },
  }
}

const nameFault = (what: string, name: string): string =>
  name !== '' && Buffer.byteLength(name) <= 255 ? '' : `the name of a ${what} has 1 to 255 bytes`

const withoutUndefined = (limits: Partial<Limits>): Partial<Limits> =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))

/** Small messages are objects of the heap more than bytes, which lie elsewhere. */
function defaultMemoryLimitBytes(): number {
  // Node says 0, or more than there is, where no container bounds it.
  const containerBytes = process.constrainedMemory() || Infinity
  const leastBytes = Math.min(totalmem(), containerBytes, getHeapStatistics().heap_size_limit)
  return Math.min(MOST_MEMORY_BYTES, Math.floor(leastBytes * MEMORY_SHARE))
}

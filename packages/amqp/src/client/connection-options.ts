import {
  ConfigurationError,
  ConnectionError,
  isHermodError,
  redactingLogger,
  silentLogger,
  systemClock,
  type BackoffOptions,
  type Clock,
  type Logger,
} from '@hermod/kernel'
import { FRAME_MIN_SIZE } from '../wire/constants.ts'
import type { FieldTable } from '../wire/field-table.ts'
import { parseAmqpUrl, type AmqpUrl, type BrokerAddress } from './broker-address.ts'
import type { ConnectionStatus } from './connection-events.ts'
import type { CredentialsSource } from './credentials.ts'
import { dialInPlace, type Dial } from './dial.ts'
import type { SaslMechanism } from './sasl.ts'

/** How a connection is made and kept. */
export interface ConnectionOptions {
  /** Shown by the broker's tools as `connection_name`. Default: program and process id. */
  readonly name?: string | undefined
  /** More client properties, for example `product`, which replaces ours. */
  readonly clientProperties?: FieldTable | undefined
  /** What this side proposes for heartbeats, milliseconds (whole seconds on the wire); the smaller of both counts; 0: none. Default 20 s, or the URL's. */
  readonly heartbeatMs?: number | undefined
  /** For each attempt on one server, from dialling to open, milliseconds. Default 10 s, or the URL's. */
  readonly connectTimeoutMs?: number | undefined
  /** How long an operation waits for the broker's answer when it says nothing itself, milliseconds. Default 30 s. */
  readonly operationTimeoutMs?: number | undefined
  /** Waits between attempts to reconnect, which never end by themselves; `false`: the connection ends when it is lost. */
  readonly reconnect?: Partial<BackoffOptions> | false | undefined
  /** How many more times all servers are tried before `connect` rejects, with the waits of `reconnect`. Default 0. */
  readonly connectRetries?: number | undefined
  /** In which order several servers are tried: `random` (default) spreads the clients, `given` prefers the first. */
  readonly serverOrder?: 'random' | 'given' | undefined
  /** Gives the password or token, instead of those in the URL. */
  readonly credentials?: CredentialsSource | undefined
  /**
   * How long publishers wait while the broker blocks the connection (`connection.blocked`), milliseconds: what waits
   * by then rejects, and publishing fails at once until it is unblocked. Default 60 s; `Infinity`: they wait on.
   */
  readonly blockedTimeoutMs?: number | undefined
  /** Gets every event of the connection, also those of the first attempt, before there is anything to listen to. */
  readonly onStatus?: ((status: ConnectionStatus) => void) | undefined
  /** The login mechanism; by default the URL's, or PLAIN, else AMQPLAIN, whichever the broker offers. */
  readonly mechanism?: SaslMechanism | undefined
  /** The largest frame that this side proposes, bytes, at least 4096. Default 131072. */
  readonly frameMax?: number | undefined
  /** The highest channel number that this side proposes. Default 2047. */
  readonly channelMax?: number | undefined
  /** The largest body that is accepted, bytes. Default 128 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Opens the byte stream; by default TCP or TLS. */
  readonly dial?: Dial | undefined
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal | undefined
}

/** Options with every default in its place. */
export interface ResolvedConnectionOptions {
  /** The servers to try in the next pass. */
  readonly servers: () => readonly AmqpUrl[] | Promise<readonly AmqpUrl[]>
  readonly name: string
  readonly clientProperties: FieldTable
  /** Undefined: the URL's, or the default. */
  readonly heartbeatMs: number | undefined
  /** Undefined: the URL's, or the default. */
  readonly connectTimeoutMs: number | undefined
  readonly operationTimeoutMs: number
  readonly blockedTimeoutMs: number
  readonly reconnect: Partial<BackoffOptions> | false
  readonly connectRetries: number
  readonly serverOrder: 'random' | 'given'
  readonly credentials: CredentialsSource | undefined
  readonly onStatus: (status: ConnectionStatus) => void
  readonly mechanism: SaslMechanism | undefined
  readonly frameMax: number
  readonly channelMax: number
  readonly maxBodyBytes: number
  readonly dial: Dial
  readonly logger: Logger
  readonly clock: Clock
}

export const CONNECTION_DEFAULTS: {
  readonly heartbeatMs: number
  readonly connectTimeoutMs: number
  readonly operationTimeoutMs: number
  readonly blockedTimeoutMs: number
  readonly frameMax: number
  readonly channelMax: number
  readonly maxBodyBytes: number
} = Object.freeze({
  heartbeatMs: 20_000,
  connectTimeoutMs: 10_000,
  operationTimeoutMs: 30_000,
  blockedTimeoutMs: 60_000,
  frameMax: 131_072,
  channelMax: 2047,
  maxBodyBytes: 128 * 1024 * 1024,
})

/** A server: a URL, or an address that is taken apart already. */
export type ServerTarget = string | BrokerAddress

/**
 * Where to connect: a server, several (also as URLs in one text, separated by `;` as kombu has them), or a function
 * that finds them, which is asked before each pass over all of them.
 */
export type ConnectionTarget =
  | ServerTarget
  | readonly ServerTarget[]
  | (() => ServerTarget | readonly ServerTarget[] | Promise<ServerTarget | readonly ServerTarget[]>)

type NumberOption = keyof typeof CONNECTION_DEFAULTS

/**
 * Checks options and fills in the defaults.
 * @throws {ConfigurationError} E_CONFIG with every problem that was found.
 * @throws {InvalidUrlError} E_URL
 */
export function resolveConnectionOptions(
  target: ConnectionTarget,
  options: ConnectionOptions,
): ResolvedConnectionOptions {
  const issues: string[] = []
  const known = typeof target === 'function' ? undefined : addresses(target)
  if (known?.length === 0) issues.push('there is no server to connect to')
  const wholeNumber = (name: NumberOption, least: number, most: number): number => {
    const value = options[name] ?? CONNECTION_DEFAULTS[name]
    if (!Number.isInteger(value) || value < least || value > most)
      issues.push(`${name} is ${value}; it is a whole number from ${least} to ${most}`)
    return value
  }
  const orUnlimited = (name: string, value: number, least: number): number => {
    if (value !== Infinity && (!Number.isInteger(value) || value < least))
      issues.push(`${name} is ${value}; it is a whole number from ${least} on, or Infinity`)
    return value
  }
  const { serverOrder = 'random' } = options
  if (!['random', 'given'].includes(serverOrder))
    issues.push(`serverOrder is '${serverOrder}'; it is 'random' or 'given'`)
  // An address's own figures count where the options have none; both are checked here, once.
  const heartbeatMs = wholeNumber('heartbeatMs', 0, 65_535_000)
  const connectTimeoutMs = wholeNumber('connectTimeoutMs', 1, 0x7fff_ffff)
  const resolved: ResolvedConnectionOptions = {
    servers: typeof target === 'function' ? () => found(target) : () => known as readonly AmqpUrl[],
    name: options.name ?? `hermod:${process.pid}`,
    clientProperties: options.clientProperties ?? {},
    heartbeatMs: options.heartbeatMs === undefined ? undefined : heartbeatMs,
    connectTimeoutMs: options.connectTimeoutMs === undefined ? undefined : connectTimeoutMs,
    operationTimeoutMs: wholeNumber('operationTimeoutMs', 1, 0x7fff_ffff),
    blockedTimeoutMs: orUnlimited(
      'blockedTimeoutMs',
      options.blockedTimeoutMs ?? CONNECTION_DEFAULTS.blockedTimeoutMs,
      0,
    ),
    reconnect: options.reconnect ?? {},
    connectRetries: orUnlimited('connectRetries', options.connectRetries ?? 0, 0),
    serverOrder,
    credentials: options.credentials,
    onStatus: options.onStatus ?? (() => {}),
    mechanism: options.mechanism,
    frameMax: wholeNumber('frameMax', FRAME_MIN_SIZE, 0x7fff_ffff),
    channelMax: wholeNumber('channelMax', 1, 0xffff),
    maxBodyBytes: wholeNumber('maxBodyBytes', 0, Number.MAX_SAFE_INTEGER),
    dial: options.dial ?? dialInPlace,
    logger: redactingLogger(options.logger ?? silentLogger),
    clock: options.clock ?? systemClock,
  }
  if (issues.length > 0) throw new ConfigurationError(issues)
  return resolved
}

function addresses(target: ServerTarget | readonly ServerTarget[]): AmqpUrl[] {
  const targets = Array.isArray(target) ? (target as readonly ServerTarget[]) : [target as ServerTarget]
  return targets.flatMap((one: unknown) => {
    if (typeof one === 'string') return one.split(BETWEEN_URLS).map((url) => parseAmqpUrl(url))
    if (isAddress(one)) return [one]
    throw new ConfigurationError(['a server is a URL, or an address as parseAmqpUrl gives it'])
  })
}

function isAddress(value: unknown): value is BrokerAddress {
  return typeof value === 'object' && value !== null && 'hostname' in value && 'port' in value
}

async function found(find: Extract<ConnectionTarget, () => unknown>): Promise<readonly AmqpUrl[]> {
  let servers: readonly AmqpUrl[]
  try {
    servers = addresses(await find())
  } catch (error) {
    if (isHermodError(error)) throw error
    throw new ConnectionError('dns', 'the function that finds the servers failed', { cause: error })
  }
  if (servers.length === 0) throw new ConnectionError('dns', 'the function that finds the servers found none')
  return servers
}

/** A password may hold a `;`, so only one in front of a scheme divides. */
const BETWEEN_URLS = /\s*;\s*(?=amqps?:\/\/)/i

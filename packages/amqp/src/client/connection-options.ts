import {
  ConfigurationError,
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
import { dial, type Dial } from './dial.ts'
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
  /** The login mechanism; by default PLAIN, else AMQPLAIN, whichever the broker offers. */
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
  readonly servers: readonly BrokerAddress[]
  readonly name: string
  readonly clientProperties: FieldTable
  readonly heartbeatMs: number
  readonly connectTimeoutMs: number
  readonly operationTimeoutMs: number
  readonly reconnect: Partial<BackoffOptions> | false
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
  readonly frameMax: number
  readonly channelMax: number
  readonly maxBodyBytes: number
} = Object.freeze({
  heartbeatMs: 20_000,
  connectTimeoutMs: 10_000,
  operationTimeoutMs: 30_000,
  frameMax: 131_072,
  channelMax: 2047,
  maxBodyBytes: 128 * 1024 * 1024,
})

/** Where to connect: URLs, or addresses that are already taken apart. Several are tried in turn. */
export type ConnectionTarget = string | BrokerAddress | readonly (string | BrokerAddress)[]

/**
 * Checks options and fills in the defaults.
 * @throws {ConfigurationError} E_CONFIG with every problem that was found.
 * @throws {InvalidUrlError} E_URL
 */
export function resolveConnectionOptions(
  target: ConnectionTarget,
  options: ConnectionOptions,
): ResolvedConnectionOptions {
  const targets: readonly (string | BrokerAddress)[] = Array.isArray(target)
    ? (target as readonly (string | BrokerAddress)[])
    : [target as string | BrokerAddress]
  const servers: AmqpUrl[] = targets.map((one) => (typeof one === 'string' ? parseAmqpUrl(one) : one))
  const issues: string[] = []
  if (servers.length === 0) issues.push('there is no server to connect to')
  const number = (
    name: keyof typeof CONNECTION_DEFAULTS,
    fromUrl: number | undefined,
    least: number,
    most: number,
  ): number => {
    const value = options[name] ?? fromUrl ?? CONNECTION_DEFAULTS[name]
    if (!Number.isInteger(value) || value < least || value > most)
      issues.push(`${name} is ${value}; it is a whole number from ${least} to ${most}`)
    return value
  }
  const resolved: ResolvedConnectionOptions = {
    servers,
    name: options.name ?? `hermod:${process.pid}`,
    clientProperties: options.clientProperties ?? {},
    heartbeatMs: number('heartbeatMs', servers[0]?.heartbeatMs, 0, 65_535_000),
    connectTimeoutMs: number('connectTimeoutMs', servers[0]?.connectTimeoutMs, 1, 0x7fff_ffff),
    operationTimeoutMs: number('operationTimeoutMs', undefined, 1, 0x7fff_ffff),
    reconnect: options.reconnect ?? {},
    mechanism: options.mechanism,
    frameMax: number('frameMax', undefined, FRAME_MIN_SIZE, 0x7fff_ffff),
    channelMax: number('channelMax', undefined, 1, 0xffff),
    maxBodyBytes: number('maxBodyBytes', undefined, 0, Number.MAX_SAFE_INTEGER),
    dial: options.dial ?? dial,
    logger: redactingLogger(options.logger ?? silentLogger),
    clock: options.clock ?? systemClock,
  }
  if (issues.length > 0) throw new ConfigurationError(issues)
  return resolved
}

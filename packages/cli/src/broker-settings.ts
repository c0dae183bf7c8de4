import { parseAmqpUrl, type BrokerAddress, type TlsOptions } from '@hermod/amqp'
import { RABBIT_GROUP, rabbitServers, readRabbitOptions } from '@hermod/driver-rabbit'
import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import type { OsloConf, TransportUrl } from '@hermod/messaging'

/** Brokers to try in turn, and what their URL says about the connection. */
export interface BrokerSettings {
  readonly servers: readonly BrokerAddress[]
  readonly heartbeatMs: number | undefined
  readonly connectTimeoutMs: number | undefined
  /** Whether the URL holds a password. */
  readonly holdsPassword: boolean
  /** What the user should know about them, a sentence each. */
  readonly notes: readonly string[]
}

/** The schemes of oslo.messaging whose broker speaks AMQP 0-9-1. */
const OSLO_SCHEMES: readonly string[] = ['rabbit', 'kombu']

const HEARTBEAT = 'heartbeat_timeout_threshold'

/**
 * The broker of an `amqp://` or `amqps://` URL.
 *
 * @param tls asks for TLS in a certain way, which contradicts `amqp:`.
 * @throws {InvalidUrlError} E_URL, without the URL in its text.
 */
export function amqpBrokerSettings(text: string, tls: TlsOptions | undefined): BrokerSettings {
  const authority = /^[^:]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
  const { heartbeatMs, connectTimeoutMs, ...address } = parseAmqpUrl(text)
  if (/@.*,.*@/.test(authority) || address.hostname.includes(','))
    throw new InvalidUrlError('an amqp URL names one host; repeat --url for more, or use rabbit://')
  if (tls !== undefined && address.tls === undefined)
    throw new InvalidUrlError('TLS settings are given, but the URL says amqp://; write amqps://')
  return {
    servers: [tls === undefined ? address : { ...address, tls }],
    heartbeatMs,
    connectTimeoutMs,
    holdsPassword: /:[^@]+@/.test(authority),
    notes: [],
  }
}

/**
 * The brokers of an oslo.messaging URL, as the rabbit driver reads it: its query and the group
 * `[oslo_messaging_rabbit]` of the file say whether and how there is TLS.
 *
 * Every option is checked. Those that are about other things than connections do nothing here, and neither does a
 * heartbeat that is not set: a tap notices sooner than oslo.messaging that its connection is dead.
 *
 * @param tls asks for TLS whatever URL and file say, and counts before the files that these name.
 * @throws {InvalidUrlError} E_URL for another scheme.
 * @throws {ConfigurationError} E_CONFIG for options that are wrong, files that cannot be read, and a login by
 *   certificate.
 */
export async function osloBrokerSettings(
  url: TransportUrl,
  tls: TlsOptions | undefined,
  conf?: OsloConf,
): Promise<BrokerSettings> {
  if (!OSLO_SCHEMES.includes(url.driver))
    throw new InvalidUrlError(
      `the scheme '${url.driver}' is not known; use amqp://, amqps://, rabbit:// or kombu://`,
    )
  const { settings } = readRabbitOptions({ url, conf })
  if (settings.loginMethod === 'EXTERNAL')
    throw new ConfigurationError([
      `${conf?.source ?? 'the URL'}: login by certificate (rabbit_login_method EXTERNAL) is not possible; give --url with a user and a password`,
    ])
  const { target, notes } = rabbitServers(url, settings, tls)
  const setsHeartbeat = (url.query[HEARTBEAT] || conf?.get(RABBIT_GROUP, HEARTBEAT) || '') !== ''
  return {
    servers: await target(),
    heartbeatMs: setsHeartbeat ? settings.heartbeatMs : undefined,
    connectTimeoutMs: undefined,
    holdsPassword: url.hosts.some(({ password }) => (password ?? '') !== ''),
    notes,
  }
}

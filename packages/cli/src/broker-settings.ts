import { parseAmqpUrl, type BrokerAddress, type TlsOptions } from '@hermod/amqp'
import { InvalidUrlError } from '@hermod/kernel'
import type { TransportHostParts, TransportUrl } from '@hermod/messaging'

/** Brokers to try in turn, and what their URL says about the connection. */
export interface BrokerSettings {
  readonly servers: readonly BrokerAddress[]
  readonly heartbeatMs: number | undefined
  readonly connectTimeoutMs: number | undefined
  /** Hosts for which the URL names no user although it does for others. */
  readonly withoutUser: readonly string[]
  /** Whether the URL holds a password. */
  readonly holdsPassword: boolean
}

/** The schemes of oslo.messaging whose broker speaks AMQP 0-9-1. */
const OSLO_SCHEMES: readonly string[] = ['rabbit', 'kombu']

const OSLO_PORT = 5672

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
    withoutUser: [],
    holdsPassword: /:[^@]+@/.test(authority),
  }
}

/**
 * The brokers of an oslo.messaging URL, with defaults filled in: `guest` and `guest` for a host without a user of
 * its own, virtual host `/` where the path is empty, port 5672 also with TLS.
 *
 * Of the URL's options `ssl` and `heartbeat_timeout_threshold` (seconds) matter here; the others are about things
 * that a tap does not do.
 *
 * @param tls asks for TLS whatever the URL says.
 * @throws {InvalidUrlError} E_URL for another scheme, or an option that cannot be read.
 * @source oslo.messaging transport.py TransportURL; _drivers/impl_rabbit.py
 */
export function osloBrokerSettings(url: TransportUrl, tls: TlsOptions | undefined): BrokerSettings {
  if (!OSLO_SCHEMES.includes(url.driver))
    throw new InvalidUrlError(
      `the scheme '${url.driver}' is not known; use amqp://, amqps://, rabbit:// or kombu://`,
    )
  const effectiveTls = tls ?? (isTrue(url.query['ssl']) ? {} : undefined)
  const hosts: readonly TransportHostParts[] = url.hosts.length === 0 ? [{ hostname: '' }] : url.hosts
  const withoutUser = hosts.filter(({ username }) => username === undefined).map(({ hostname }) => hostname)
  return {
    servers: hosts.map(({ hostname, port, username, password }) => ({
      hostname: hostname === '' ? 'localhost' : hostname,
      port: port ?? OSLO_PORT,
      username: username ?? 'guest',
      password: password ?? 'guest',
      virtualHost: url.virtualHost === '' ? '/' : url.virtualHost,
      tls: effectiveTls,
    })),
    heartbeatMs: secondsToMs('heartbeat_timeout_threshold', url.query['heartbeat_timeout_threshold']),
    connectTimeoutMs: undefined,
    withoutUser: withoutUser.length < hosts.length ? withoutUser : [],
    holdsPassword: hosts.some(({ password }) => (password ?? '') !== ''),
  }
}

function secondsToMs(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,5}$/.test(text)) throw new InvalidUrlError(`'${name}' in the URL is a whole number of seconds`)
  return Number(text) * 1000
}

/** @source oslo.config types.py Boolean.TRUE_VALUES */
function isTrue(text: string | undefined): boolean {
  return ['true', '1', 'on', 'yes'].includes((text ?? '').toLowerCase())
}

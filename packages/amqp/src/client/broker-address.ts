import { inspect } from 'node:util'
import { InvalidUrlError, MASK } from '@hermod/kernel'
import type { SaslMechanism } from './sasl.ts'
import type { TlsOptions } from './tls-options.ts'

/** Where a broker listens and who we are to it. */
export interface BrokerAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string
  readonly port: number
  readonly username: string
  /** Never part of any text that Hermod makes. */
  readonly password: string
  readonly virtualHost: string
  /** Present: TLS, with the chain and the host name verified unless it says otherwise. */
  readonly tls?: TlsOptions | undefined
}

/** An AMQP URL, taken apart. */
export interface AmqpUrl extends BrokerAddress {
  /** From `?heartbeat=` (seconds there); 0 switches heartbeats off. */
  readonly heartbeatMs?: number | undefined
  /** From `?connection_timeout=` (milliseconds there too). */
  readonly connectTimeoutMs?: number | undefined
  /** From `?auth_mechanism=` (`plain`, `amqplain` or `external` there). */
  readonly mechanism?: SaslMechanism | undefined
}

const DEFAULT_PORTS = { 'amqp:': 5672, 'amqps:': 5671 } as const
const KNOWN_KEYS = ['heartbeat', 'connection_timeout', 'auth_mechanism']

const MECHANISMS: Readonly<Record<string, SaslMechanism>> = {
  plain: 'PLAIN',
  amqplain: 'AMQPLAIN',
  external: 'EXTERNAL',
}

/** `hostname:port` for texts, IPv6 in brackets; never the user or the password. */
export function formatServer({ hostname, port }: Pick<BrokerAddress, 'hostname' | 'port'>): string {
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`
}

/**
 * Takes apart `amqp://user:password@host:port/vhost?heartbeat=60&connection_timeout=5000`.
 *
 * Everything but the scheme has a default: `guest`, `guest`, `localhost`, 5672 (5671 for `amqps`) and the virtual
 * host `/`, which `amqp://h`, `amqp://h/`, `amqp://h//` and `amqp://h/%2F` all name.
 *
 * `console.log` and `JSON.stringify` show the result without its password; a copy made of its members shows all.
 *
 * @throws {InvalidUrlError} E_URL, without the URL in its text.
 * @source RabbitMQ URI specification and URI query parameters
 */
export function parseAmqpUrl(text: string): AmqpUrl {
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== 'amqp:' && scheme !== 'amqps:') {
    throw new InvalidUrlError(
      scheme === undefined
        ? 'the broker URL has no scheme: it begins with amqp:// or amqps://'
        : `a broker URL begins with amqp:// or amqps://, not ${scheme}//`,
    )
  }
  if (text.includes('#'))
    throw new InvalidUrlError("the broker URL holds a '#'; in a user name or password write it as %23")
  // Most likely the end of a password with a bare / or ?, parts of which would be taken for host, path and settings
  // and be shown as such.
  if (/^[^/]*\/\/[^/?]*[/?].*@/s.test(text)) {
    throw new InvalidUrlError(
      "the broker URL has an '@' behind its host; in a password write / as %2F and ? as %3F, in a virtual host @ as %40",
    )
  }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // The cause is left out on purpose: its text repeats the URL with the password.
    throw new InvalidUrlError(
      'the broker URL cannot be read; its form is amqp://user:password@host:port/vhost, with / @ : % in a part percent-encoded',
    )
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return hidingPassword({
    hostname: hostname === '' ? 'localhost' : decode(hostname, 'host name'),
    port: url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port),
    username: url.username === '' ? 'guest' : decode(url.username, 'user name'),
    password: url.username === '' && url.password === '' ? 'guest' : decode(url.password, 'password'),
    // Not of `url`, which takes the virtual hosts `.` and `..` for steps of a path.
    virtualHost: decode(/\/\/[^/?]*\/([^?]*)/.exec(text.trimEnd())?.[1] ?? '', 'virtual host') || '/',
    tls: scheme === 'amqps:' ? {} : undefined,
    ...readQuery(url.searchParams),
  })
}

function hidingPassword(url: AmqpUrl): AmqpUrl {
  const shown = { value: () => ({ ...url, password: MASK }) }
  return Object.defineProperties(url, { toJSON: shown, [inspect.custom]: shown })
}

function decode(part: string, what: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InvalidUrlError(
      `the ${what} in the broker URL holds a '%' that begins no percent-code; write it as %25`,
    )
  }
}

function readQuery(query: URLSearchParams): Pick<AmqpUrl, 'heartbeatMs' | 'connectTimeoutMs' | 'mechanism'> {
  for (const key of query.keys()) {
    if (!KNOWN_KEYS.includes(key)) {
      throw new InvalidUrlError(
        `unknown setting '${key}' in the broker URL; known are ${KNOWN_KEYS.join(', ')}`,
      )
    }
  }
  const number = (key: string, most: number): number | undefined => {
    const value = query.get(key)
    if (value === null) return undefined
    if (!/^\d+$/.test(value) || Number(value) > most) {
      throw new InvalidUrlError(
        `'${key}' in the broker URL is a whole number from 0 to ${most}, not '${value}'`,
      )
    }
    return Number(value)
  }
  const wanted = query.get('auth_mechanism')
  const mechanism = wanted === null ? undefined : MECHANISMS[wanted.toLowerCase()]
  if (wanted !== null && mechanism === undefined) {
    throw new InvalidUrlError(
      `'auth_mechanism' in the broker URL is ${Object.keys(MECHANISMS).join(', ')}, not '${wanted}'`,
    )
  }
  const heartbeatS = number('heartbeat', 0xffff)
  return {
    heartbeatMs: heartbeatS === undefined ? undefined : heartbeatS * 1000,
    connectTimeoutMs: number('connection_timeout', 0x7fff_ffff),
    mechanism,
  }
}

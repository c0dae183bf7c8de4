import { inspect } from 'node:util'
import { isSecretKey, MASK } from '@hermod/kernel'

/** One broker of a transport URL. The password is readable, but no output of the object shows it. */
export class TransportHost {
  /** A name or an address, IPv6 without brackets; empty where the URL leaves it to the driver. */
  readonly hostname: string
  /** Absent: the driver's default. */
  readonly port: number | undefined
  /** Absent: the driver's default. It is not taken over from another host of the URL. */
  readonly username: string | undefined
  readonly #password: string | undefined

  constructor(host: TransportHostParts) {
    this.hostname = host.hostname
    this.port = host.port
    this.username = host.username
    this.#password = host.password
    Object.freeze(this)
  }

  /** In clear; absent: the driver's default. */
  get password(): string | undefined {
    return this.#password
  }
}

/** What a {@link TransportHost} is made of. */
export interface TransportHostParts {
  readonly hostname: string
  readonly port?: number | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** What a {@link TransportUrl} is made of. */
export interface TransportUrlParts {
  readonly scheme: string
  readonly hosts?: readonly TransportHostParts[] | undefined
  readonly virtualHost?: string | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
}

/**
 * Where messages go: `driver://[user[:password]@]host[:port][,…]/virtual-host?option=value`.
 *
 * Immutable. `toString`, `JSON.stringify` and `console.log` show it without passwords; {@link unmasked} alone
 * writes them.
 *
 * @source oslo.messaging transport.py TransportURL
 */
export class TransportUrl {
  /** In lower case, as in front of `://`. */
  readonly scheme: string
  /** In the order of the URL; empty when it names none and leaves it to the driver. */
  readonly hosts: readonly TransportHost[]
  /** Decoded; empty: the driver's default. */
  readonly virtualHost: string
  /** Decoded texts; the driver knows their meaning. Values of a repeated name are joined with a comma. */
  readonly query: Readonly<Record<string, string>>

  constructor(parts: TransportUrlParts) {
    this.scheme = parts.scheme.toLowerCase()
    this.hosts = Object.freeze((parts.hosts ?? []).map((host) => new TransportHost(host)))
    this.virtualHost = parts.virtualHost ?? ''
    this.query = Object.freeze({ ...parts.query })
    Object.freeze(this)
  }

  /** The name of the driver: the scheme up to its first `+`. */
  get driver(): string {
    return this.scheme.split('+', 1)[0] ?? ''
  }

  /** The URL with its passwords in clear: for the driver and for configuration files, never for output. */
  unmasked(): string {
    return this.#format((secret) => encode(secret))
  }

  /** The URL with `***` in the place of passwords and of options that look like secrets. */
  toString(): string {
    return this.#format(() => MASK)
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString()
  }

  static {
    // A computed method name would need the type of a symbol that @types/node does not declare as unique.
    Object.defineProperty(this.prototype, inspect.custom, {
      value(this: TransportUrl): string {
        return `TransportUrl { ${this.toString()} }`
      },
    })
  }

  #format(writeSecret: (secret: string) => string): string {
    const hosts = this.hosts.map((host) => formatHost(host, writeSecret)).join(',')
    const options = Object.entries(this.query)
      .map(([key, value]) => `${encode(key)}=${isSecretKey(key) ? writeSecret(value) : encode(value)}`)
      .join('&')
    // The slashes of a virtual host may stand for themselves: only the path's first one is no part of it.
    const path = encode(this.virtualHost).replaceAll('%2F', '/')
    return `${this.scheme}://${hosts}/${path}${options === '' ? '' : `?${options}`}`
  }
}

function formatHost(host: TransportHost, writeSecret: (secret: string) => string): string {
  const { hostname, port, username, password } = host
  let text = ''
  if (username !== undefined || password !== undefined) {
    text += encode(username ?? '')
    if (password !== undefined) text += `:${writeSecret(password)}`
    text += '@'
  }
  text += hostname.includes(':') ? `[${hostname}]` : hostname
  return port === undefined ? text : `${text}:${port}`
}

/** All but letters, digits and `-._~` in percents of UTF-8; half a surrogate pair becomes U+FFFD. */
function encode(text: string): string {
  return text.replaceAll(/[^a-z0-9\-._~]+/giu, (units) =>
    Buffer.from(units).toString('hex').toUpperCase().replaceAll(/../g, '%$&'),
  )
}

import { InvalidUrlError } from '@hermod/kernel'
import { TransportUrl, type TransportHostParts } from './transport-url.ts'

/**
 * What is used where nobody gives a URL: the rabbit driver with its own defaults.
 * @source oslo.messaging transport.py, option `transport_url`
 */
export const DEFAULT_TRANSPORT_URL = 'rabbit://'

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
const BARE_IPV6 = /^[0-9a-f:.]+(?:%.+)?$/i

/**
 * Reads a transport URL by oslo.messaging's rules.
 *
 * Hosts are split at `,`, each one's credentials at its last `@`; they are percent-decoded and not inherited: in
 * `rabbit://u:p@h1,h2/` the second host has none. An IPv6 address needs brackets when a port follows. One `/`
 * before the virtual host is no part of it: `//` and `/%2F` both name `/`. Values of a repeated option are joined
 * with `,`, options without a value are dropped. Line breaks are removed, for files may fold the URL.
 *
 * Stricter than Python: no `://`, a fragment and a port beyond 65535 are refused, for each is mostly a password
 * with a `/`, `?` or `#` that should have been encoded.
 *
 * @param text absent or empty: {@link DEFAULT_TRANSPORT_URL}.
 * @throws {InvalidUrlError} E_URL saying what is wrong and with which host, never what the URL holds.
 * @source oslo.messaging transport.py TransportURL.parse; oslo.utils netutils.py parse_host_port
 */
export function parseTransportUrl(text: string = DEFAULT_TRANSPORT_URL): TransportUrl {
  const url = text.replaceAll(/[\t\r\n]/g, '').trim() || DEFAULT_TRANSPORT_URL
  const scheme = SCHEME.exec(url)?.[0]
  if (scheme === undefined) {
    throw new InvalidUrlError(
      "the transport URL has no 'driver://' in front (an example: rabbit://host:5672/)",
    )
  }
  if (url.includes('#'))
    throw new InvalidUrlError("the transport URL has a '#'; inside a part it is written %23")
  const rest = url.slice(scheme.length)
  const [beforeQuery, query] = splitAt(rest, '?')
  const [authority, path] = splitAt(beforeQuery, '/')
  // An '@' behind the hosts tells that one of these three ended them too early.
  const hint = rest.slice(authority.length).includes('@')
    ? " ('/', '?' and '#' in a password are written %2F, %3F and %23)"
    : ''
  return new TransportUrl({
    scheme: scheme.slice(0, -3),
    hosts: authority
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part, index) => parseHost(part.trim(), index + 1, hint)),
    virtualHost: decode(path ?? ''),
    query: parseQuery(query ?? ''),
  })
}

function parseHost(text: string, position: number, hint: string): TransportHostParts {
  const invalid = (problem: string): InvalidUrlError =>
    new InvalidUrlError(`host ${position} of the transport URL ${problem}${hint}`)
  const at = text.lastIndexOf('@')
  const [username, password] = at < 0 ? [] : splitAt(text.slice(0, at), ':')
  const [hostname, port] = splitPort(text.slice(at + 1), invalid)
  if (/\s/.test(hostname)) throw invalid('has a blank in its name')
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw invalid('has a port that is no number from 1 to 65535')
  }
  return {
    hostname,
    port: port === undefined ? undefined : Number(port),
    username: username === undefined ? undefined : decode(username),
    password: password === undefined ? undefined : decode(password),
  }
}

function splitPort(
  text: string,
  invalid: (problem: string) => InvalidUrlError,
): readonly [hostname: string, port: string | undefined] {
  if (text.startsWith('[')) {
    const end = text.indexOf(']')
    if (end < 0) throw invalid("has a '[' without ']'")
    const after = text.slice(end + 1)
    if (after !== '' && !after.startsWith(':'))
      throw invalid("has something other than ':port' behind its ']'")
    return [text.slice(1, end), after === '' ? undefined : after.slice(1)]
  }
  if (text.indexOf(':') === text.lastIndexOf(':')) return splitAt(text, ':')
  if (!BARE_IPV6.test(text)) throw invalid("has several ':' and is no IPv6 address")
  return [text, undefined]
}

function parseQuery(text: string): Record<string, string> {
  const values = new Map<string, string>()
  for (const part of text.split('&')) {
    const [rawKey, rawValue = ''] = splitAt(part, '=')
    if (rawValue === '') continue
    const key = decode(rawKey.replaceAll('+', ' '))
    const value = decode(rawValue.replaceAll('+', ' '))
    const earlier = values.get(key)
    values.set(key, earlier === undefined ? value : `${earlier},${value}`)
  }
  return Object.fromEntries(values)
}

/** What is before and behind the first `separator`; behind is absent where there is none. */
function splitAt(text: string, separator: string): readonly [string, string | undefined] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + separator.length)]
}

const utf8 = new TextDecoder()

/** Percent-decoding that never fails, as Python's: what is no escape stays, what is no UTF-8 becomes U+FFFD. */
function decode(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    utf8.decode(Buffer.from(escapes.replaceAll('%', ''), 'hex')),
  )
}

import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import {
  parseTransportUrl,
  readConfFile,
  transportUrlFromConf,
  TransportUrl,
  type OsloConf,
  type TransportHostParts,
} from '@hermod/messaging'
import { amqpBrokerSettings } from './broker-settings.ts'
import type { ConnectionRequest, TlsFlags } from './connection-flags.ts'
import { connectionNotes } from './connection-notes.ts'
import { fromOrigin, urlTexts } from './connection-source.ts'

/** What a transport is made from. */
export interface TransportSettings {
  /** All hosts in one URL; TLS and the rest in its query. */
  readonly url: TransportUrl
  /** The service's file, for what the URL leaves open. */
  readonly conf: OsloConf | undefined
  /** What the user should know about these settings, a sentence each. */
  readonly notes: readonly string[]
}

/** What the transport is for; a conf file may name another one for each. */
export type TransportPurpose = 'rpc' | 'notifications'

/**
 * Reads what a request names.
 *
 * @throws {InvalidUrlError} E_URL when a URL cannot be used; the text says where it came from, never what it holds.
 * @throws {ConfigurationError} E_CONFIG when a file cannot be read or used, or when several URLs do not go together.
 */
export async function transportSettings(
  request: ConnectionRequest,
  purpose: TransportPurpose,
): Promise<TransportSettings> {
  const { source, tls } = request
  if (source.type === 'conf') {
    const conf = await readConfFile(source.path)
    const own = purpose === 'notifications' ? transportUrlFromConf(conf) : rpcUrl(conf)
    const url = withTls(own, tls)
    return { url, conf, notes: notesOf(request, url) }
  }
  const urls = (await urlTexts(source)).map((text) => fromOrigin(source, () => urlOf(text, tls)))
  const url = joined(urls)
  return { url, conf: undefined, notes: notesOf(request, url) }
}

function rpcUrl(conf: OsloConf): TransportUrl {
  return fromOrigin({ type: 'conf', path: conf.source }, () =>
    parseTransportUrl(conf.get('DEFAULT', 'transport_url')),
  )
}

function urlOf(text: string, tls: TlsFlags): TransportUrl {
  return /^amqps?:/i.test(text) ? rabbitUrl(text, tls) : withTls(parseTransportUrl(text), tls)
}

/** The URL of oslo.messaging for a broker whose URL is one of AMQP. */
function rabbitUrl(text: string, tls: TlsFlags): TransportUrl {
  const { servers, heartbeatMs } = amqpBrokerSettings(text, isAsked(tls) ? {} : undefined)
  const hosts: TransportHostParts[] = servers.map(({ hostname, port, username, password }) => ({
    hostname,
    port,
    username,
    password,
  }))
  const [first] = servers
  const query: Record<string, string> = {}
  if (first?.tls !== undefined) query['ssl'] = 'true'
  if (heartbeatMs !== undefined) query['heartbeat_timeout_threshold'] = String(Math.ceil(heartbeatMs / 1000))
  const virtualHost = first?.virtualHost === '/' ? '' : first?.virtualHost
  return withTls(new TransportUrl({ scheme: 'rabbit', hosts, virtualHost, query }), tls)
}

function withTls(url: TransportUrl, tls: TlsFlags): TransportUrl {
  if (!isAsked(tls)) return url
  const files: readonly (readonly [string, string | undefined])[] = [
    ['ssl_ca_file', tls.caFile],
    ['ssl_cert_file', tls.certFile],
    ['ssl_key_file', tls.keyFile],
  ]
  const given = files.filter((file): file is [string, string] => file[1] !== undefined)
  const { scheme, hosts, virtualHost } = url
  const query = { ...url.query, ssl: 'true', ...Object.fromEntries(given) }
  return new TransportUrl({ scheme, hosts, virtualHost, query })
}

function isAsked({ caFile, certFile, keyFile }: TlsFlags): boolean {
  return [caFile, certFile, keyFile].some((path) => path !== undefined)
}

/** One URL with the hosts of all. */
function joined(urls: readonly TransportUrl[]): TransportUrl {
  const [first] = urls
  if (first === undefined) throw new InvalidUrlError('no URL is given')
  const rest = ({ driver, virtualHost, query }: TransportUrl): string =>
    JSON.stringify([driver, virtualHost, query])
  if (urls.some((url) => rest(url) !== rest(first)))
    throw new ConfigurationError([
      'the URLs differ in more than their hosts; several URLs are several ways to one virtual host of one broker',
    ])
  const { scheme, virtualHost, query } = first
  return new TransportUrl({ scheme, hosts: urls.flatMap(({ hosts }) => hosts), virtualHost, query })
}

function notesOf({ source }: ConnectionRequest, { hosts }: TransportUrl): readonly string[] {
  const withoutUser = hosts.filter(({ username }) => username === undefined).map(({ hostname }) => hostname)
  return connectionNotes(source, [
    {
      holdsPassword: hosts.some(({ password }) => (password ?? '') !== ''),
      withoutUser: withoutUser.length < hosts.length ? withoutUser : [],
    },
  ])
}

import type { TlsOptions } from '@hermod/amqp'
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
import type { ConnectionRequest } from './connection-flags.ts'
import { connectionNotes } from './connection-notes.ts'
import { fromOrigin, urlTexts } from './connection-source.ts'
import { readTls } from './tls-files.ts'

/** What a transport is made from. */
export interface TransportSettings {
  /** All hosts in one URL. */
  readonly url: TransportUrl
  /** TLS in a certain way, whatever the URL says of it. */
  readonly tls: TlsOptions | undefined
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
  const { source } = request
  const tls = await readTls(request.tls)
  if (source.type === 'conf') {
    const conf = await readConfFile(source.path)
    const url = purpose === 'notifications' ? transportUrlFromConf(conf) : await rpcUrl(conf)
    return { url, tls, conf, notes: await notesOf(request, url) }
  }
  const texts = await urlTexts(source)
  const urls = await fromOrigin(source, () => texts.map((text) => urlOf(text, tls)))
  const url = joined(urls)
  return { url, tls, conf: undefined, notes: await notesOf(request, url) }
}

function rpcUrl(conf: OsloConf): Promise<TransportUrl> {
  return fromOrigin({ type: 'conf', path: conf.source }, () =>
    parseTransportUrl(conf.get('DEFAULT', 'transport_url')),
  )
}

function urlOf(text: string, tls: TlsOptions | undefined): TransportUrl {
  return /^amqps?:/i.test(text) ? rabbitUrl(text, tls) : parseTransportUrl(text)
}

/** The URL of oslo.messaging for a broker whose URL is one of AMQP. */
function rabbitUrl(text: string, tls: TlsOptions | undefined): TransportUrl {
  const { servers, heartbeatMs } = amqpBrokerSettings(text, tls)
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
  return new TransportUrl({ scheme: 'rabbit', hosts, virtualHost, query })
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

async function notesOf({ source }: ConnectionRequest, { hosts }: TransportUrl): Promise<readonly string[]> {
  const { guestNotes } = await import('@hermod/driver-rabbit')
  const holdsPassword = hosts.some(({ password }) => (password ?? '') !== '')
  return [...connectionNotes(source, holdsPassword), ...guestNotes(hosts)]
}

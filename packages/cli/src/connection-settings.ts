import type { BrokerAddress, TlsOptions } from '@hermod/amqp'
import {
  controlExchangeFromConf,
  notificationTopicsFromConf,
  parseTransportUrl,
  readConfFile,
  transportUrlFromConf,
} from '@hermod/messaging'
import { amqpBrokerSettings, osloBrokerSettings, type BrokerSettings } from './broker-settings.ts'
import type { ConnectionRequest } from './connection-flags.ts'
import { connectionNotes } from './connection-notes.ts'
import { fromOrigin, urlTexts } from './connection-source.ts'
import { readTls } from './tls-files.ts'

/** Brokers to connect to, and what came with their address. */
export interface ConnectionSettings {
  /** To be tried in turn; at least one. */
  readonly servers: readonly BrokerAddress[]
  /** Topics that the conf file names; empty for a URL. */
  readonly topics: readonly string[]
  /** The `control_exchange` of the conf file. */
  readonly controlExchange: string | undefined
  readonly heartbeatMs: number | undefined
  readonly connectTimeoutMs: number | undefined
  /** What the user should know about these settings, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads what a request names.
 *
 * @throws {InvalidUrlError} E_URL when a URL cannot be used; the text says where it came from, never what it holds.
 * @throws {ConfigurationError} E_CONFIG when a file cannot be read or used.
 */
export async function connectionSettings(request: ConnectionRequest): Promise<ConnectionSettings> {
  const { source } = request
  if (source.type === 'conf') return confSettings(request, source.path)
  const tls = await readTls(request.tls)
  const texts = await urlTexts(source)
  const brokers = await fromOrigin(source, () => Promise.all(texts.map((text) => urlSettings(text, tls))))
  return { ...merged(brokers, request), topics: [], controlExchange: undefined }
}

async function confSettings(request: ConnectionRequest, path: string): Promise<ConnectionSettings> {
  const conf = await readConfFile(path)
  const tls = await readTls(request.tls)
  const url = transportUrlFromConf(conf)
  const broker = await fromOrigin(request.source, () => osloBrokerSettings(url, tls, conf))
  return {
    ...merged([broker], request),
    topics: notificationTopicsFromConf(conf),
    controlExchange: controlExchangeFromConf(conf),
  }
}

function merged(
  brokers: readonly BrokerSettings[],
  request: ConnectionRequest,
): Omit<ConnectionSettings, 'topics' | 'controlExchange'> {
  const first = (key: 'heartbeatMs' | 'connectTimeoutMs'): number | undefined =>
    brokers.map((broker) => broker[key]).find((value) => value !== undefined)
  return {
    servers: brokers.flatMap(({ servers }) => servers),
    heartbeatMs: first('heartbeatMs'),
    connectTimeoutMs: request.connectTimeoutMs ?? first('connectTimeoutMs'),
    notes: [
      ...connectionNotes(
        request.source,
        brokers.some(({ holdsPassword }) => holdsPassword),
      ),
      ...brokers.flatMap(({ notes }) => notes),
    ],
  }
}

async function urlSettings(text: string, tls: TlsOptions | undefined): Promise<BrokerSettings> {
  return /^amqps?:/i.test(text)
    ? amqpBrokerSettings(text, tls)
    : osloBrokerSettings(parseTransportUrl(text), tls)
}

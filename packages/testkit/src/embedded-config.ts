import { readFileSync } from 'node:fs'
import type { BrokerOptions, ListenOptions } from '@hermod/broker'
import { UnsupportedFeatureError } from '@hermod/kernel'
import type { RabbitMqOptions } from './rabbitmq-layout.ts'

/** What lines of `rabbitmq.conf` mean to the embedded broker. */
export interface EmbeddedConfig {
  readonly options: Pick<BrokerOptions, 'heartbeatSeconds' | 'limits'>
  /** A second port, for TLS. */
  readonly tls: ListenOptions | undefined
}

/** @throws {UnsupportedFeatureError} E_UNSUPPORTED for what it does not have. */
export function readEmbeddedConfig({ config = {}, plugins = [] }: RabbitMqOptions): EmbeddedConfig {
  const lines = new Map(Object.entries(config))
  const take = (key: string): string | undefined => {
    const value = lines.get(key)
    lines.delete(key)
    return value
  }
  const file = (key: string): Buffer | undefined => {
    const path = take(key)
    return path === undefined ? undefined : readFileSync(path)
  }
  const [heartbeat, frameMax] = [take('heartbeat'), take('frame_max')]
  const [host, port] = take('listeners.ssl.1')?.split(':') ?? []
  const tls = {
    ca: file('ssl_options.cacertfile'),
    cert: file('ssl_options.certfile'),
    key: file('ssl_options.keyfile'),
    requestCert: take('ssl_options.verify') === 'verify_peer',
    rejectUnauthorized: take('ssl_options.fail_if_no_peer_cert') === 'true',
  }
  const unknown = [...lines.keys(), ...plugins]
  if (unknown.length > 0)
    throw new UnsupportedFeatureError(`the embedded broker has no ${unknown.join(', ')}; take startRabbitMq`)
  return {
    options: {
      heartbeatSeconds: heartbeat === undefined ? undefined : Number(heartbeat),
      limits: frameMax === undefined ? undefined : { frameMax: Number(frameMax) },
    },
    tls: host === undefined ? undefined : { host, port: Number(port), tls },
  }
}

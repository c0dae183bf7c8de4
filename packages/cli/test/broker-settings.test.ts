import { InvalidUrlError } from '@hermod/kernel'
import { parseTransportUrl } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { amqpBrokerSettings, osloBrokerSettings, type BrokerSettings } from '../src/broker-settings.ts'

describe('amqpBrokerSettings', () => {
  it.each(['amqp://h', 'amqp://h/', 'amqp://h//', 'amqp://h/%2F'])('%s means the virtual host /', (url) => {
    expect(amqpBrokerSettings(url, undefined).servers).toMatchObject([
      { hostname: 'h', port: 5672, virtualHost: '/', username: 'guest', password: 'guest' },
    ])
  })

  it('reads heartbeat in seconds and connection_timeout in milliseconds', () => {
    expect(
      amqpBrokerSettings('amqp://u:p@h:1/v?heartbeat=20&connection_timeout=1500', undefined),
    ).toMatchObject({ heartbeatMs: 20_000, connectTimeoutMs: 1500 })
  })

  it('has TLS and its port for amqps', () => {
    const tls = { ca: 'PEM' }
    expect(amqpBrokerSettings('amqps://h', tls).servers).toMatchObject([{ port: 5671, tls }])
  })

  it.each(['amqp://u:secret@h1,u:secret@h2/', 'amqp://h1,h2/', 'amqp://u:secret@h/?colour=red'])(
    'refuses %s without repeating a password',
    (url) => {
      expect(() => amqpBrokerSettings(url, undefined)).toThrow(InvalidUrlError)
      expect(() => amqpBrokerSettings(url, undefined)).not.toThrow(/secret/)
    },
  )

  it('refuses TLS settings for amqp', () => {
    expect(() => amqpBrokerSettings('amqp://h', { ca: 'PEM' })).toThrow(/write amqps:/)
  })
})

const settings = (url: string): BrokerSettings => osloBrokerSettings(parseTransportUrl(url), undefined)

describe('osloBrokerSettings', () => {
  it('gives each host its own credentials, and names those without', () => {
    const { servers, withoutUser } = settings('rabbit://u:p%40@h1:5673,h2/nova')
    expect(servers).toMatchObject([
      { hostname: 'h1', port: 5673, username: 'u', password: 'p@', virtualHost: 'nova' },
      { hostname: 'h2', port: 5672, username: 'guest', password: 'guest', virtualHost: 'nova' },
    ])
    expect(withoutUser).toEqual(['h2'])
  })

  it('falls back to guest on localhost', () => {
    expect(settings('rabbit://')).toMatchObject({
      servers: [{ hostname: 'localhost', port: 5672, username: 'guest', virtualHost: '/' }],
      withoutUser: [],
      holdsPassword: false,
    })
  })

  it('takes ssl and the heartbeat from the options, and leaves the port', () => {
    const { servers, heartbeatMs } = settings('kombu://u:p@h/?ssl=True&heartbeat_timeout_threshold=30')
    expect(servers).toMatchObject([{ port: 5672, tls: {} }])
    expect(heartbeatMs).toBe(30_000)
  })

  it('has no TLS unless asked', () => {
    expect(settings('rabbit://h/?ssl=false').servers[0]?.tls).toBeUndefined()
  })

  it.each(['kafka://h', 'fake://', 'rabbit://h/?heartbeat_timeout_threshold=soon'])('refuses %s', (url) => {
    expect(() => settings(url)).toThrow(InvalidUrlError)
  })
})

import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { parseConf, parseTransportUrl } from '@hermod/messaging'
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

const settings = (url: string, conf?: string): Promise<BrokerSettings> =>
  osloBrokerSettings(
    parseTransportUrl(url),
    undefined,
    conf === undefined ? undefined : parseConf(`[oslo_messaging_rabbit]\n${conf}`, 'nova.conf'),
  )

describe('osloBrokerSettings', () => {
  it('gives each host its own credentials, and names those without', async () => {
    const { servers, notes } = await settings('rabbit://u:p%40@h1:5673,h2/nova')
    expect(servers).toMatchObject([
      { hostname: 'h1', port: 5673, username: 'u', password: 'p@', virtualHost: 'nova' },
      { hostname: 'h2', port: 5672, username: 'guest', password: 'guest', virtualHost: 'nova' },
    ])
    expect(notes).toEqual([expect.stringContaining('names no user for h2')])
  })

  it('falls back to guest on localhost', async () => {
    expect(await settings('rabbit://')).toMatchObject({
      servers: [{ hostname: 'localhost', port: 5672, username: 'guest', virtualHost: '/' }],
      notes: [],
      holdsPassword: false,
    })
  })

  it('takes ssl and the heartbeat from the options, and leaves the port', async () => {
    const { servers, heartbeatMs } = await settings('kombu://u:p@h/?ssl=True&heartbeat_timeout_threshold=30')
    expect(servers).toMatchObject([{ port: 5672, tls: {} }])
    expect(heartbeatMs).toBe(30_000)
  })

  it('has no TLS unless asked', async () => {
    expect((await settings('rabbit://h/?ssl=false')).servers[0]?.tls).toBeUndefined()
  })

  it('lets the URL count before the file', async () => {
    const conf = 'ssl = true\nheartbeat_timeout_threshold = 30'
    expect(await settings('rabbit://h/', conf)).toMatchObject({
      servers: [{ tls: {} }],
      heartbeatMs: 30_000,
    })
    const overridden = await settings('rabbit://h/?ssl=0&heartbeat_timeout_threshold=7', conf)
    expect(overridden).toMatchObject({ servers: [{ tls: undefined }], heartbeatMs: 7_000 })
  })

  it('leaves the heartbeat to the tap where nothing sets it', async () => {
    expect((await settings('rabbit://h/', 'heartbeat_timeout_threshold =')).heartbeatMs).toBeUndefined()
    expect((await settings('rabbit://h/', 'heartbeat_timeout_threshold = 0')).heartbeatMs).toBe(0)
  })

  it.each(['kafka://h', 'fake://', 'kombu+memory://h'])('refuses %s', async (url) => {
    await expect(settings(url)).rejects.toThrow(InvalidUrlError)
  })

  it.each([
    ['heartbeat_timeout_threshold=soon', /'heartbeat_timeout_threshold' in the transport URL/],
    ['heartbeat_timeout_treshold=5', /did you mean 'heartbeat_timeout_threshold'\?/],
    ['rabbit_login_method=EXTERNAL', /the URL: login by certificate/],
  ])('refuses the option %s, and says why', async (query, reason) => {
    const refused = settings(`rabbit://h/?${query}`)
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(reason)
  })

  it('names file and line of an option that is wrong', async () => {
    await expect(settings('rabbit://h/', 'ssl = perhaps')).rejects.toThrow(
      "nova.conf:2: option 'ssl' of [oslo_messaging_rabbit]",
    )
  })
})

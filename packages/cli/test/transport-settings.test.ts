import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectionRequest, TlsFlags } from '../src/connection-flags.ts'
import { transportSettings } from '../src/transport-settings.ts'

const NO_TLS: TlsFlags = { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined }

function request(source: ConnectionRequest['source'], tls: Partial<TlsFlags> = {}): ConnectionRequest {
  return { source, connectTimeoutMs: undefined, tls: { ...NO_TLS, ...tls } }
}

const flag = (...urls: string[]): ConnectionRequest => request({ type: 'flag', urls })

describe('transportSettings', () => {
  it.each([
    [['amqp://h'], 'rabbit://guest:guest@h:5672/'],
    [['amqp://u:p%40w@h:5673/vh'], 'rabbit://u:p%40w@h:5673/vh'],
    [['amqp://u:p@[::1]/%2F'], 'rabbit://u:p@[::1]:5672/'],
    [['amqps://u:p@h/vh?heartbeat=7'], 'rabbit://u:p@h:5671/vh?ssl=true&heartbeat_timeout_threshold=7'],
    [['amqp://u:p@h1/v', 'amqp://u:p@h2/v'], 'rabbit://u:p@h1:5672,u:p@h2:5672/v'],
    [['rabbit://u:p@h1,u:p@h2/v?kombu_compression=gzip'], 'rabbit://u:p@h1,u:p@h2/v?kombu_compression=gzip'],
    [['fake://name'], 'fake://name/'],
  ])('makes of %j the URL %s', async (urls, url) => {
    expect((await transportSettings(flag(...urls), 'rpc')).url.unmasked()).toBe(url)
  })

  it.each([[['amqp://h1/a', 'amqp://h2/b']], [['amqp://h1/', 'amqps://h2/']], [['amqp://h1/', 'fake://']]])(
    'refuses %j together',
    async (urls) => {
      const refused = transportSettings(flag(...urls), 'rpc')
      await expect(refused).rejects.toThrow(ConfigurationError)
    },
  )

  it('refuses TLS settings for amqp://, and passes them on for others', async () => {
    const tls = { serverName: 'broker.example' }
    const plain = transportSettings(request({ type: 'flag', urls: ['amqp://h/'] }, tls), 'rpc')
    await expect(plain).rejects.toThrow(InvalidUrlError)
    const settings = await transportSettings(request({ type: 'flag', urls: ['rabbit://h/'] }, tls), 'rpc')
    expect(settings.tls).toMatchObject(tls)
  })

  it('says where a bad URL came from, and not what it holds', async () => {
    const refused = transportSettings(request({ type: 'environment', url: 'u:hunter2@h' }), 'rpc')
    await expect(refused).rejects.toThrow(/^HERMOD_URL: (?!.*hunter2)/)
  })

  it('notes that a password is visible, and that a host has no user', async () => {
    const { notes } = await transportSettings(flag('rabbit://u:p@h1,h2/'), 'rpc')
    expect(notes).toEqual([
      expect.stringContaining('HERMOD_URL or --url-file'),
      expect.stringContaining('names no user for h2'),
    ])
    const { notes: none } = await transportSettings(
      request({ type: 'environment', url: 'amqp://u:p@h' }),
      'rpc',
    )
    expect(none).toEqual([])
  })

  describe('from a conf file', () => {
    let folder = ''
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hermod-'))
    })
    afterEach(() => rm(folder, { recursive: true }))

    const conf = async (text: string): Promise<ConnectionRequest> => {
      const path = join(folder, 'service.conf')
      await writeFile(path, text)
      return request({ type: 'conf', path })
    }

    it('takes the transport of calls or of notifications, and keeps the file', async () => {
      const given = await conf(
        '[DEFAULT]\ntransport_url = rabbit://a:p@calls/\n[oslo_messaging_notifications]\ntransport_url = rabbit://b:p@events/\n',
      )
      const rpc = await transportSettings(given, 'rpc')
      const notifications = await transportSettings(given, 'notifications')
      expect(rpc.url.hosts.map(({ hostname }) => hostname)).toEqual(['calls'])
      expect(notifications.url.hosts.map(({ hostname }) => hostname)).toEqual(['events'])
      expect(rpc.conf?.get('DEFAULT', 'transport_url')).toBe('rabbit://a:p@calls/')
      expect(rpc.notes).toEqual([])
    })

    it('names the file when its URL cannot be read', async () => {
      const given = await conf('[DEFAULT]\ntransport_url = hunter2\n')
      await expect(transportSettings(given, 'rpc')).rejects.toThrow(/service\.conf: (?!.*hunter2)/)
    })
  })
})

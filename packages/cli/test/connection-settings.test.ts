import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConnectionRequest, ConnectionSource, TlsFlags } from '../src/connection-flags.ts'
import { connectionSettings } from '../src/connection-settings.ts'

const NO_TLS: TlsFlags = { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined }

const request = (source: ConnectionSource, tls: Partial<TlsFlags> = {}): ConnectionRequest => ({
  source,
  connectTimeoutMs: undefined,
  tls: { ...NO_TLS, ...tls },
})

describe('connectionSettings', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hermod-cli-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  it('takes several URLs in order', async () => {
    const urls = ['amqp://u:p@h1/v', 'rabbit://u:p@h2,u:p@h3/v']
    const { servers } = await connectionSettings(request({ type: 'flag', urls }))
    expect(servers.map(({ hostname }) => hostname)).toEqual(['h1', 'h2', 'h3'])
  })

  it('warns of a password in the process list, for a flag only', async () => {
    const url = 'amqp://u:secret@h/v'
    const visible = await connectionSettings(request({ type: 'flag', urls: [url] }))
    expect(visible.notes.join()).toMatch(/HERMOD_URL or --url-file/)
    expect(visible.notes.join()).not.toContain('secret')
    const hidden = await connectionSettings(request({ type: 'environment', url }))
    expect(hidden.notes).toEqual([])
    const without = await connectionSettings(request({ type: 'flag', urls: ['amqp://u@h/v'] }))
    expect(without.notes).toEqual([])
  })

  it('says which host has no user', async () => {
    const { notes } = await connectionSettings(request({ type: 'environment', url: 'rabbit://u:p@h1,h2/' }))
    expect(notes.join()).toContain('no user for h2')
  })

  it('reads a URL file, a line each', async () => {
    const path = await file('urls', '# brokers\namqp://u:p@h1/v\r\n\namqp://u:p@h2/v\n')
    const { servers } = await connectionSettings(request({ type: 'url-file', path }))
    expect(servers.map(({ hostname }) => hostname)).toEqual(['h1', 'h2'])
  })

  it('refuses an empty and a missing URL file', async () => {
    const empty = await file('empty', '\n# none\n')
    await expect(connectionSettings(request({ type: 'url-file', path: empty }))).rejects.toThrow(
      ConfigurationError,
    )
    const missing = join(folder, 'nowhere')
    await expect(connectionSettings(request({ type: 'url-file', path: missing }))).rejects.toThrow(
      /nowhere cannot be read \(ENOENT\)/,
    )
  })

  it('takes broker, topics, exchange, heartbeat and TLS from a conf file', async () => {
    const ca = await file('ca.pem', 'PEM of the authority')
    const path = await file(
      'service.conf',
      `[DEFAULT]
transport_url = rabbit://rpc:secret@h1/
control_exchange = site-nova
[oslo_messaging_notifications]
transport_url = rabbit://notify:secret@h2:5673/notes
topics = notifications,billing
[oslo_messaging_rabbit]
ssl = true
ssl_ca_file = ${ca}
heartbeat_timeout_threshold = 20
`,
    )
    expect(await connectionSettings(request({ type: 'conf', path }))).toMatchObject({
      servers: [
        {
          hostname: 'h2',
          port: 5673,
          username: 'notify',
          password: 'secret',
          virtualHost: 'notes',
          tls: { ca: 'PEM of the authority' },
        },
      ],
      topics: ['notifications', 'billing'],
      controlExchange: 'site-nova',
      heartbeatMs: 20_000,
    })
  })

  it('takes the files of flags before those of a conf file', async () => {
    const [theirs, mine] = [await file('theirs.pem', 'theirs'), await file('mine.pem', 'mine')]
    const path = await file(
      'tls.conf',
      `[oslo_messaging_rabbit]\nrabbit_use_ssl = 1\nkombu_ssl_ca_certs = ${theirs}\nssl_cert_file = ${theirs}\n`,
    )
    const { servers } = await connectionSettings(request({ type: 'conf', path }, { caFile: mine }))
    expect(servers[0]?.tls).toMatchObject({ ca: 'mine', cert: 'theirs' })
  })

  it('refuses a conf file that logs in by certificate', async () => {
    const path = await file('external.conf', '[oslo_messaging_rabbit]\nrabbit_login_method = EXTERNAL\n')
    await expect(connectionSettings(request({ type: 'conf', path }))).rejects.toThrow(
      /external\.conf: login by certificate .*EXTERNAL/,
    )
  })

  it('reads TLS files, and names one that is missing', async () => {
    const ca = await file('other-ca.pem', 'PEM')
    const url = 'amqps://u:p@h/'
    const { servers } = await connectionSettings(
      request({ type: 'environment', url }, { caFile: ca, serverName: 'broker' }),
    )
    expect(servers[0]?.tls).toMatchObject({ ca: 'PEM', serverName: 'broker' })
    await expect(
      connectionSettings(request({ type: 'environment', url }, { caFile: join(folder, 'no.pem') })),
    ).rejects.toThrow(/no\.pem cannot be read/)
  })

  it('says where a bad URL came from, without repeating it', async () => {
    const url = 'http://u:secret@h/'
    const attempt = connectionSettings(request({ type: 'environment', url }))
    await expect(attempt).rejects.toThrow(InvalidUrlError)
    await expect(attempt).rejects.toThrow(/^HERMOD_URL: /)
    await expect(attempt).rejects.not.toThrow(/secret/)
  })
})

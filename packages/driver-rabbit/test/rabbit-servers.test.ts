import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { BrokerAddress } from '@hermod/amqp'
import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { parseTransportUrl } from '@hermod/messaging'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRabbitOptions } from '../src/rabbit-options.ts'
import { rabbitConnectionOptions, rabbitServers, type RabbitServers } from '../src/rabbit-servers.ts'
import type { RabbitOptions } from '../src/rabbit-settings.ts'

function serversOf(text: string, options: RabbitOptions = {}): RabbitServers {
  const url = parseTransportUrl(text)
  return rabbitServers(url, readRabbitOptions({ url, options }).settings)
}

const shown = ({ hostname, port, username, password, virtualHost }: BrokerAddress): string =>
  `${username} ${password} ${hostname} ${port} ${virtualHost}`

describe('the brokers of a URL', () => {
  it.each<[string, readonly string[]]>([
    ['rabbit://', ['guest guest localhost 5672 /']],
    ['rabbit:///v', ['guest guest localhost 5672 v']],
    ['rabbit://127.0.0.1:5672/', ['guest guest 127.0.0.1 5672 /']],
    ['kombu://u:p@h/v', ['u p h 5672 v']],
    ['rabbit://u:p@h//', ['u p h 5672 /']],
    ['rabbit://u:p@h/%2Fv%25', ['u p h 5672 /v%']],
    ['rabbit://u%40x:p%2F@h:5673/', ['u@x p/ h 5673 /']],
    ['rabbit://u:p@[::1]:5673,v:q@[fe80::1]/', ['u p ::1 5673 /', 'v q fe80::1 5672 /']],
    ['rabbit://u:p@h1,h2:5673/', ['u p h1 5672 /', 'guest guest h2 5673 /']],
    ['rabbit://u@h/', ['u guest h 5672 /']],
    ['rabbit://u:p@h/?ssl=1', ['u p h 5672 /']],
  ])('%s', async (text, expected) => {
    const servers = serversOf(text)
    expect(servers.addresses.map(shown)).toEqual(expected)
    expect((await servers.target()).map(shown)).toEqual(expected)
  })

  it.each([
    [
      'rabbit://u:p@h1,h2,v:q@h3/',
      ['the URL names no user for h2; guest is tried there, for each host needs its own'],
    ],
    ['rabbit://h1,h2/', []],
    ['rabbit://u:p@h1/', []],
  ])('%s warns of hosts that were left without a user', (text, notes) => {
    expect(serversOf(text).notes).toEqual(notes)
  })

  it('need no user where the certificate is the login', () => {
    expect(serversOf('rabbit://u@h1,h2/', { loginMethod: 'EXTERNAL' }).notes).toEqual([])
  })

  it.each([
    ['kombu+memory://h/', 'kombu+memory:// asks for a transport that only kombu itself has'],
    ['rabbit+qpid://h/', 'rabbit+qpid:// asks for a transport that only kombu itself has'],
    ['amqp://h/', "the scheme 'amqp' is not known here"],
  ])('are not known for %s', (text, expected) => {
    expect(() => serversOf(text)).toThrow(InvalidUrlError)
    expect(() => serversOf(text)).toThrow(expected)
  })

  it('show no password', async () => {
    const servers = serversOf('rabbit://u:hunter2@h/?ssl=1')
    const outputs = [
      inspect(servers, { depth: null }),
      JSON.stringify(servers),
      inspect(await servers.target()),
    ]
    for (const output of outputs) {
      expect(output).not.toContain('hunter2')
      expect(output).toContain('***')
    }
  })
})

describe('TLS', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hermod-servers-'))
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), `the ${name}`)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string): string => join(folder, `${name}.pem`)
  const tlsOf = async ({ target }: RabbitServers): Promise<unknown> => (await target()).map(({ tls }) => tls)

  it('is off by default, whatever files there are', async () => {
    expect(await tlsOf(serversOf('rabbit://h/', { tlsCaFile: file('none') }))).toEqual([undefined])
  })

  it('verifies by the authorities of Node where no file is named', async () => {
    expect(await tlsOf(serversOf('rabbit://h/?ssl=true'))).toEqual([{}])
  })

  it('takes authorities, certificate and key from the files', async () => {
    const options = { tls: true, tlsCaFile: file('ca'), tlsCertFile: file('cert'), tlsKeyFile: file('key') }
    const tls = { ca: 'the ca', cert: 'the cert', key: 'the key' }
    expect(await tlsOf(serversOf('rabbit://h1,h2/', options))).toEqual([tls, tls])
  })

  it('reads the files again before each pass, for they are renewed', async () => {
    const path = join(folder, 'renewed.pem')
    writeFileSync(path, 'old')
    const servers = serversOf('rabbit://h/', { tls: true, tlsCaFile: path })
    expect(await tlsOf(servers)).toEqual([{ ca: 'old' }])
    writeFileSync(path, 'new')
    expect(await tlsOf(servers)).toEqual([{ ca: 'new' }])
  })

  it('takes what the program gives before the files', async () => {
    const url = parseTransportUrl('rabbit://h/')
    const { settings } = readRabbitOptions({ options: { tlsCaFile: file('ca'), tlsCertFile: file('cert') } })
    const servers = rabbitServers(url, settings, { ca: 'mine', serverName: 'broker.example' })
    expect(await tlsOf(servers)).toEqual([{ ca: 'mine', cert: 'the cert', serverName: 'broker.example' }])
  })

  it('names a file that cannot be read', async () => {
    const servers = serversOf('rabbit://h/', { tls: true, tlsKeyFile: file('absent') })
    await expect(servers.target()).rejects.toThrow(ConfigurationError)
    await expect(servers.target()).rejects.toThrow(`the TLS key in ${file('absent')} cannot be read (ENOENT)`)
  })
})

describe('the options of a connection', () => {
  const optionsOf = (options: RabbitOptions): ReturnType<typeof rabbitConnectionOptions> =>
    rabbitConnectionOptions(readRabbitOptions({ options }).settings)

  it('are those of oslo.messaging', () => {
    expect(optionsOf({ processName: 'nova-api' })).toEqual({
      name: expect.stringMatching(new RegExp(`^nova-api:${process.pid}:[0-9a-f-]{36}$`)) as string,
      heartbeatMs: 60_000,
      mechanism: 'AMQPLAIN',
      reconnect: { initialMs: 1_000, maxMs: 30_000, factor: 2 },
    })
  })

  it('name each connection anew', () => {
    expect(optionsOf({}).name).not.toBe(optionsOf({}).name)
  })

  it('follow what is set', () => {
    const options = {
      heartbeatMs: 0,
      retryBackoffMs: 0,
      retryIntervalMs: 40_000,
      loginMethod: 'EXTERNAL',
    } as const
    expect(optionsOf(options)).toMatchObject({
      heartbeatMs: 0,
      mechanism: 'EXTERNAL',
      reconnect: { initialMs: 40_000, maxMs: 40_000, factor: 1 },
    })
  })
})

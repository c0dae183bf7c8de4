import dns from 'node:dns'
import { once } from 'node:events'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { Connection, parseAmqpUrl, type BrokerAddress, type TlsOptions } from '@hermod/amqp'
import { nextEvent, ScriptedBroker, type ScriptedListener } from '@hermod/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeCertificates, type TestCertificates } from './test-certificates.ts'

const HOSTS = ['one.example', 'two.example'] as const
type Host = (typeof HOSTS)[number]

/** What a TLS server saw of its clients. */
interface Seen {
  readonly host: Host
  /** The name that the client indicated; false: none. */
  readonly asked: string | false
  /** The common name of its certificate. */
  readonly client: string | undefined
}

describe('TLS to one of several hosts', () => {
  let certificates: TestCertificates
  let broker: ScriptedBroker
  let listener: ScriptedListener
  const servers: Server[] = []
  const ports = new Map<Host, number>()
  const seen: Seen[] = []

  beforeAll(async () => {
    certificates = makeCertificates()
    broker = new ScriptedBroker()
    listener = await broker.listen()
    for (const host of HOSTS) {
      const options = {
        ...certificates.serverFor(host),
        ca: certificates.ca,
        requestCert: true,
        rejectUnauthorized: false,
      }
      const server = createServer(options, (socket: TLSSocket) => {
        const client = socket.getPeerCertificate().subject?.CN
        seen.push({
          host,
          asked: (socket as { readonly servername?: string | false }).servername ?? false,
          client: typeof client === 'string' ? client : undefined,
        })
        const broken = (): void => void socket.destroy()
        socket.on('error', broken)
        socket
          .pipe(connectTcp(listener.port, listener.host).on('error', broken).on('close', broken))
          .pipe(socket)
      })
      server.on('tlsClientError', () => {})
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      ports.set(host, (server.address() as AddressInfo).port)
    }
    // Names that the machine does not know, and that both lead here.
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _: string,
      options: unknown,
      done: (...args: unknown[]) => void,
    ) => {
      if ((options as { all?: boolean }).all === true) done(null, [{ address: '127.0.0.1', family: 4 }])
      else done(null, '127.0.0.1', 4)
    }) as typeof dns.lookup)
  })
  beforeEach(() => {
    seen.length = 0
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    for (const server of servers) server.close()
    await listener?.[Symbol.asyncDispose]()
    certificates?.[Symbol.dispose]()
  })

  const address = (host: Host | '127.0.0.1', at: Host, tls: TlsOptions = {}): BrokerAddress => ({
    ...parseAmqpUrl(`amqps://user:sesame@${host}:${ports.get(at)}/`),
    tls: { ca: certificates.ca, ...tls },
  })
  const options = { serverOrder: 'given', heartbeatMs: 0, reconnect: { initialMs: 1, maxMs: 20 } } as const

  it('indicates and checks the host in use, and shows each host its own certificate', async () => {
    const list = [
      address('one.example', 'one.example', certificates.clientFor('client-one')),
      address('two.example', 'two.example', certificates.clientFor('client-two')),
    ]
    const dead = { ...list[0], port: 1 } as BrokerAddress
    let pass = 0
    await using connection = await Connection.connect(
      () => (++pass === 2 ? [dead, list[1] as BrokerAddress] : list),
      options,
    )
    expect(connection.server.address).toMatch(/^one\.example:/)
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    expect((await restored).server.address).toMatch(/^two\.example:/)
    expect(seen).toEqual([
      { host: 'one.example', asked: 'one.example', client: 'client-one' },
      { host: 'two.example', asked: 'two.example', client: 'client-two' },
    ])
  })

  it('goes on to the next host when one has the certificate of another', async () => {
    const list = [address('one.example', 'two.example'), address('two.example', 'two.example')]
    await using connection = await Connection.connect(list, options)
    expect(connection.server.address).toMatch(/^two\.example:/)
    expect(broker.link.all('connection.start-ok')).toHaveLength(1)
  })

  it('never says who it is to a host with the certificate of another', async () => {
    const before = broker.links.flatMap((link) => link.all('connection.start-ok')).length
    const error = await Connection.connect(address('one.example', 'two.example'), options).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'tls' })
    expect((error as Error).message).toContain('one.example')
    expect(broker.links.flatMap((link) => link.all('connection.start-ok'))).toHaveLength(before)
  })

  it('checks the name or address that it was told to expect instead of the host', async () => {
    const expected = (serverName: string, host: Host | '127.0.0.1' = 'one.example'): Promise<Connection> =>
      Connection.connect(address(host, 'two.example', { serverName }), options)
    await (await expected('two.example')).close()
    await (await expected('two.example', '127.0.0.1')).close()
    expect(seen.map(({ asked }) => asked)).toEqual(['two.example', 'two.example'])
    // An address is checked all the same: this certificate names a host only.
    const byAddress = Connection.connect(
      address('two.example', 'two.example', { serverName: '127.0.0.1' }),
      options,
    )
    await expect(byAddress).rejects.toMatchObject({ phase: 'tls' })
  })
})

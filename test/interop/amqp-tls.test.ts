import { Connection, parseAmqpUrl, type BrokerAddress, type TlsOptions } from '@hermod/amqp'
import { findBroker, freePort, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificates, type TestCertificates } from './test-certificates.ts'

const gate = needs(findBroker('administer'))

describe.skipIf(gate.skip)('TLS to RabbitMQ' + gate.note, () => {
  let certificates: TestCertificates
  let broker: BrokerFixture
  let tlsPort: number

  beforeAll(async () => {
    certificates = makeCertificates()
    tlsPort = await freePort()
    broker = await startBroker({
      config: {
        'listeners.ssl.1': `127.0.0.1:${tlsPort}`,
        'ssl_options.cacertfile': certificates.caFile,
        'ssl_options.certfile': certificates.serverCertFile,
        'ssl_options.keyfile': certificates.serverKeyFile,
        'ssl_options.verify': 'verify_peer',
        'ssl_options.fail_if_no_peer_cert': 'false',
      },
    })
  })

  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
    certificates?.[Symbol.dispose]()
  })

  const address = (hostname: string, tls: TlsOptions): BrokerAddress => ({
    ...parseAmqpUrl(`amqps://guest:guest@${hostname}:${tlsPort}/`),
    tls,
  })

  async function canPublish(server: BrokerAddress): Promise<boolean> {
    await using connection = await Connection.connect(server)
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.publish('', queue, Buffer.from('over TLS'))
    return (await channel.get(queue))?.body.toString() === 'over TLS'
  }

  it('verifies chain and host name, and then works', async () => {
    expect(await canPublish(address('localhost', { ca: certificates.ca }))).toBe(true)
  })

  it('refuses an authority that it does not know', async () => {
    await expect(canPublish(address('localhost', {}))).rejects.toMatchObject({ code: 'E_CONN', phase: 'tls' })
  })

  it('refuses a certificate for another name', async () => {
    await expect(canPublish(address('127.0.0.1', { ca: certificates.ca }))).rejects.toMatchObject({
      code: 'E_CONN',
      phase: 'tls',
      message: expect.stringContaining('127.0.0.1'),
    })
  })

  it('verifies the name that it was told to expect', async () => {
    expect(await canPublish(address('127.0.0.1', { ca: certificates.ca, serverName: 'localhost' }))).toBe(
      true,
    )
    await expect(
      canPublish(address('localhost', { ca: certificates.ca, serverName: 'broker.example' })),
    ).rejects.toMatchObject({ phase: 'tls' })
  })

  it('accepts anything only when told so', async () => {
    expect(await canPublish(address('127.0.0.1', { rejectUnauthorized: false }))).toBe(true)
  })

  it('shows a client certificate', async () => {
    const { ca, clientCert, clientKey } = certificates
    expect(await canPublish(address('localhost', { ca, cert: clientCert, key: clientKey }))).toBe(true)
  })

  it('says so when the port speaks no TLS', async () => {
    const plain = { ...address('localhost', { ca: certificates.ca }), port: broker.port }
    await expect(canPublish(plain)).rejects.toMatchObject({
      code: 'E_CONN',
      phase: 'tls',
      message: expect.stringContaining('does not speak TLS'),
    })
  })

  it('says so when TLS is expected and not spoken', async () => {
    const server = parseAmqpUrl(`amqp://guest:guest@localhost:${tlsPort}/`)
    await expect(Connection.connect(server)).rejects.toMatchObject({ code: 'E_CONN', phase: 'handshake' })
  })
})

import { Connection, parseAmqpUrl, type BrokerAddress, type TlsOptions } from '@hermod/amqp'
import { eventually, findBroker, freePort, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificates, type TestCertificates } from './test-certificates.ts'

const gate = needs(findBroker('administer', 'inspect', 'plugins'))

describe.skipIf(gate.skip)(`EXTERNAL with RabbitMQ${gate.note}`, () => {
  let certificates: TestCertificates
  let broker: BrokerFixture
  let tlsPort: number

  beforeAll(async () => {
    certificates = makeCertificates()
    tlsPort = await freePort()
    broker = await startBroker({
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      config: {
        'listeners.ssl.1': `127.0.0.1:${tlsPort}`,
        'ssl_options.cacertfile': certificates.caFile,
        'ssl_options.certfile': certificates.serverCertFile,
        'ssl_options.keyfile': certificates.serverKeyFile,
        'ssl_options.verify': 'verify_peer',
        'ssl_options.fail_if_no_peer_cert': 'false',
        'auth_mechanisms.1': 'EXTERNAL',
        'auth_mechanisms.2': 'PLAIN',
        ssl_cert_login_from: 'common_name',
      },
    })
    // The password of such a user is of no use to anybody.
    await broker.addUser('billing', 'not the point')
  })

  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]()
    certificates?.[Symbol.dispose]()
  })

  const users = async (): Promise<readonly string[]> => (await broker.connections()).map(({ user }) => user)
  const address = (tls: TlsOptions, query = ''): BrokerAddress => ({
    ...parseAmqpUrl(`amqps://nobody:wrong@localhost:${tlsPort}/${query}`),
    tls: { ca: certificates.ca, ...tls },
  })

  it.each([
    ['option', '', 'EXTERNAL'],
    ['URL', '?auth_mechanism=external', undefined],
  ] as const)('logs in as whom the certificate names, asked for by %s', async (_, query, mechanism) => {
    const server = address(certificates.clientFor('billing'), query)
    await using connection = await Connection.connect(server, { mechanism, name: `by ${query}` })
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.publish('', queue, Buffer.from('x'), { mandatory: true })
    // Connections of before that the broker has not let go of yet are among them for a moment.
    await eventually(async () => expect(await users()).toEqual(['billing']))
  })

  it('is refused when the broker does not know whom the certificate names', async () => {
    const error = await Connection.connect(address(certificates.clientFor('stranger')), {
      mechanism: 'EXTERNAL',
    }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_AUTH', retryable: false })
    expect((error as Error).message).toMatch(/refused the client certificate/)
    expect((error as Error).message).not.toMatch(/wrong|password/)
  })

  it('is refused without a certificate, and over a wire without TLS', async () => {
    await expect(Connection.connect(address({}), { mechanism: 'EXTERNAL' })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(?:AUTH|CONN)$/) as string,
    })
    await expect(Connection.connect(broker.url, { mechanism: 'EXTERNAL' })).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(?:AUTH|CONN)$/) as string,
    })
  })

  it('is not taken unasked: the password counts though a certificate is shown', async () => {
    const { cert, key } = certificates.clientFor('billing')
    await expect(Connection.connect(address({ cert, key }))).rejects.toMatchObject({ code: 'E_AUTH' })
    const server = { ...address({ cert, key }), username: 'guest', password: 'guest' }
    await using connection = await Connection.connect(server)
    await eventually(async () => expect(await users()).toEqual(['guest']))
    expect(connection.state).toBe('open')
  })
})

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createBroker, LIMITS, type ListenOptions } from '@hermod/broker'
import { Connection, parseAmqpUrl } from '@hermod/amqp'
import { eventually } from '@hermod/testkit'
import { expect, it } from 'vitest'
import { makeCertificates } from '../interop/test-certificates.ts'

const securely = ({ serverCertFile, serverKeyFile }: ReturnType<typeof makeCertificates>): ListenOptions => ({
  host: 'localhost',
  tls: { cert: readFileSync(serverCertFile), key: readFileSync(serverKeyFile) },
})

it('serves clients over TLS beside others that never end its handshake', async () => {
  using certificates = makeCertificates()
  await using broker = createBroker()
  const { url, port } = await broker.listen(securely(certificates))
  const silent: Socket[] = []
  for (let n = 0; n < LIMITS.maxUnauthenticatedPerAddress - 1; n++) {
    const socket = connect({ port, host: 'localhost' })
    await once(socket, 'connect')
    silent.push(socket)
  }
  // One place is left, and each that has its handshake behind it gives it back.
  const address = { ...parseAmqpUrl(url), tls: { ca: certificates.ca } }
  const connections: Connection[] = []
  for (let n = 0; n < 4; n++) connections.push(await Connection.connect(address))
  expect(broker.connections().map(({ secure }) => secure)).toEqual([true, true, true, true])
  for (const connection of connections) await connection.close()
  for (const socket of silent) socket.destroy()
})

it('breaks connections over TLS', async () => {
  using certificates = makeCertificates()
  await using broker = createBroker()
  const { url } = await broker.listen(securely(certificates))
  const connection = await Connection.connect({ ...parseAmqpUrl(url), tls: { ca: certificates.ca } })
  const [first] = broker.connections()
  first?.drop()
  await eventually(() => expect(broker.connections().some(({ id }) => id !== first?.id)).toBe(true))
  await connection.close()
})

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { HermodError } from '@hermod/kernel'

/** Below the ranges from which systems take ports for outgoing connections: nobody gets one of these by chance. */
const FIRST_PORT = 20_000
const PORT_COUNT = 12_000
const ATTEMPTS = 100

/**
 * A TCP port that nothing listens on, for a peer that cannot be given port 0 or that must come back on the
 * same one. As long as this process lives nobody else is given it here, however late the peer takes it.
 *
 * @throws {HermodError} E_LIMIT when none was found.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT)
    if (await isOurs(port)) return port
  }
  throw new HermodError('E_LIMIT', `none of ${ATTEMPTS} ports tried is free; close what listens on loopback`)
}

/** Whether the port is free and was reserved: by the UDP port of the same number, which the system gives back with us. */
async function isOurs(port: number): Promise<boolean> {
  const reservation = createSocket('udp4')
  try {
    reservation.bind({ address: '127.0.0.1', port, exclusive: true })
    await once(reservation, 'listening')
    reservation.unref()
    if (await isFree(port)) return true
  } catch {
    // Somebody else's.
  }
  reservation.close()
  return false
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

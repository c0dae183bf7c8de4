import { createServer } from 'node:net'
import { HermodError } from '@hermod/kernel'

/** Below the ranges from which systems take ports for outgoing connections: nobody gets one of these by chance. */
const FIRST_PORT = 20_000
const PORT_COUNT = 12_000
const ATTEMPTS = 100

/**
 * A TCP port that nothing listens on, for a peer that cannot be given port 0 or that must come back on the
 * same one. It is taken at random, so that test processes side by side rarely meet.
 *
 * @throws {HermodError} E_LIMIT when none was found.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT)
    if (await isFree(port)) return port
  }
  throw new HermodError('E_LIMIT', `none of ${ATTEMPTS} ports tried is free; close what listens on loopback`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

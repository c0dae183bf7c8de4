import { ConnectionError, isHermodError } from '@hermod/kernel'
import { createTransport, fake, type Transport } from '@hermod/messaging'
import type { Announcer } from './announcer.ts'
import type { CliIo } from './cli-io.ts'
import type { ConnectionRequest } from './connection-flags.ts'
import { fromOrigin } from './connection-source.ts'
import { transportSettings, type TransportPurpose } from './transport-settings.ts'

/** How long closing may take. */
const CLOSE_LIMIT_MS = 2000

/** Which transport a command works with. */
export interface TransportRequest {
  readonly connection: ConnectionRequest
  readonly purpose: TransportPurpose
  /** Instead of the conf file's and of `openstack`. */
  readonly exchange: string | undefined
  readonly signal: AbortSignal
}

/** Connects, does the work, closes; from then on says on stderr what the connection does. */
export async function withTransport<T>(
  request: TransportRequest,
  io: CliIo,
  announcer: Announcer,
  work: (transport: Transport) => Promise<T>,
): Promise<T> {
  const { connection, purpose, exchange } = request
  const { url, tls, conf, notes } = await transportSettings(connection, purpose)
  for (const text of notes) announcer.note(text)
  const { rabbit } = await import('@hermod/driver-rabbit')
  const drivers = [rabbit({ tls }), fake()]
  const transport = await fromOrigin(connection.source, () =>
    createTransport(url, { drivers, conf, controlExchange: exchange, clock: io.clock }),
  )
  try {
    await connect(transport, request)
    announceConnection(transport, announcer)
    return await work(transport)
  } finally {
    await transport.close({ timeoutMs: CLOSE_LIMIT_MS })
  }
}

/**
 * Each host is tried once, for somebody waits. A time that is over before anything is connected is a failure to connect:
 * nobody failed to answer.
 */
async function connect(transport: Transport, { connection, signal }: TransportRequest): Promise<void> {
  try {
    await transport.connect({ signal, timeoutMs: connection.connectTimeoutMs, retries: 0 })
  } catch (error) {
    if (!isHermodError(error)) throw error
    // Of an attempt that may not be repeated the reason is told, and not that it was the only one.
    if (error.code === 'E_DELIVERY' && isHermodError(error.cause)) throw error.cause
    if (error.code !== 'E_TIMEOUT') throw error
    throw new ConnectionError('tcp', error.message, { cause: error.cause })
  }
}

function announceConnection(transport: Transport, announcer: Announcer): void {
  let lost = false
  transport.on('disconnected', ({ reason }) => {
    lost = true
    announcer.alert(`connection lost (${reason})`)
  })
  transport.on('connected', ({ server }) => {
    // A transport may make more than one connection, each when it is needed.
    if (lost) announcer.note(`connected to ${server} again`)
    lost = false
  })
  transport.on('blocked', ({ reason }) => announcer.alert(`the broker takes no messages for now (${reason})`))
  transport.on('unblocked', () => announcer.note('the broker takes messages again'))
  transport.on('refused', ({ source, reason }) =>
    announcer.alert(`refused a message from ${source} (${reason})`),
  )
}

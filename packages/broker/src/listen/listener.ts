import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { ConfigurationError, ConnectionError } from '@hermod/kernel'
import type { Limits } from '../limits.ts'
import type { Peer } from '../session/link.ts'
import { peerOf } from './peer-of.ts'
import { TlsShakes } from './tls-shakes.ts'

/** Keep-alive probes begin after this much silence: the net under the heartbeats. */
const KEEP_ALIVE_MS = 30_000

/** For the handshake of TLS, before AMQP has its own. */
const TLS_HANDSHAKE_MS = 10_000

const HIGHEST_PORT = 65_535

/** Where to listen. */
export interface ListenerOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly tls: TlsOptions | undefined
  readonly limits: Limits
  /** Is told the address of everybody who may not even shake hands for TLS. */
  readonly refused: (address: string) => void
}

/** An open port. Every socket is handed over once it can be read: for TLS, after its own handshake. */
export class Listener {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly #server: Server
  readonly #shakes: TlsShakes | undefined

  private constructor(server: Server, host: string, secure: boolean, shakes: TlsShakes | undefined) {
    this.#server = server
    this.#shakes = shakes
    this.host = host
    this.port = (server.address() as AddressInfo).port
    this.secure = secure
  }

  /**
   * Resolves once the port is open.
   *
   * @throws {ConfigurationError} E_CONFIG for a number that is no port, a certificate or a key that cannot be used.
   * @throws {ConnectionError} E_CONN where it cannot be opened.
   */
  static async open(
    { host, port, tls, limits, refused }: ListenerOptions,
    accept: (socket: Socket, peer: Peer) => void,
  ): Promise<Listener> {
    if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT)
      throw new ConfigurationError([`${port} is no port; there are those from 0 to ${HIGHEST_PORT}`])
    const secure = tls !== undefined
    const take = (socket: Socket): void => {
      socket.on('error', () => {})
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      accept(socket, peerOf(socket, secure))
    }
    // What a client has half closed still gets its answers.
    const server = secure ? tlsServer(tls, take) : createTcpServer({ allowHalfOpen: true }, take)
    const shakes = secure ? new TlsShakes(server, limits, refused) : undefined
    server.on('tlsClientError', () => {})
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const reason = `cannot listen on ${host}, port ${port} (${cause.code ?? cause.message})`
        reject(new ConnectionError('tcp', reason, { cause }))
      })
      server.listen({ host, port }, () => {
        server.removeAllListeners('error')
        server.on('error', () => {})
        resolve(new Listener(server, host, secure, shakes))
      })
    })
  }

  /** Takes no new sockets; those that can be read stay. Resolves once the port is free. */
  close(): Promise<void> {
    this.#server.close()
    this.#shakes?.end()
    // Node would have us wait for the last socket.
    return new Promise((resolve) => setImmediate(resolve))
  }
}

function tlsServer(tls: TlsOptions, take: (socket: Socket) => void): Server {
  // Node opens a port without any, to which nobody can ever connect.
  const has = [tls.cert, tls.pfx].some((given) => given !== undefined && given.length > 0)
  if (!has && tls.SNICallback === undefined)
    throw new ConfigurationError(['TLS needs a certificate and its key; what was given is empty'])
  try {
    return createTlsServer({ ...tls, allowHalfOpen: true, handshakeTimeout: TLS_HANDSHAKE_MS }, take)
  } catch (cause) {
    const reason = (cause as Error).message
    throw new ConfigurationError([`the TLS certificate and its key cannot be used (${reason})`], { cause })
  }
}

import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { ConnectionError } from '@hermod/kernel'
import { peerOf } from './peer-of.ts'
import type { Peer } from '../session/link.ts'

/** Keep-alive probes begin after this much silence: the net under the heartbeats. */
const KEEP_ALIVE_MS = 30_000

/** For the handshake of TLS, before AMQP has its own. */
const TLS_HANDSHAKE_MS = 10_000

/** Where to listen. */
export interface ListenerOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly tls: TlsOptions | undefined
}

/** An open port. Every socket is handed over once it can be read: for TLS, after its own handshake. */
export class Listener {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly #server: Server

  private constructor(server: Server, host: string, secure: boolean) {
    this.#server = server
    this.host = host
    this.port = (server.address() as AddressInfo).port
    this.secure = secure
  }

  /**
   * Resolves once the port is open.
   *
   * @throws {ConnectionError} E_CONN where it cannot be opened.
   */
  static open(
    { host, port, tls }: ListenerOptions,
    accept: (socket: Socket, peer: Peer) => void,
  ): Promise<Listener> {
    const secure = tls !== undefined
    const take = (socket: Socket): void => {
      socket.on('error', () => {})
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      accept(socket, peerOf(socket, secure))
    }
    // What a client has half closed still gets its answers.
    const server = secure
      ? createTlsServer({ ...tls, allowHalfOpen: true, handshakeTimeout: TLS_HANDSHAKE_MS }, take)
      : createTcpServer({ allowHalfOpen: true }, take)
    server.on('tlsClientError', () => {})
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const reason = `cannot listen on ${host}, port ${port} (${cause.code ?? cause.message})`
        reject(new ConnectionError('tcp', reason, { cause }))
      })
      server.listen({ host, port }, () => {
        server.removeAllListeners('error')
        server.on('error', () => {})
        resolve(new Listener(server, host, secure))
      })
    })
  }

  /** Takes no new sockets; those that are there stay. Resolves once the port is free. */
  close(): Promise<void> {
    this.#server.close()
    // Node would have us wait for the last socket.
    return new Promise((resolve) => setImmediate(resolve))
  }
}

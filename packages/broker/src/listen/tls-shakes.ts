import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Limits } from '../limits.ts'
import { Admission } from './admission.ts'

/** Both ends of a socket. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

/**
 * The sockets of a port that are still shaking hands for TLS: no connection knows of them yet, and whoever says nothing
 * may stay for as long as that may take. So there are no more of them than there may be sockets that have not logged in,
 * and they do not outlive the port.
 */
export class TlsShakes {
  readonly #sockets = new Map<string, Socket>()
  readonly #admission: Admission

  /** @param refused is told the address of everybody who may not come. */
  constructor(server: Server, limits: Limits, refused: (address: string) => void) {
    this.#admission = new Admission(limits, refused)
    server.on('connection', (socket: Socket) => this.#came(socket))
    server.on('secureConnection', (socket: TLSSocket) => this.#left(nameOf(socket)))
  }

  /** Hangs up on them all. */
  end(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  #came(socket: Socket): void {
    const { remoteAddress } = socket
    if (remoteAddress === undefined || !this.#admission.enter(remoteAddress)) return void socket.destroy()
    const name = nameOf(socket)
    this.#sockets.set(name, socket)
    socket.on('close', () => {
      if (this.#sockets.get(name) === socket) this.#left(name)
    })
  }

  #left(name: string): void {
    const socket = this.#sockets.get(name)
    if (socket === undefined) return
    this.#sockets.delete(name)
    this.#admission.leave(name.slice(0, name.indexOf(' ')), false)
  }
}

import { connect, type Socket } from 'node:net'
import { FaultyLink } from './faulty-link.ts'
import type { LinkDirection, LinkFaults } from './link-faults.ts'

/** A connection of a fault proxy: the client's socket, the one to the broker, and a link for each direction. */
export class ProxiedConnection {
  readonly links: Readonly<Record<LinkDirection, FaultyLink>>
  readonly #sockets: readonly [client: Socket, broker: Socket]

  /**
   * @param random of this connection alone, so that what happens to it does not depend on the others.
   * @param closed called when both sockets are.
   */
  constructor(
    client: Socket,
    target: { readonly host: string; readonly port: number },
    faults: Readonly<Record<LinkDirection, LinkFaults>>,
    random: Readonly<Record<LinkDirection, () => number>>,
    listener: { readonly cut: () => void; readonly closed: () => void },
  ) {
    const broker = connect({ host: target.host, port: target.port, allowHalfOpen: true })
    this.#sockets = [client, broker]
    let open = this.#sockets.length
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => {}) // 'close' follows and says the same
      socket.on('close', () => --open === 0 && listener.closed())
    }
    const cut = (): void => {
      this.end()
      listener.cut()
    }
    this.links = {
      'to-broker': new FaultyLink(client, broker, faults['to-broker'], random['to-broker'], cut),
      'to-client': new FaultyLink(broker, client, faults['to-client'], random['to-client'], cut),
    }
  }

  /** Breaks both sides (RST). */
  end(): void {
    for (const link of Object.values(this.links)) link.stop()
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}

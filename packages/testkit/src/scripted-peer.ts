import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { ByteConversation } from './byte-conversation.ts'

/**
 * What the peer does with one connection.
 *
 * @param index 0 for the first connection that it accepted.
 */
export type PeerScript = (conversation: ByteConversation, index: number) => Promise<void>

/** A TCP server on a free port of loopback that plays a script with everyone who connects. */
export interface ScriptedPeer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** How many connections it accepted. */
  readonly accepted: number
  /** Breaks what is open and stops listening. Rejects with the first failure of a script, so that no test misses it. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a peer. When a script ends, its connection stays as the script left it. */
export async function startScriptedPeer(script: PeerScript): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>()
  const failures: unknown[] = []
  let accepted = 0
  let disposed = false
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    script(new ByteConversation(socket), accepted++).catch((error: unknown) => {
      // A script that is cut short by the end of the test has not failed.
      if (!disposed) failures.push(error)
      socket.destroy()
    })
  })
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted
    },
    async [Symbol.asyncDispose]() {
      disposed = true
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
      if (failures.length > 0) throw failures[0]
    },
  }
}

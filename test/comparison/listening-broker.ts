import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { parseAmqpUrl } from '@hermod/amqp'
import type { ScriptedBroker } from '@hermod/testkit'

/** A scripted broker behind a TCP port, for clients that open their sockets themselves. */
export interface ListeningBroker extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** With user and password. */
  readonly url: string
  /** Breaks all connections (RST). */
  reset(): void
}

/** Lets a scripted broker listen on a free port of loopback. */
export async function listen(broker: ScriptedBroker): Promise<ListeningBroker> {
  const sockets = new Set<Socket>()
  // Our client does not wait for this answer, so that the broker has none of its own.
  broker.on('confirm.select', ({ channel, args }, link) => {
    if (!args.noWait) link.send(channel, 'confirm.select-ok', {})
  })
  const accept = async (socket: Socket): Promise<void> => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {}) // 'close' follows
    const { signal } = new AbortController()
    const near = await broker.dial(parseAmqpUrl('amqp://broker'), { signal })
    near.on('error', () => {})
    near.on('close', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      near.destroy()
    })
    socket.pipe(near).pipe(socket)
  }
  const server = createServer((socket) => void accept(socket))
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: '127.0.0.1',
    port,
    url: `amqp://user:sesame@127.0.0.1:${port}`,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

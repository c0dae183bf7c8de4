import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { startFaultProxy, type FaultProxy } from '../src/fault-proxy.ts'
import { eventually } from '../src/eventually.ts'

/** One end of a connection through a proxy, and all that it has seen. */
export class End {
  readonly socket: Socket
  readonly chunks: Buffer[] = []
  ended = false
  /** The code of the error that ended it. */
  failure: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk))
    socket.on('end', () => (this.ended = true))
    socket.on('error', (error: NodeJS.ErrnoException) => (this.failure = error.code))
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  say(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Resolves once this text, and nothing more, has come. */
  async heard(text: string): Promise<void> {
    await eventually(() => this.bytes.length >= text.length)
    if (this.text !== text) throw new TypeError(`heard '${this.text}' instead of '${text}'`)
  }
}

/** A proxy, what it leads to, and clients of it. */
export class ProxiedEnds {
  readonly proxy: FaultProxy
  readonly #brokers: End[] = []
  readonly #clients: Socket[] = []
  readonly #close: () => Promise<void>

  private constructor(proxy: FaultProxy, brokers: End[], close: () => Promise<void>) {
    this.proxy = proxy
    this.#brokers = brokers
    this.#close = close
  }

  static async start(seed = 1): Promise<ProxiedEnds> {
    const brokers: End[] = []
    const server = createServer({ allowHalfOpen: true }, (socket) => brokers.push(new End(socket)))
    server.listen({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const proxy = await startFaultProxy({ host: '127.0.0.1', port }, { seed })
    return new ProxiedEnds(proxy, brokers, async () => {
      const closed = once(server, 'close')
      server.close()
      for (const { socket } of brokers) socket.destroy()
      await closed
    })
  }

  /** A client that begins to connect. */
  client(): End {
    const socket = connect({ host: this.proxy.host, port: this.proxy.port, allowHalfOpen: true })
    this.#clients.push(socket)
    return new End(socket)
  }

  /** A client and the other end of its connection. */
  async pair(): Promise<readonly [client: End, broker: End]> {
    const index = this.#brokers.length
    const client = this.client()
    await eventually(() => this.#brokers.length > index)
    return [client, this.#brokers[index] as End]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#clients) socket.destroy()
    await this.proxy[Symbol.asyncDispose]()
    await this.#close()
  }
}

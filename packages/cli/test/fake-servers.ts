import { randomUUID } from 'node:crypto'
import { createRpcServer, createTransport, fake, type RpcServer, type Transport } from '@hermod/messaging'

/** A `fake://` of its own, and what a test needs at its other end. */
export class FakeServers implements AsyncDisposable {
  readonly url: string = `fake://${randomUUID()}/`
  readonly transport: Transport = createTransport(this.url, { drivers: [fake()] })
  readonly #servers: RpcServer[] = []

  /** Serves these endpoints. */
  async serve(
    target: { readonly topic: string; readonly server: string; readonly exchange?: string },
    ...endpoints: readonly object[]
  ): Promise<RpcServer> {
    const server = createRpcServer(this.transport, target, { endpoints })
    await server.start()
    this.#servers.push(server)
    return server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server.stop({ timeoutMs: 0 })
    await this.transport.close()
  }
}

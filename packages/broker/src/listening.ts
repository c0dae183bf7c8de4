import type { Listener } from './listen/listener.ts'
import { hostAndPort } from './listen/peer-of.ts'

/** An open port of a broker. */
export class Listening implements AsyncDisposable {
  /** `amqp://127.0.0.1:5672`, or `amqps:`; with `guest:guest@` while that is who may connect. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly #close: () => Promise<void>

  /** @param close takes no new connections; resolves once the port is free. */
  constructor(listener: Listener, guestOnly: boolean, close: () => Promise<void>) {
    this.#close = close
    this.host = listener.host
    this.port = listener.port
    const login = guestOnly ? 'guest:guest@' : ''
    this.url = `${listener.secure ? 'amqps' : 'amqp'}://${login}${hostAndPort(this.host, this.port)}`
  }

  /** Takes no new connections; those that are there stay. */
  close(): Promise<void> {
    return this.#close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

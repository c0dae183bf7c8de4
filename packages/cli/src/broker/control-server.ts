import { unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { ConfigurationError, type JsonObject } from '@hermod/kernel'
import { messageLine, readMessage } from './control-message.ts'

/** How long somebody who connects may say nothing. */
const PATIENCE_MS = 5000

/** Who answers. */
export interface ControlHandlers {
  readonly status: () => JsonObject
  /** Somebody wants the broker to end. */
  readonly stop: () => void
}

/** The socket by which a running broker is asked and told. Its file is for this user alone (mode 0600). */
export class ControlServer {
  readonly #server: Server
  readonly #handlers: ControlHandlers
  readonly #sockets = new Set<Socket>()
  /** Those who asked for the end are answered when it has come. */
  readonly #waiting = new Set<Socket>()

  private constructor(handlers: ControlHandlers) {
    this.#handlers = handlers
    this.#server = createServer((socket) => void this.#serve(socket))
  }

  /**
   * Opens it. Whoever does so has the pid file beside it: what is left there is of a process that has ended.
   *
   * @throws {ConfigurationError} E_CONFIG where the socket cannot be made.
   */
  static async open(path: string, handlers: ControlHandlers): Promise<ControlServer> {
    await unlink(path).catch(() => {})
    const control = new ControlServer(handlers)
    await control.#listen(path)
    return control
  }

  /** Tells those who wait for the end that it has come, and removes the socket. */
  async close(): Promise<void> {
    for (const socket of this.#waiting) socket.end(messageLine({ stopped: true }))
    for (const socket of this.#sockets) if (!this.#waiting.has(socket)) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
        reject(new ConfigurationError([`the control socket ${path} cannot be made (${code ?? message})`])),
      )
      // The file is made within this call, and never has more rights than it is to have.
      const mask = process.umask(0o177)
      try {
        this.#server.listen(path, resolve)
      } finally {
        process.umask(mask)
      }
    })
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#waiting.delete(socket)
    })
    socket.on('error', () => {})
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    const message = await readMessage(socket)
    if (message === undefined) return void socket.destroy()
    if (message['request'] === 'status') return void socket.end(messageLine(this.#handlers.status()))
    if (message['request'] !== 'stop') return void socket.end(messageLine({ error: 'unknown request' }))
    socket.setTimeout(0)
    this.#waiting.add(socket)
    this.#handlers.stop()
  }
}

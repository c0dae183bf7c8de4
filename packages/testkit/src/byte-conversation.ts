import type { Socket } from 'node:net'
import {
  ConnectionLostError,
  createDeferred,
  ProtocolError,
  withDeadline,
  type Deferred,
} from '@hermod/kernel'

/** A peer under test that says nothing for this long has hung. */
const READ_TIMEOUT_MS = 10_000

/** One accepted connection of a scripted peer, byte by byte. */
export class ByteConversation {
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #change: Deferred<void> = createDeferred()
  #ended = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk])
      this.#changed()
    })
    socket.on('error', () => {}) // 'close' follows and says the same
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true
        this.#changed()
      })
    }
  }

  /**
   * The next `count` bytes from the other side.
   *
   * @throws {ConnectionLostError} E_CONN_LOST when it hung up before.
   * @throws {MessagingTimeoutError} E_TIMEOUT after 10 s of waiting.
   */
  async take(count: number): Promise<Buffer> {
    while (this.#unread.length < count) {
      if (this.#ended) {
        throw new ConnectionLostError(
          `the other side hung up after ${this.#unread.length} of ${count} awaited bytes`,
        )
      }
      await withDeadline(this.#change.promise, { timeoutMs: READ_TIMEOUT_MS }, `a read of ${count} bytes`)
    }
    const bytes = this.#unread.subarray(0, count)
    this.#unread = this.#unread.subarray(count)
    return bytes
  }

  /**
   * Takes exactly these bytes.
   *
   * @throws {ProtocolError} E_PROTOCOL when others came, else as {@link take}.
   */
  async expect(bytes: Uint8Array): Promise<void> {
    const taken = await this.take(bytes.length)
    if (!taken.equals(bytes)) {
      throw new ProtocolError(
        `awaited the bytes ${Buffer.from(bytes).toString('hex')}, got ${taken.toString('hex')}`,
      )
    }
  }

  /** Hands bytes to the system; resolves when it has them. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error == null ? resolve() : reject(error)))
    })
  }

  /** Resolves once the other side has hung up; what it still sends until then is dropped. */
  async hungUp(): Promise<void> {
    while (!this.#ended) await this.#change.promise
  }

  /** Hangs up in good order (FIN). */
  close(): void {
    this.#socket.end()
  }

  /** Breaks the connection (RST). */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = createDeferred()
  }
}

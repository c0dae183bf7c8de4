import { METHOD_CODES } from '@hermod/amqp/wire'
import type { Output } from './output.ts'

const FRAME_BYTES = 21
const ACK = METHOD_CODES['basic.ack'] & 0xffff
const NACK = METHOD_CODES['basic.nack'] & 0xffff

/**
 * The confirms of a channel: the one place that writes them.
 *
 * Every message is taken or refused within its own turn, so that what waits for the end of it is one run of numbers,
 * cut where a refused message stands next to a taken one. A run of several is one `multiple`. A return is written at
 * once and so always before its confirm.
 */
export class Confirms {
  readonly #channel: number
  readonly #output: Output
  /** The last number that was given out. */
  #last = 0
  #written = 0
  #refused = false

  constructor(channel: number, output: Output) {
    this.#channel = channel
    this.#output = output
  }

  /** The next message was taken, or refused. */
  settle(refused: boolean): void {
    if (refused !== this.#refused) {
      this.flush()
      this.#refused = refused
    }
    this.#last++
    this.#output.schedule()
  }

  /** Writes what waits. */
  flush(): void {
    const count = this.#last - this.#written
    if (count === 0) return
    this.#written = this.#last
    const { writer } = this.#output
    writer.ensure(FRAME_BYTES)
    const { buffer } = writer
    const high = Math.floor(this.#last / 0x1_0000_0000)
    const low = this.#last >>> 0
    let at = writer.offset
    buffer[at++] = 1
    buffer[at++] = this.#channel >>> 8
    buffer[at++] = this.#channel
    at = buffer.writeUInt32BE(13, at)
    at = buffer.writeUInt16BE(60, at)
    at = buffer.writeUInt16BE(this.#refused ? NACK : ACK, at)
    at = buffer.writeUInt32BE(high, at)
    at = buffer.writeUInt32BE(low, at)
    // For basic.nack the next bit is `requeue`, which a client ignores.
    buffer[at++] = count > 1 ? 1 : 0
    buffer[at++] = 0xce
    writer.offset = at
    this.#output.written()
  }
}

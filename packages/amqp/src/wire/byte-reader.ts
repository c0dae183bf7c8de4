import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '@hermod/kernel'

const UINT32 = 0x1_0000_0000
const NOTHING = Buffer.alloc(0)

/**
 * Reads values in network byte order from a range of bytes and never beyond it.
 *
 * Every length is checked against what is left before anything is allocated; a violation throws
 * {@link ProtocolError}. Strings and byte strings are copies.
 *
 * @source AMQP 0-9-1 §4.2.5
 */
export class ByteReader {
  /** The bytes being read. */
  buffer: Buffer = NOTHING
  /** Where the next value begins. */
  offset = 0
  /** The first byte that no longer belongs to the range. */
  end = 0

  /** Starts reading `buffer` from `offset` to `end`. */
  reset(buffer: Buffer, offset = 0, end: number = buffer.length): this {
    this.buffer = buffer
    this.offset = offset
    this.end = end
    return this
  }

  /** How many bytes are left. */
  get left(): number {
    return this.end - this.offset
  }

  #take(bytes: number): number {
    const at = this.offset
    if (bytes > this.end - at) {
      throw new ProtocolError(
        `a value of ${bytes} bytes does not fit into the ${this.end - at} that are left of the frame`,
      )
    }
    this.offset = at + bytes
    return at
  }

  uint8(): number {
    return this.buffer[this.#take(1)] as number
  }

  uint16(): number {
    const at = this.#take(2)
    const { buffer } = this
    return ((buffer[at] as number) << 8) | (buffer[at + 1] as number)
  }

  uint32(): number {
    const at = this.#take(4)
    const { buffer } = this
    return (
      (((buffer[at] as number) << 24) |
        ((buffer[at + 1] as number) << 16) |
        ((buffer[at + 2] as number) << 8) |
        (buffer[at + 3] as number)) >>>
      0
    )
  }

  /** 64 bits unsigned: a `number` while it is a safe integer, a `bigint` beyond. */
  uint64(): number | bigint {
    const high = this.uint32()
    const low = this.uint32()
    if (high < 0x20_0000) return high * UINT32 + low
    return (BigInt(high) << 32n) | BigInt(low)
  }

  /** 64 bits in two's complement: a `number` while it is a safe integer, a `bigint` beyond. */
  int64(): number | bigint {
    const value = this.buffer.readBigInt64BE(this.#take(8))
    const narrow = Number(value)
    return Number.isSafeInteger(narrow) ? narrow : value
  }

  /** A delivery tag: 64 bits on the wire, but no channel lives long enough to leave the safe integers. */
  deliveryTag(): number {
    const tag = this.uint64()
    if (typeof tag === 'bigint') throw new ProtocolError(`delivery tag ${tag} is out of range`)
    return tag
  }

  int8(): number {
    return (this.uint8() << 24) >> 24
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  int32(): number {
    return this.uint32() | 0
  }

  float32(): number {
    return this.buffer.readFloatBE(this.#take(4))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.#take(8))
  }

  /** The next `length` bytes, copied. */
  bytes(length: number): Buffer {
    const at = this.#take(length)
    return Buffer.from(this.buffer.subarray(at, at + length))
  }

  /** A short string as text; bytes that are no UTF-8 become replacement characters. */
  shortString(): string {
    const length = this.uint8()
    const at = this.#take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  /** A long string as the bytes that it is, copied. */
  longBytes(): Buffer {
    return this.bytes(this.uint32())
  }

  /** A long string as text; bytes that are no UTF-8 become replacement characters. */
  longString(): string {
    const length = this.uint32()
    const at = this.#take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  /** A long string as text where it is UTF-8, else as its bytes: nothing is lost. */
  longStringOrBytes(): string | Buffer {
    const length = this.uint32()
    const at = this.#take(length)
    const view = this.buffer.subarray(at, at + length)
    return isUtf8(view) ? view.toString('utf8') : Buffer.from(view)
  }

  /** Steps over `bytes`. */
  skip(bytes: number): void {
    this.#take(bytes)
  }

  /** Ends the range: what is left over is a fault of the peer. */
  finish(what: string): void {
    if (this.offset !== this.end) throw new ProtocolError(`${what} has ${this.left} bytes too many`)
  }
}

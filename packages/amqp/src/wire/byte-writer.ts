import { FieldEncodeError } from '@hermod/kernel'

const MAX_SHORT_STRING = 255
const UINT32 = 0x1_0000_0000
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

/** Strings up to this length are copied by hand: for them a call into the runtime costs more than the loop. */
const HAND_COPIED = 48

const misfit = (value: number | bigint, bits: number): FieldEncodeError =>
  new FieldEncodeError(`${value} does not fit into an integer of ${bits} bits`)

/**
 * A growing buffer that values are written into in network byte order.
 *
 * A value that its type cannot hold throws {@link FieldEncodeError}: cut to size it would be another value.
 *
 * @source AMQP 0-9-1 §4.2.5
 */
export class ByteWriter {
  /** The bytes; only those before {@link offset} mean something. */
  buffer: Buffer
  /** How many bytes were written. */
  offset = 0

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    const needed = this.offset + bytes
    if (needed > this.buffer.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.offset)
    this.buffer = larger
  }

  /** A view of what was written; valid until the next write. */
  written(): Buffer {
    return this.buffer.subarray(0, this.offset)
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) throw misfit(value, 8)
    this.ensure(1)
    this.buffer[this.offset++] = value
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw misfit(value, 16)
    this.ensure(2)
    const { buffer } = this
    buffer[this.offset++] = value >>> 8
    buffer[this.offset++] = value
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw misfit(value, 32)
    this.ensure(4)
    const { buffer } = this
    buffer[this.offset++] = value >>> 24
    buffer[this.offset++] = value >>> 16
    buffer[this.offset++] = value >>> 8
    buffer[this.offset++] = value
  }

  /** 64 bits, unsigned or two's complement. A `number` must be a safe integer. */
  uint64(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (value < INT64_MIN || value > UINT64_MAX) throw misfit(value, 64)
      this.ensure(8)
      this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), this.offset)
      this.offset += 8
    } else {
      if (!Number.isSafeInteger(value)) throw misfit(value, 64)
      const high = Math.floor(value / UINT32)
      this.uint32(high >>> 0)
      this.uint32((value - high * UINT32) >>> 0)
    }
  }

  float32(value: number): void {
    this.ensure(4)
    this.offset = this.buffer.writeFloatBE(value, this.offset)
  }

  float64(value: number): void {
    this.ensure(8)
    this.offset = this.buffer.writeDoubleBE(value, this.offset)
  }

  bytes(value: Uint8Array): void {
    this.ensure(value.length)
    this.buffer.set(value, this.offset)
    this.offset += value.length
  }

  /** short-string := length:u8 *UTF-8 octets, 255 at the most. */
  shortString(value: string): void {
    const { length } = value
    if (length <= HAND_COPIED) {
      this.ensure(1 + length)
      const { buffer } = this
      let at = this.offset + 1
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 0x7f) return this.#longerShortString(value)
        buffer[at++] = code
      }
      buffer[this.offset] = length
      this.offset = at
    } else {
      this.#longerShortString(value)
    }
  }

  #longerShortString(value: string): void {
    const size = value.length > MAX_SHORT_STRING ? value.length : Buffer.byteLength(value)
    if (size > MAX_SHORT_STRING) {
      throw new FieldEncodeError(
        `a short string holds at most 255 bytes, this one has ${Buffer.byteLength(value)}: '${value.slice(0, 32)}…'`,
      )
    }
    this.ensure(1 + size)
    this.buffer[this.offset++] = size
    this.buffer.write(value, this.offset, size, 'utf8')
    this.offset += size
  }

  /** long-string := length:u32 *octets. A string is written as UTF-8. */
  longString(value: string | Uint8Array): void {
    if (typeof value !== 'string') {
      this.uint32(value.length)
      this.bytes(value)
      return
    }
    const size = Buffer.byteLength(value)
    this.uint32(size)
    this.ensure(size)
    this.buffer.write(value, this.offset, size, 'utf8')
    this.offset += size
  }

  /** Reserves four bytes for a length that is known later; give the returned mark to {@link endLength}. */
  beginLength(): number {
    this.ensure(4)
    const mark = this.offset
    this.offset += 4
    return mark
  }

  /** Writes the number of bytes since {@link beginLength} in the place that it reserved. */
  endLength(mark: number): void {
    this.buffer.writeUInt32BE(this.offset - mark - 4, mark)
  }
}

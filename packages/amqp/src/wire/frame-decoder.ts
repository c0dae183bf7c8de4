/*
 * frame := type:u8 channel:u16 size:u32 payload end:0xCE        (AMQP 0-9-1 §4.2.3)
 */
import { ProtocolError } from '@hermod/kernel'
import { ByteReader } from './byte-reader.ts'
import {
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER,
  FRAME_HEADER_BYTES,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  FRAME_OVERHEAD_BYTES,
} from './constants.ts'

/**
 * What a {@link FrameDecoder} hands over. Readers and ranges are lent: they are valid until the call returns, and
 * whoever keeps bytes copies them.
 */
export interface FrameSink {
  /** A method; the reader stands at the class id and ends with the payload. */
  method(channel: number, reader: ByteReader): void
  /** A content header; the reader stands at the class id and ends with the payload. */
  header(channel: number, reader: ByteReader): void
  /** A part of a body: `bytes` from `start` to `end`. */
  body(channel: number, bytes: Buffer, start: number, end: number): void
  heartbeat(): void
}

/** A frame up to this size gets its room at once; a larger one gets more only as its bytes really arrive. */
const EAGER_BYTES = 131_072

const NO_LIMIT = 0xffff_ffff

const NOTHING = Buffer.alloc(0)

const uint32 = (bytes: Buffer, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0

/**
 * Turns bytes, split anywhere, into frames.
 *
 * Synchronous: all whole frames of a chunk are handed over before `push` returns. Memory is bounded by one frame,
 * and whatever size a frame claims to have, by 128 KiB or twice of what has arrived of it.
 * The first violation throws {@link ProtocolError}; after it the decoder is of no more use. Its details name the
 * `fault` (`too-large`, `end`, `type`, `heartbeat-channel`) and the frame type.
 */
export class FrameDecoder {
  readonly #sink: FrameSink
  readonly #reader = new ByteReader()
  #maxFrameBytes: number
  /** A frame of which only a part has arrived. */
  #partial: Buffer = NOTHING
  #partialBytes = 0
  /** The size of that frame; until it is known, the size of its header. */
  #partialTarget = FRAME_HEADER_BYTES

  /**
   * @param maxFrameBytes the largest frame to accept, its eight bytes of overhead included; 0 means that there is no
   * limit but 4 GiB.
   */
  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink
    this.#maxFrameBytes = maxFrameBytes || NO_LIMIT
  }

  /** Changes the limit, for example when `connection.tune` has settled it; 0 as in the constructor. */
  set maxFrameBytes(bytes: number) {
    this.#maxFrameBytes = bytes || NO_LIMIT
  }

  /** How many bytes of an unfinished frame are held. */
  get heldBytes(): number {
    return this.#partialBytes
  }

  /** Takes the next bytes. The chunk is only read, never kept. */
  push(chunk: Buffer): void {
    let at = 0
    if (this.#partialBytes > 0) {
      at = this.#complete(chunk)
      if (this.#partialBytes > 0) return
    }
    const { length } = chunk
    while (length - at >= FRAME_HEADER_BYTES) {
      const end = at + this.#frameBytes(chunk, at)
      if (end > length) break
      this.#frame(chunk, at, end)
      at = end
    }
    if (at < length) this.#keep(chunk, at)
  }

  /** The size of the frame whose header stands at `at`, all of it. */
  #frameBytes(bytes: Buffer, at: number): number {
    const size = uint32(bytes, at + 3) + FRAME_OVERHEAD_BYTES
    if (size > this.#maxFrameBytes) {
      const limit = this.#maxFrameBytes
      throw new ProtocolError(`a frame of ${size} bytes exceeds the limit of ${limit}`, {
        details: { fault: 'too-large', type: bytes[at], size: size - FRAME_OVERHEAD_BYTES, limit },
      })
    }
    return size
  }

  #keep(chunk: Buffer, at: number): void {
    const arrived = chunk.length - at
    this.#partialTarget = arrived < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : this.#frameBytes(chunk, at)
    this.#fill(chunk, at)
  }

  /** Fills the unfinished frame from the start of a chunk; returns how far it came. */
  #complete(chunk: Buffer): number {
    let at = this.#fill(chunk, 0)
    // No frame is as short as its header, so a target of that size is the header's own.
    if (this.#partialTarget === FRAME_HEADER_BYTES && this.#partialBytes === FRAME_HEADER_BYTES) {
      this.#partialTarget = this.#frameBytes(this.#partial, 0)
      at = this.#fill(chunk, at)
    }
    if (this.#partialBytes < this.#partialTarget) return at
    const frame = this.#partial
    this.#partial = NOTHING
    this.#partialBytes = 0
    this.#frame(frame, 0, frame.length)
    return at
  }

  #fill(chunk: Buffer, at: number): number {
    const bytes = Math.min(this.#partialTarget - this.#partialBytes, chunk.length - at)
    const needed = this.#partialBytes + bytes
    if (needed > this.#partial.length) this.#grow(needed)
    chunk.copy(this.#partial, this.#partialBytes, at, at + bytes)
    this.#partialBytes = needed
    return at + bytes
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#partialTarget, Math.max(EAGER_BYTES, 2 * needed)))
    this.#partial.copy(larger, 0, 0, this.#partialBytes)
    this.#partial = larger
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at]
    if (bytes[end - 1] !== FRAME_END) {
      throw new ProtocolError(
        `a frame ends with 0x${(bytes[end - 1] as number).toString(16)} instead of 0xce`,
        { details: { fault: 'end', type, end: bytes[end - 1] } },
      )
    }
    const channel = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    const start = at + FRAME_HEADER_BYTES
    switch (type) {
      case FRAME_METHOD:
        return this.#sink.method(channel, this.#reader.reset(bytes, start, end - 1))
      case FRAME_HEADER:
        return this.#sink.header(channel, this.#reader.reset(bytes, start, end - 1))
      case FRAME_BODY:
        return this.#sink.body(channel, bytes, start, end - 1)
      case FRAME_HEARTBEAT:
        if (start !== end - 1)
          throw new ProtocolError(`a heartbeat carries ${end - 1 - start} bytes instead of none`, {
            details: { fault: 'type', type },
          })
        if (channel !== 0)
          throw new ProtocolError(`a heartbeat came on channel ${channel} instead of 0`, {
            details: { fault: 'heartbeat-channel', type },
          })
        return this.#sink.heartbeat()
      default:
        throw new ProtocolError(`unknown frame type ${type}`, { details: { fault: 'type', type } })
    }
  }
}

import type { ByteReader } from '../../src/wire/byte-reader.ts'
import type { FrameSink } from '../../src/wire/frame-decoder.ts'

/** A frame as it was handed over, with a copy of its payload. */
export interface LoggedFrame {
  readonly kind: 'method' | 'header' | 'body' | 'heartbeat'
  readonly channel: number
  readonly payload: Buffer
}

/** A sink that keeps a copy of everything it is lent. */
export class FrameLog implements FrameSink {
  readonly frames: LoggedFrame[] = []

  method(channel: number, reader: ByteReader): void {
    this.#keep('method', channel, reader.buffer, reader.offset, reader.end)
  }

  header(channel: number, reader: ByteReader): void {
    this.#keep('header', channel, reader.buffer, reader.offset, reader.end)
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    this.#keep('body', channel, bytes, start, end)
  }

  heartbeat(): void {
    this.frames.push({ kind: 'heartbeat', channel: 0, payload: Buffer.alloc(0) })
  }

  #keep(kind: LoggedFrame['kind'], channel: number, bytes: Buffer, start: number, end: number): void {
    this.frames.push({ kind, channel, payload: Buffer.from(bytes.subarray(start, end)) })
  }
}

import { ByteReader, type FrameSink } from '@hermod/amqp/wire'

/** Who frames are for; a heartbeat says nothing but that bytes came. */
export type GatedSink = Omit<FrameSink, 'heartbeat'>

/**
 * Stands between the decoder, which hands over every frame of a chunk at once, and a session that may have to stop in the
 * middle of one: a connection that an alarm blocks is not heard any more, also in what it has sent already.
 */
export class FrameGate implements FrameSink {
  readonly #sink: GatedSink
  /** Copies, in their order: what has come of a chunk or two, for then the link is paused. */
  readonly #held: (() => void)[] = []
  #shut = false

  constructor(sink: GatedSink) {
    this.#sink = sink
  }

  method(channel: number, reader: ByteReader): void {
    if (this.#shut) this.#hold(reader, (copy) => this.#sink.method(channel, new ByteReader().reset(copy)))
    else this.#sink.method(channel, reader)
  }

  header(channel: number, reader: ByteReader): void {
    if (this.#shut) this.#hold(reader, (copy) => this.#sink.header(channel, new ByteReader().reset(copy)))
    else this.#sink.header(channel, reader)
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    if (this.#shut) {
      const range = { buffer: bytes, offset: start, end }
      this.#hold(range, (copy) => this.#sink.body(channel, copy, 0, copy.length))
    } else this.#sink.body(channel, bytes, start, end)
  }

  heartbeat(): void {}

  /** From now on frames wait. */
  shut(): void {
    this.#shut = true
  }

  /** Lets through what waits, and all that comes; unless what is let through shuts it again. */
  open(): void {
    this.#shut = false
    while (!this.#shut && this.#held.length > 0) this.#held.shift()?.()
  }

  #hold(
    { buffer, offset, end }: Pick<ByteReader, 'buffer' | 'offset' | 'end'>,
    handle: (copy: Buffer) => void,
  ): void {
    const copy = Buffer.from(buffer.subarray(offset, end))
    this.#held.push(() => handle(copy))
  }
}

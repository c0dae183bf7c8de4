import type { Duplex } from 'node:stream'
import { ByteWriter } from '../wire/byte-writer.ts'

/** A flush at this size keeps writes large without holding back what could travel. */
const FLUSH_BYTES = 64 * 1024
const SLAB_BYTES = FLUSH_BYTES + 16 * 1024
const SPARE_SLABS = 4
/** Above this much in the stream's own buffer the peer is slower than we are; publishing then waits. */
const CONGESTED_BYTES = 4 * 1024 * 1024
/** Above this much nothing is read any more either: it would only bring more to answer. */
const OVERFULL_BYTES = 4 * CONGESTED_BYTES

/** What is written only once for each flush, such as coalesced acks. */
export interface FlushSource {
  /** A flush is about to happen: appends what waits for it. */
  onFlush(): void
  /** Whether what waits is better sent with what the next turn adds. Asked when nothing else is to be sent. */
  mayWait(): boolean
}

/**
 * The one output buffer of a connection: frames are appended to {@link writer} and leave together: those of the code
 * that runs first in a turn, or first after input, as soon as it is through; the others at the end of the turn; and in
 * any case when 64 KiB have gathered. Over loopback, a write for each frame of 1 KiB takes about two and a half times
 * the CPU of one write for 64 of them.
 */
export class OutputBuffer {
  /** Where frames are written; call {@link written} after each whole frame. */
  readonly writer: ByteWriter = new ByteWriter(SLAB_BYTES)
  readonly #stream: Duplex
  readonly #source: FlushSource
  readonly #spare: Buffer[] = []
  readonly #flushSoon: () => void
  readonly #flushPromptly: () => void
  #bytesWritten = 0
  #scheduled = false
  /** Whether the next frame is the first of its turn. */
  #firstOfTurn = true
  #leaving = false
  #flushing = false
  #closed = false
  #drained: (() => void) | undefined

  constructor(stream: Duplex, source: FlushSource) {
    this.#stream = stream
    this.#source = source
    this.#flushSoon = () => {
      this.#scheduled = false
      this.#firstOfTurn = true
      if (this.writer.offset === 0 && source.mayWait()) this.schedule()
      else this.flush()
    }
    this.#flushPromptly = () => {
      this.#leaving = false
      if (this.writer.offset > 0) this.flush()
    }
    stream.on('drain', () => this.#drained?.())
  }

  /** Whether the peer takes bytes more slowly than they are written. */
  get congested(): boolean {
    return this.#stream.writableLength > CONGESTED_BYTES
  }

  /** Whether so much waits that nothing that calls for an answer should be read. */
  get overfull(): boolean {
    return this.#stream.writableLength > OVERFULL_BYTES
  }

  /** All that was handed to the stream. */
  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Called when a congested stream has room again. */
  set onDrain(listener: () => void) {
    this.#drained = listener
  }

  /**
   * Whole frames were appended. The first of a turn leave when the code that runs now is through, with all that it
   * appends: whoever waits for each answer before it asks again gets no slower. What comes later in the same turn
   * leaves at its end, or now when there is much.
   */
  written(): void {
    if (this.writer.offset >= FLUSH_BYTES) return this.#send()
    if (this.#leaving || this.#flushing || this.#closed) return
    if (!this.#firstOfTurn) return this.schedule()
    this.#firstOfTurn = false
    this.#leaving = true
    queueMicrotask(this.#flushPromptly)
  }

  /** Input has come, so that what is written from now on may be the answer to it. */
  turnBegins(): void {
    this.#firstOfTurn = true
  }

  /** Flushes at the end of this turn. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(this.#flushSoon)
  }

  /** Sends what has gathered, acks included. */
  flush(): void {
    this.#flushing = true
    try {
      this.#source.onFlush()
    } finally {
      this.#flushing = false
    }
    this.#send()
  }

  /** Sends a large piece without copying it, in its place between what was and what will be appended. */
  sendByReference(bytes: Uint8Array): void {
    this.#send()
    if (this.#closed) return
    this.#bytesWritten += bytes.length
    this.#stream.write(bytes)
  }

  /** No more writes reach the stream. */
  close(): void {
    this.#closed = true
    this.writer.offset = 0
  }

  #send(): void {
    const { writer } = this
    if (writer.offset === 0) return
    const slab = writer.buffer
    const bytes = writer.written()
    writer.buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
    writer.offset = 0
    if (this.#closed) return
    this.#bytesWritten += bytes.length
    this.#stream.write(bytes, () => {
      if (slab.length === SLAB_BYTES && this.#spare.length < SPARE_SLABS) this.#spare.push(slab)
    })
  }
}

/*
 * content := header frame, *body frame, until body-size octets have come       (AMQP 0-9-1 §4.2.6)
 * header  := class:u16 weight:u16 body-size:u64 property-list
 */
import { ProtocolError } from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import { CLASS_BASIC } from '../wire/constants.ts'

/**
 * A whole content: from `start` to `bodyStart` the property list as it was on the wire, from there to `end` the body.
 * The bytes never change again.
 */
export type ContentListener = (bytes: Buffer, start: number, bodyStart: number, end: number) => void

/**
 * Small contents are copied into slabs that they share: making a buffer for each would cost more than the copy. What
 * is kept of a message therefore keeps up to this much, and never a read buffer.
 */
const SLAB_BYTES = 8 * 1024

/** What a body may be given in advance on the word of its header: one large frame. */
const TRUSTED_BYTES = 128 * 1024

/** Up to this length a loop beats a call into the runtime, which makes a view first. */
const HAND_COPIED = 64

const NOTHING = Buffer.alloc(0)

/**
 * Puts header and body frames of one channel together, in one copy.
 *
 * A large body grows with the frames that really arrive: a header that lies about its size costs no memory.
 */
export class ContentAssembler {
  readonly #listener: ContentListener
  readonly #maxBodyBytes: number
  #state: 'idle' | 'header' | 'body' = 'idle'
  #slab: Buffer = NOTHING
  #slabUsed = 0
  /** Where this content goes: a slab, or bytes of its own, which are longer than what they hold while they grow. */
  #bytes: Buffer = NOTHING
  #start = 0
  #bodyStart = 0
  #filled = 0
  #end = 0

  constructor(maxBodyBytes: number, listener: ContentListener) {
    this.#maxBodyBytes = maxBodyBytes
    this.#listener = listener
  }

  /** Whether a method has begun a content that is not complete. */
  get busy(): boolean {
    return this.#state !== 'idle'
  }

  /** A method that carries content came; its header must follow. */
  begin(): void {
    this.#state = 'header'
  }

  header(reader: ByteReader): void {
    if (this.#state !== 'header') throw new ProtocolError('a content header came without its method')
    const classId = reader.uint16()
    if (classId !== CLASS_BASIC) {
      throw new ProtocolError(`a content header has class ${classId} instead of ${CLASS_BASIC}`)
    }
    reader.skip(2)
    const bodyBytes = reader.uint64()
    if (bodyBytes > this.#maxBodyBytes) {
      throw new ProtocolError(`a body of ${bodyBytes} bytes exceeds the limit of ${this.#maxBodyBytes}`)
    }
    const propertyBytes = reader.left
    this.#allocate(propertyBytes, Number(bodyBytes))
    copy(reader.buffer, reader.offset, reader.end, this.#bytes, this.#start)
    this.#bodyStart = this.#filled = this.#start + propertyBytes
    this.#end = this.#bodyStart + Number(bodyBytes)
    if (bodyBytes === 0) this.#complete()
    else this.#state = 'body'
  }

  #allocate(propertyBytes: number, bodyBytes: number): void {
    const bytes = propertyBytes + bodyBytes
    if (bytes * 2 > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(propertyBytes + Math.min(bodyBytes, TRUSTED_BYTES))
      this.#start = 0
      return
    }
    if (this.#slabUsed + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
      this.#slabUsed = 0
    }
    this.#bytes = this.#slab
    this.#start = this.#slabUsed
    this.#slabUsed += bytes
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== 'body') throw new ProtocolError('a body frame came without its content header')
    const filled = this.#filled + end - start
    if (filled > this.#end) {
      throw new ProtocolError(
        `a body has more than the ${this.#end - this.#bodyStart} bytes that its header announced`,
      )
    }
    if (filled > this.#bytes.length) this.#grow(filled)
    copy(bytes, start, end, this.#bytes, this.#filled)
    this.#filled = filled
    if (filled === this.#end) this.#complete()
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#end, Math.max(needed, this.#bytes.length * 2)))
    this.#bytes.copy(larger, 0, 0, this.#filled)
    this.#bytes = larger
  }

  #complete(): void {
    this.#state = 'idle'
    const bytes = this.#bytes
    this.#bytes = NOTHING
    this.#listener(bytes, this.#start, this.#bodyStart, this.#end)
  }
}

function copy(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > HAND_COPIED) source.copy(target, at, start, end)
  else for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number
}

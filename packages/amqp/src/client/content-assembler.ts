/*
 * content := header frame, *body frame, until body-size octets have come       (AMQP 0-9-1 §4.2.6)
 * header  := class:u16 weight:u16 body-size:u64 property-list
 */
import { ProtocolError } from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import { CLASS_BASIC } from '../wire/constants.ts'

/** A whole content in bytes of its own: the property list as it was on the wire, then the body. */
export type ContentListener = (bytes: Buffer, bodyStart: number) => void

/** What a body may be given in advance on the word of its header: one large frame. */
const TRUSTED_BYTES = 128 * 1024

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
  /** Property list and body so far; longer than what it holds while a large body arrives. */
  #bytes: Buffer = NOTHING
  #bodyStart = 0
  #filled = 0
  #total = 0

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
    this.#bodyStart = this.#filled = reader.left
    this.#total = this.#bodyStart + Number(bodyBytes)
    this.#bytes = Buffer.allocUnsafe(Math.min(this.#total, this.#bodyStart + TRUSTED_BYTES))
    reader.buffer.copy(this.#bytes, 0, reader.offset, reader.end)
    if (bodyBytes === 0) this.#complete()
    else this.#state = 'body'
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== 'body') throw new ProtocolError('a body frame came without its content header')
    const filled = this.#filled + end - start
    if (filled > this.#total) {
      throw new ProtocolError(
        `a body has more than the ${this.#total - this.#bodyStart} bytes that its header announced`,
      )
    }
    if (filled > this.#bytes.length) this.#grow(filled)
    bytes.copy(this.#bytes, this.#filled, start, end)
    this.#filled = filled
    if (filled === this.#total) this.#complete()
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#total, Math.max(needed, this.#bytes.length * 2)))
    this.#bytes.copy(larger, 0, 0, this.#filled)
    this.#bytes = larger
  }

  #complete(): void {
    this.#state = 'idle'
    const bytes = this.#bytes
    this.#bytes = NOTHING
    this.#listener(bytes, this.#bodyStart)
  }
}

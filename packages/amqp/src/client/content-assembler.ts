/*
 * content := header frame, *body frame, until body-size octets have come       (AMQP 0-9-1 §4.2.6)
 */
import { ProtocolError } from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import { CLASS_BASIC } from '../wire/constants.ts'

/** A whole content: its property list as it stands on the wire, and its body. Both are copies of their own. */
export type ContentListener = (rawProperties: Buffer, body: Buffer) => void

const EMPTY = Buffer.alloc(0)

/**
 * Puts header and body frames of one channel together.
 *
 * A body grows with the frames that really arrive: a header that lies about its size costs no memory.
 */
export class ContentAssembler {
  readonly #listener: ContentListener
  readonly #maxBodyBytes: number
  #state: 'idle' | 'header' | 'body' = 'idle'
  #rawProperties: Buffer = EMPTY
  #bodyBytes = 0
  #arrivedBytes = 0
  #parts: Buffer[] = []

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
    if (classId !== CLASS_BASIC)
      throw new ProtocolError(`a content header has class ${classId} instead of ${CLASS_BASIC}`)
    reader.skip(2)
    const bytes = reader.uint64()
    if (bytes > this.#maxBodyBytes) {
      throw new ProtocolError(`a body of ${bytes} bytes exceeds the limit of ${this.#maxBodyBytes}`)
    }
    this.#rawProperties = reader.bytes(reader.left)
    this.#bodyBytes = Number(bytes)
    this.#arrivedBytes = 0
    if (this.#bodyBytes === 0) this.#complete(EMPTY)
    else this.#state = 'body'
  }

  body(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== 'body') throw new ProtocolError('a body frame came without its content header')
    const part = Buffer.from(bytes.subarray(start, end))
    this.#arrivedBytes += part.length
    if (this.#arrivedBytes > this.#bodyBytes) {
      throw new ProtocolError(`a body has more than the ${this.#bodyBytes} bytes that its header announced`)
    }
    if (this.#arrivedBytes < this.#bodyBytes) {
      this.#parts.push(part)
    } else if (this.#parts.length === 0) {
      this.#complete(part)
    } else {
      const parts = this.#parts
      this.#parts = []
      parts.push(part)
      this.#complete(Buffer.concat(parts, this.#bodyBytes))
    }
  }

  #complete(body: Buffer): void {
    this.#state = 'idle'
    this.#listener(this.#rawProperties, body)
  }
}

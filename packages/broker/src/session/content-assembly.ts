/*
 * content := header frame, *body frame, until body-size octets have come       (AMQP 0-9-1 §4.2.6)
 * header  := class:u16 weight:u16 body-size:u64 property-list
 */
import type { ByteReader } from '@hermod/amqp/wire'
import { AmqpError, preconditionFailed } from '../amqp-error.ts'
import { Message } from '../model/message.ts'
import { CLASS_BASIC } from './method-codes.ts'

/** Pieces of a body of several frames grow with what has come of it: its header's word alone is good for the first. */
const FIRST_PIECE_BYTES = 4096
const PIECE_BYTES = 128 * 1024

const unexpected = (explanation: string): AmqpError => new AmqpError(505, explanation)

/**
 * Makes a message of the header and body frames of one publish.
 *
 * Nothing of a small message is copied: it keeps the places in the bytes that came. A body of several frames is
 * copied once, into pieces that are made only as its frames arrive, so that neither a header that lies about its size
 * nor a body in tiny frames costs more than what was sent. The sum of the frames is held to the declared size.
 *
 * @source rabbit_command_assembler:process; the check of the sum is RabbitMQ's since CVE-2026-67235.
 */
export class ContentAssembly {
  readonly #maxBodyBytes: number
  readonly #hold: (bytes: number) => void
  #message: Message | undefined
  #left = 0
  #piece: Buffer | undefined
  #pieceUsed = 0
  /** Of all pieces. */
  #gathered = 0
  #pieces: Buffer[] = []

  /** @param hold is told of the memory that pieces take, and give back. */
  constructor(maxBodyBytes: number, hold: (bytes: number) => void) {
    this.#maxBodyBytes = maxBodyBytes
    this.#hold = hold
  }

  /**
   * Takes the content header; the reader stands at the class id. Returns the message when it is complete, because it
   * has no body.
   *
   * @throws {AmqpError} 505 for a header that is none of this method, 406 for a body that is too large.
   */
  header(reader: ByteReader, exchange: string, routingKey: string): Message | undefined {
    if (this.#message !== undefined)
      throw unexpected('expected content body, got non content body frame instead')
    const { buffer, offset, end } = reader
    const classId = reader.uint16()
    const weight = reader.uint16()
    const size = reader.uint64()
    if (weight !== 0)
      throw unexpected(
        `expected content header for class ${CLASS_BASIC}, got non content header frame instead`,
      )
    if (classId !== CLASS_BASIC)
      throw unexpected(
        `expected content header for class ${CLASS_BASIC}, got one for class ${classId} instead`,
      )
    if (size > this.#maxBodyBytes)
      throw preconditionFailed(
        `message size ${size} is larger than configured max size ${this.#maxBodyBytes}`,
      )
    const message = new Message(exchange, routingKey, Number(size), buffer, offset, end)
    if (size === 0) return message
    this.#message = message
    this.#left = Number(size)
    return undefined
  }

  /**
   * Takes a body frame; returns the message when it is complete.
   *
   * @throws {AmqpError} 505 where no body is awaited, 501 for more bytes than the header announced, 506 where all that is
   *   under way takes too much memory.
   */
  body(bytes: Buffer, start: number, end: number): Message | undefined {
    const message = this.#message
    if (message === undefined)
      throw unexpected(
        `expected content header for class ${CLASS_BASIC}, got non content header frame instead`,
      )
    const length = end - start
    if (length > this.#left) throw new AmqpError(501, 'content body frame exceeds remaining content size')
    this.#left -= length
    if (this.#left === 0 && this.#piece === undefined) {
      message.setBody(bytes, start, end, null)
    } else {
      this.#gather(bytes, start, end)
      if (this.#left > 0) return undefined
      this.#join(message)
    }
    this.#message = undefined
    return message
  }

  /** Forgets what has come of a message. */
  abandon(): void {
    this.#message = undefined
    this.#left = 0
    this.#letGo()
  }

  #letGo(): readonly Buffer[] {
    const pieces = this.#pieces
    if (this.#gathered > 0) this.#hold(-this.#gathered)
    this.#gathered = 0
    this.#piece = undefined
    this.#pieces = []
    return pieces
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      let piece = this.#piece
      if (piece === undefined || this.#pieceUsed === piece.length) {
        const wanted = Math.max(FIRST_PIECE_BYTES, this.#gathered, end - at)
        const length = Math.min(PIECE_BYTES, wanted, end - at + this.#left)
        this.#hold(length)
        piece = Buffer.allocUnsafeSlow(length)
        this.#gathered += length
        this.#pieces.push(piece)
        this.#piece = piece
        this.#pieceUsed = 0
      }
      const taken = bytes.copy(piece, this.#pieceUsed, at, end)
      this.#pieceUsed += taken
      at += taken
    }
  }

  #join(message: Message): void {
    const [first, ...more] = this.#letGo()
    const body = first as Buffer
    message.setBody(body, 0, body.length, more.length > 0 ? more : null)
  }
}

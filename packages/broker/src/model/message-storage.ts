import type { Clock, Timer } from '@hermod/kernel'
import type { Message } from './message.ts'

/** Memory is taken in pages of this size, and free again when none of their messages is left. */
const PAGE_BYTES = 262_144

/** What is taken to be delivered and settled soon is not worth a copy. */
const SOON_MS = 20

/** At so many bytes that wait for this, they are looked at, soon or not. */
const LOOK_AT_BYTES = 16_777_216

/**
 * Moves the bytes of messages that stay into memory of their own. What came from a socket lies in chunks that hold other
 * things as well, so that a small message would keep a large chunk alive.
 */
export class MessageStorage {
  readonly #clock: Clock
  #waiting: Message[] = []
  #waitingBytes = 0
  #timer: Timer | undefined
  #page = Buffer.alloc(0)
  #used = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A queue holds the message, the first that does. */
  noted(message: Message): void {
    this.#waiting.push(message)
    this.#waitingBytes += message.bodySize
    if (this.#waitingBytes >= LOOK_AT_BYTES) this.moveWhatStays()
    else this.#timer ??= this.#clock.after(SOON_MS, () => this.moveWhatStays(), { background: true })
  }

  /** Moves what is still held by a queue. */
  moveWhatStays(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const messages = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const message of messages) {
      if (message.holders > 0) this.#move(message)
    }
  }

  stop(): void {
    this.#timer?.cancel()
    this.#waiting = []
  }

  #move(message: Message): void {
    const headerBytes = message.headerEnd - message.headerStart
    const at = this.#room(headerBytes + message.bodySize)
    const page = this.#page
    message.header.copy(page, at, message.headerStart, message.headerEnd)
    let end = at + headerBytes
    end += message.body.copy(page, end, message.bodyStart, message.bodyEnd)
    for (const piece of message.more ?? []) end += piece.copy(page, end)
    message.header = page
    message.headerStart = at
    message.headerEnd = at + headerBytes
    message.setBody(page, message.headerEnd, end, null)
  }

  /** Where `bytes` can go in the page; a message that is larger than a page gets one of its own. */
  #room(bytes: number): number {
    if (bytes > this.#page.length - this.#used) {
      this.#page = Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, bytes))
      this.#used = 0
    }
    const at = this.#used
    this.#used += bytes
    return at
  }
}

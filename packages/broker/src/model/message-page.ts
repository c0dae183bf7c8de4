import type { Message } from './message.ts'

/** Memory that messages share, which is free again when none of them is held. */
export class MessagePage {
  readonly bytes: Buffer
  /** Those that came here: also what is no longer held, until the page goes. */
  readonly messages: Message[] = []
  #used = 0
  #costBytes = 0
  #heldBytes = 0
  /** Whether it waits for being emptied. */
  waiting = false

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  /** What it costs as long as it is there: all messages that came. */
  get costBytes(): number {
    return this.#costBytes
  }

  get empty(): boolean {
    return this.#heldBytes === 0
  }

  /** Whether less than half of it is still held. */
  get sparse(): boolean {
    return this.#heldBytes * 2 < this.#costBytes
  }

  hasRoomFor(bytes: number): boolean {
    return bytes <= this.bytes.length - this.#used
  }

  /** Copies the message to here; there must be room. */
  take(message: Message): void {
    this.#used = message.moveTo(this.bytes, this.#used)
    message.page = this
    this.messages.push(message)
    this.#costBytes += message.costBytes
    this.#heldBytes += message.costBytes
  }

  /** One of its messages is no longer held. */
  left(message: Message): void {
    message.page = null
    this.#heldBytes -= message.costBytes
  }

  /** One of its messages goes elsewhere, and what it costs with it. */
  give(message: Message): void {
    this.left(message)
    this.#costBytes -= message.costBytes
  }
}

import type { Clock, Timer } from '@hermod/kernel'
import type { MemoryAccount } from './memory-account.ts'
import { MessagePage } from './message-page.ts'
import type { Message } from './message.ts'

/** Memory is taken in pages of this size, and free again when none of their messages is left. */
const PAGE_BYTES = 262_144

/** A larger message has memory of its own: the rest of a page would be lost to it. */
const LARGE_BYTES = PAGE_BYTES / 8

/** What is taken to be delivered and settled soon is not worth a copy. */
const SOON_MS = 20

/** At so many bytes that wait for this, they are looked at, soon or not. */
const LOOK_AT_BYTES = 16_777_216

/** As many pages as are emptied in a few milliseconds. */
const PAGES_A_TURN = 64

/** What a message costs in each queue but the first: an estimate. */
const PLACE_BYTES = 96

/**
 * What queues hold, and what it costs.
 *
 * Messages that stay are moved into memory of their own. What came from a socket lies in chunks that hold other things
 * as well, so that a small message would keep a large chunk alive. The pages that they are moved to are shared, and
 * the same could happen there: of a page of which less than half is still held, that half is moved on. Until then the
 * account has the whole page, for that is what it costs.
 */
export class MessageStorage {
  readonly #clock: Clock
  readonly #memory: MemoryAccount
  #noted: Message[] = []
  #notedBytes = 0
  #sparse: MessagePage[] = []
  #timer: Timer | undefined
  /** The one that is being filled. */
  #page: MessagePage | undefined

  constructor(clock: Clock, memory: MemoryAccount) {
    this.#clock = clock
    this.#memory = memory
  }

  /** A queue holds the message now. */
  hold(message: Message): void {
    if (message.holders++ > 0) return this.#memory.add(PLACE_BYTES)
    this.#memory.add(message.costBytes)
    this.#noted.push(message)
    this.#notedBytes += message.costBytes
    if (this.#notedBytes >= LOOK_AT_BYTES) this.#look()
    else this.#lookSoon(SOON_MS)
  }

  /** One queue less does. */
  release(message: Message): void {
    if (--message.holders > 0) return this.#memory.remove(PLACE_BYTES)
    const { page } = message
    if (page === null) return this.#memory.remove(message.costBytes)
    page.left(message)
    if (page.empty) this.#drop(page)
    else if (page !== this.#page) this.#note(page)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#noted = []
    this.#sparse = []
  }

  #lookSoon(delayMs: number): void {
    this.#timer ??= this.#clock.after(delayMs, () => this.#look(), { background: true })
  }

  #look(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const messages = this.#noted
    this.#noted = []
    this.#notedBytes = 0
    for (const message of messages) {
      // It may have been held twice meanwhile.
      if (message.holders > 0 && message.page === null) this.#move(message)
    }
    // A backlog that is read empties its pages by itself: what was sparse is not, any more, or not there.
    for (let i = 0; i < PAGES_A_TURN; i++) {
      const page = this.#sparse.pop()
      if (page === undefined) return
      this.#empty(page)
    }
    this.#lookSoon(0)
  }

  #move(message: Message): void {
    const { contentBytes } = message
    if (contentBytes > LARGE_BYTES) {
      message.moveTo(Buffer.allocUnsafeSlow(contentBytes), 0)
      return
    }
    let page = this.#page
    if (page?.hasRoomFor(contentBytes) !== true) {
      this.#page = new MessagePage(PAGE_BYTES)
      if (page !== undefined) this.#note(page)
      page = this.#page
    }
    page.take(message)
  }

  /** Of a full page it is noted once when it is sparse. */
  #note(page: MessagePage): void {
    if (!page.sparse || page.waiting) return
    page.waiting = true
    this.#sparse.push(page)
    this.#lookSoon(SOON_MS)
  }

  #empty(page: MessagePage): void {
    if (page.empty) return
    for (const message of page.messages) {
      if (message.page !== page) continue
      page.give(message)
      this.#move(message)
    }
    this.#drop(page)
  }

  /** The page goes; nothing of it is held. */
  #drop(page: MessagePage): void {
    this.#memory.remove(page.costBytes)
    if (page === this.#page) this.#page = undefined
  }
}

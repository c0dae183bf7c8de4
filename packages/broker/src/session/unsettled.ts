import type { QueuedMessage } from '../model/queued-message.ts'

const FIRST_ROOM = 64
/** From this much room on a ring that is nearly empty becomes a map. */
const SPARSE_ROOM = 4096

/** Messages that were taken out, each with its tag at the same place. */
export interface Taken {
  readonly tags: readonly number[]
  readonly messages: readonly QueuedMessage[]
}

/**
 * The unsettled messages of a channel by delivery tag.
 *
 * Tags are dense and only grow, so that a ring indexed by tag gives and takes in O(1), and a settled tag is known by
 * its empty place. One old tag that stays open while thousands come and go would hold a ring of all tags since: it
 * then turns into a map until it is empty again.
 */
export class UnsettledMessages {
  #ring: (QueuedMessage | null)[] = Array.from({ length: FIRST_ROOM }, () => null)
  #mask: number = FIRST_ROOM - 1
  /** The lowest tag that may be open. */
  #base = 1
  /** One more than the highest tag that was added. */
  #end = 1
  #size = 0
  #sparse: Map<number, QueuedMessage> | null = null

  get size(): number {
    return this.#size
  }

  /** All of them, in the order of their tags. */
  *all(): IterableIterator<QueuedMessage> {
    if (this.#sparse !== null) return yield* this.#sparse.values()
    for (let at = this.#base; at < this.#end; at++) {
      const message = this.#ring[at & this.#mask]
      if (message != null) yield message
    }
  }

  /** Adds a message under a tag that is higher than all before. */
  add(tag: number, message: QueuedMessage): void {
    this.#size++
    this.#end = tag + 1
    if (this.#sparse !== null) {
      this.#sparse.set(tag, message)
      return
    }
    if (this.#size === 1) this.#base = tag
    else if (tag - this.#base > this.#mask) this.#widen(tag)
    if (this.#sparse === null) this.#ring[tag & this.#mask] = message
    else (this.#sparse as Map<number, QueuedMessage>).set(tag, message)
  }

  /** Takes out the message under `tag`, if it is open. */
  take(tag: number): QueuedMessage | undefined {
    if (this.#sparse !== null) return this.#takeSparse(this.#sparse, tag)
    if (tag < this.#base || tag >= this.#end) return undefined
    const place = tag & this.#mask
    const message = this.#ring[place]
    if (message == null) return undefined
    this.#ring[place] = null
    this.#size--
    if (tag === this.#base) this.#advance()
    return message
  }

  /**
   * Takes out all messages up to `tag`, in the order of their tags; tag 0 means all. `undefined`, and nothing taken,
   * when `tag` itself is not open.
   */
  takeUpTo(tag: number): Taken | undefined {
    if (tag !== 0 && !this.#isOpen(tag)) return undefined
    const last = tag === 0 ? this.#end - 1 : tag
    const taken: { tags: number[]; messages: QueuedMessage[] } = { tags: [], messages: [] }
    if (this.#sparse !== null) {
      const open = this.#sparse
      for (const [at, message] of open) {
        if (at > last) break
        this.#takeSparse(open, at)
        taken.tags.push(at)
        taken.messages.push(message)
      }
      return taken
    }
    for (let at = this.#base; at <= last; at++) {
      const place = at & this.#mask
      const message = this.#ring[place]
      if (message == null) continue
      this.#ring[place] = null
      this.#size--
      taken.tags.push(at)
      taken.messages.push(message)
    }
    this.#base = last + 1
    this.#advance()
    return taken
  }

  /** Puts back what was taken out; in any order. */
  restore(returned: readonly Taken[]): void {
    const open = this.takeUpTo(0)
    const all: [number, QueuedMessage][] = []
    for (const { tags, messages } of open === undefined ? returned : [...returned, open])
      for (const [index, tag] of tags.entries()) all.push([tag, messages[index] as QueuedMessage])
    all.sort(([one], [other]) => one - other)
    for (const [tag, message] of all) this.add(tag, message)
  }

  #isOpen(tag: number): boolean {
    if (this.#sparse !== null) return this.#sparse.has(tag)
    return tag >= this.#base && tag < this.#end && this.#ring[tag & this.#mask] != null
  }

  #advance(): void {
    if (this.#size === 0) {
      this.#base = this.#end
      return
    }
    while (this.#ring[this.#base & this.#mask] == null) this.#base++
  }

  #takeSparse(open: Map<number, QueuedMessage>, tag: number): QueuedMessage | undefined {
    const message = open.get(tag)
    if (message === undefined) return undefined
    open.delete(tag)
    this.#size--
    if (this.#size === 0) {
      this.#sparse = null
      this.#base = this.#end
    }
    return message
  }

  /** Makes room for `tag`. */
  #widen(tag: number): void {
    const old = this.#ring
    const oldMask = this.#mask
    const room = (oldMask + 1) * 2
    // Tags may be skipped, and beyond its room a ring would show its messages again.
    const held = Math.min(tag, this.#base + oldMask + 1)
    if (room > SPARSE_ROOM && this.#size * 8 < room) {
      const open = new Map<number, QueuedMessage>()
      for (let at = this.#base; at < held; at++) {
        const message = old[at & oldMask]
        if (message != null) open.set(at, message)
      }
      this.#sparse = open
      this.#ring = Array.from({ length: FIRST_ROOM }, () => null)
      this.#mask = FIRST_ROOM - 1
      return
    }
    this.#mask = room - 1
    this.#ring = Array<QueuedMessage | null>(room).fill(null)
    for (let at = this.#base; at < held; at++) this.#ring[at & this.#mask] = old[at & oldMask] ?? null
    if (tag - this.#base > this.#mask) this.#widen(tag)
  }
}

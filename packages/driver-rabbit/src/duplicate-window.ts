/** Python remembers 16. A publisher that lost its connection sends up to a thousand again, mixed with those of others. */
const DEFAULT_SIZE = 4096

/** Peers send 32 digits. Whoever sends a megabyte has us keep no thousands of them: such a message counts as one without. */
const LONGEST_ID = 256

/**
 * The ids of the latest messages of one queue that were taken, by which a copy is known.
 * @source oslo.messaging _drivers/amqp.py _MsgIdCache
 */
export class DuplicateWindow {
  readonly #size: number
  /** In the order in which they came. */
  readonly #ids = new Set<string>()

  constructor(size: number = DEFAULT_SIZE) {
    this.#size = size
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** The message was taken; the oldest id makes room. One that is far too long is not kept. */
  add(id: string): void {
    if (id.length > LONGEST_ID) return
    this.#ids.add(id)
    if (this.#ids.size <= this.#size) return
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }
}

/** Python remembers 16. A publisher that lost its connection sends up to a thousand again, mixed with those of others. */
const DEFAULT_SIZE = 4096

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

  /** The message was taken; the oldest id makes room. */
  add(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size <= this.#size) return
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }
}

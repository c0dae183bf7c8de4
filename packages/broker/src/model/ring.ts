const SMALLEST = 16

/** Up to this size a ring keeps its room: queues fill and empty many times a second. */
const KEPT = 1024

/** A queue in a ring of slots whose number is a power of two: both ends in constant time, nothing moved. */
export class Ring<T> {
  #slots: (T | undefined)[] = Array.from({ length: SMALLEST })
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#resize(this.#length * 2)
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item
    this.#length++
  }

  /** The oldest item, left where it is. */
  peek(): T | undefined {
    return this.#slots[this.#head]
  }

  /** The oldest item, taken out. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#length--
    // What a backlog needed is given back once most of it is gone.
    if (this.#slots.length > KEPT && this.#length * 8 < this.#slots.length)
      this.#resize(this.#slots.length / 4)
    return item
  }

  /** The item in this place, counted from the oldest. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#length) return undefined
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)]
  }

  #resize(size: number): void {
    const room = Math.max(SMALLEST, size)
    // Array.from takes ten times as long.
    const slots = Array<T | undefined>(room)
    for (let i = 0; i < this.#length; i++) slots[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)]
    this.#slots = slots
    this.#head = 0
  }
}

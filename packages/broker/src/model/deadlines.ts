import type { Clock, Timer } from '@hermod/kernel'

/** Something that is to happen at a time. */
export interface Deadline {
  readonly atMs: number
  cancel(): void
}

class Entry implements Deadline {
  readonly atMs: number
  readonly ring: () => void
  readonly #cancelled: () => void
  cancelled = false

  constructor(atMs: number, ring: () => void, cancelled: () => void) {
    this.atMs = atMs
    this.ring = ring
    this.#cancelled = cancelled
  }

  cancel(): void {
    if (this.cancelled) return
    this.cancelled = true
    this.#cancelled()
  }
}

/**
 * All deadlines of a broker on one timer of its clock: a binary heap, the earliest first. What is cancelled stays until
 * its time has come, or until half of the heap is such.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #ringing: () => void
  #heap: Entry[] = []
  #timer: Timer | undefined
  #timerAtMs = Infinity
  #stopped = false
  #cancelled = 0
  readonly #onCancel = (): void => {
    this.#cancelled++
    if (this.#cancelled * 2 <= this.#heap.length) return
    // A sorted array is a heap.
    this.#heap = this.#heap.filter((entry) => !entry.cancelled).toSorted((a, b) => a.atMs - b.atMs)
    this.#cancelled = 0
  }

  /** @param ringing is called before those that are due are rung, once for all of them. */
  constructor(clock: Clock, ringing: () => void = () => {}) {
    this.#clock = clock
    this.#ringing = ringing
  }

  /** The clock's `monotonicMs`. */
  nowMs(): number {
    return this.#clock.monotonicMs()
  }

  /** Rings once when `atMs` has come: at once, but not within this call, when that is past. */
  at(atMs: number, ring: () => void): Deadline {
    const entry = new Entry(atMs, ring, this.#onCancel)
    this.#push(entry)
    this.#arm()
    return entry
  }

  /** Forgets everything. */
  stop(): void {
    this.#stopped = true
    this.#heap = []
    this.#timer?.cancel()
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || this.#stopped || first.atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = first.atMs
    const waitMs = Math.max(0, first.atMs - this.nowMs())
    // Expiring messages is no reason to keep a process alive.
    this.#timer = this.#clock.after(Math.ceil(waitMs), () => this.#ring(), { background: true })
  }

  #ring(): void {
    this.#timerAtMs = Infinity
    this.#ringing()
    const nowMs = this.nowMs()
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#pop()
      if (first.cancelled) {
        this.#cancelled--
      } else {
        // It has happened: cancelling it now means nothing.
        first.cancelled = true
        first.ring()
      }
    }
    this.#arm()
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Entry
      if (above.atMs <= entry.atMs) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Entry).atMs < (heap[child] as Entry).atMs) child++
      const below = heap[child] as Entry
      if (below.atMs >= last.atMs) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

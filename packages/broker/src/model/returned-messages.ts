import type { QueuedMessage } from './queued-message.ts'

/**
 * Messages that were given back, smallest place first. Because delivery is in order, each of them stands before
 * everything that was not delivered yet: who serves these first has the original order.
 *
 * A binary heap. What a dying channel gives back comes sorted, and then each costs one comparison.
 */
export class ReturnedMessages {
  readonly #heap: QueuedMessage[] = []

  get length(): number {
    return this.#heap.length
  }

  peek(): QueuedMessage | undefined {
    return this.#heap[0]
  }

  push(queued: QueuedMessage): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(queued)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as QueuedMessage
      if (above.seq <= queued.seq) break
      heap[at] = above
      at = parent
    }
    heap[at] = queued
  }

  shift(): QueuedMessage | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (
        child + 1 < heap.length &&
        (heap[child + 1] as QueuedMessage).seq < (heap[child] as QueuedMessage).seq
      ) {
        child++
      }
      const below = heap[child] as QueuedMessage
      if (below.seq >= last.seq) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return first
  }
}

import { DuplicateWindow } from './duplicate-window.ts'

/**
 * What was taken from each queue. A message that several queues got is no copy; one that two listeners of this process
 * get from the same queue is.
 */
export class TakenMessages {
  readonly #windows = new Map<string, DuplicateWindow>()

  ofQueue(queue: string): DuplicateWindow {
    let window = this.#windows.get(queue)
    if (window === undefined) this.#windows.set(queue, (window = new DuplicateWindow()))
    return window
  }

  /** The queue is gone, and another one of its name will not come. */
  forget(queue: string): void {
    this.#windows.delete(queue)
  }
}

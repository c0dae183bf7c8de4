import { eventually } from '../eventually.ts'

/** What a server or a listener was handed, in order. */
export class Inbox<T> {
  readonly items: T[] = []

  put(item: T): void {
    this.items.push(item)
  }

  /** Resolves with the first `count` as soon as they are there. */
  async first(count: number): Promise<readonly T[]> {
    await eventually(() => this.items.length >= count)
    return this.items.slice(0, count)
  }

  /** Resolves with the one at a place as soon as it is there. */
  async at(index: number): Promise<T> {
    const items = await this.first(index + 1)
    return items[index] as T
  }
}

/** A message of a {@link ListQueue}. */
export interface Listed {
  readonly body: string
  redelivered: boolean
  out: boolean
}

/** A queue with priorities in the plainest way: lists, searched from the start each time. */
export class ListQueue {
  #levels: Listed[][]

  constructor(highest: number) {
    this.#levels = Array.from({ length: highest + 1 }, () => [])
  }

  /** What is ready, in the order in which it is to come out. */
  get ready(): readonly Listed[] {
    return this.#levels.toReversed().flatMap((level) => level.filter(({ out }) => !out))
  }

  push(body: string, priority: number): void {
    this.#levels[Math.min(priority, this.#levels.length - 1)]?.push({ body, redelivered: false, out: false })
  }

  take(): Listed | undefined {
    const next = this.ready[0]
    if (next !== undefined) next.out = true
    return next
  }

  giveBack(listed: Listed): void {
    listed.out = false
    listed.redelivered = true
  }

  settle(listed: Listed): void {
    this.#levels = this.#levels.map((level) => level.filter((other) => other !== listed))
  }

  purge(): number {
    const count = this.ready.length
    this.#levels = this.#levels.map((level) => level.filter(({ out }) => out))
    return count
  }
}

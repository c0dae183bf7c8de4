import { isHermodError, type Clock, type ErrorCode, type Timer } from '@hermod/kernel'
import type { SearchResult, TapQueue } from './tap-queue.ts'

/** What an {@link ExchangeSearch} finds. */
export interface SearchListener {
  /** @param unseenFrom when the exchanges were last looked for in vain. */
  onFound(search: SearchResult, unseenFrom: Date): void
}

const FIRST_RETRY_MS = 500

/** The broker did not answer, or closed the channel over nothing that was asked: the next search may do better. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['E_TIMEOUT', 'E_CHANNEL_CLOSED'])

/**
 * Looks for exchanges again and again while a queue of the tap lives: all of them at the interval that was asked for,
 * and those that an earlier queue had, which a restart of the broker took away, soon after and then less and less
 * often: their services are about to declare them again, and nobody sees what they publish before they are bound.
 */
export class ExchangeSearch {
  readonly #queue: TapQueue
  readonly #listener: SearchListener
  readonly #intervalMs: number
  readonly #clock: Clock
  #lost: readonly string[]
  /** When all were looked for last, and when the lost ones were. */
  #lookedForAllAt: Date
  #lookedForLostAt: Date
  #timers: Timer[] = []
  #stopped = false

  /** @param lost exchanges that were there before and are missing now. */
  constructor(
    queue: TapQueue,
    lost: readonly string[],
    intervalMs: number,
    clock: Clock,
    listener: SearchListener,
  ) {
    this.#queue = queue
    this.#lost = lost
    this.#intervalMs = intervalMs
    this.#clock = clock
    this.#listener = listener
    this.#lookedForAllAt = this.#lookedForLostAt = new Date(clock.now())
    this.#searchAllLater()
    this.#searchLostLater(FIRST_RETRY_MS)
  }

  /** Exchanges that were there once and are missing still. */
  get lost(): readonly string[] {
    return this.#lost
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
  }

  #later(delayMs: number, work: () => Promise<void>): void {
    if (this.#stopped) return
    const timer = this.#clock.after(
      delayMs,
      () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        void work()
      },
      { background: true },
    )
    this.#timers.push(timer)
  }

  #searchAllLater(): void {
    this.#later(this.#intervalMs, async () => {
      if (await this.#search(undefined)) this.#searchAllLater()
    })
  }

  #searchLostLater(delayMs: number): void {
    if (this.#lost.length === 0 || delayMs >= this.#intervalMs) return
    this.#later(delayMs, async () => {
      if (await this.#search(this.#lost)) this.#searchLostLater(delayMs * 2)
    })
  }

  /** @returns false when the connection or the queue went; the next queue searches anew. */
  async #search(exchanges: readonly string[] | undefined): Promise<boolean> {
    const unseenFrom = exchanges === undefined ? this.#lookedForAllAt : this.#lookedForLostAt
    const lookedAt = new Date(this.#clock.now())
    try {
      const search = await this.#queue.search(exchanges)
      this.#lookedForLostAt = lookedAt
      if (exchanges === undefined) this.#lookedForAllAt = lookedAt
      this.#lost = this.#lost.filter((exchange) => this.#queue.missing.includes(exchange))
      if (!this.#stopped) this.#listener.onFound(search, unseenFrom)
      return true
    } catch (error) {
      if (!isHermodError(error)) throw error
      return !this.#stopped && PASSING.has(error.code)
    }
  }
}

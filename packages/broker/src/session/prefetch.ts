/**
 * A limit on unsettled messages: of one consumer, or of all consumers of a channel (`basic.qos` with `global`).
 */
export class Prefetch {
  /** 0 for no limit. */
  limit: number
  #taken = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get hasRoom(): boolean {
    return this.limit === 0 || this.#taken < this.limit
  }

  take(): void {
    this.#taken++
  }

  release(): void {
    this.#taken--
  }
}

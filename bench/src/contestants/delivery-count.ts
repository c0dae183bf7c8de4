/** Counts what a consumer receives and checks that every body is there. */
export class DeliveryCount {
  /** Resolves with the last expected delivery; rejects when one has a wrong body. */
  readonly reached: Promise<void>
  readonly #bodySize: number
  #left: number
  #resolve!: () => void
  #reject!: (reason: unknown) => void

  constructor(count: number, bodySize: number) {
    this.#left = count
    this.#bodySize = bodySize
    this.reached = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  add(bodySize: number | undefined): void {
    if (bodySize !== this.#bodySize)
      this.#reject(new Error(`a delivery has ${bodySize} bytes instead of ${this.#bodySize}`))
    this.#left--
    if (this.#left === 0) this.#resolve()
    if (this.#left < 0) this.#reject(new Error('more deliveries than the queue held'))
  }
}

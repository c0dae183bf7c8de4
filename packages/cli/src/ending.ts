/** How a run ends, decided once; the one that waits is woken by the decision. */
export class Ending {
  #code: number | undefined
  #wake: (() => void) | undefined

  /** The exit status, once decided. */
  get code(): number | undefined {
    return this.#code
  }

  /** Decides the exit status; later decisions change nothing. */
  decide(code: number): void {
    this.#code ??= code
    this.#wake?.()
  }

  /**
   * What `work` gives, or undefined as soon as the end is decided. One waiter at a time: a slot instead of a race
   * between promises, because a race would leave a reaction on the longer-lived promise at every event.
   */
  orEnd<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined)
      work.then(resolve, reject)
      if (this.#code !== undefined) resolve(undefined)
    })
  }
}

/** The timers that somebody started and that would keep the process alive, with where they were started. */
export class OpenTimers implements Disposable {
  readonly #open = new Map<NodeJS.Timeout, string>()
  readonly #setTimeout = globalThis.setTimeout
  readonly #clearTimeout = globalThis.clearTimeout

  /** Watches from now on, until it is disposed of. */
  constructor() {
    const start = (
      callback: (...args: unknown[]) => void,
      ms?: number,
      ...args: unknown[]
    ): NodeJS.Timeout => {
      const handle = this.#setTimeout(() => {
        this.#open.delete(handle)
        callback(...args)
      }, ms)
      this.#open.set(handle, new Error('started here').stack ?? '')
      return handle
    }
    globalThis.setTimeout = Object.assign(start, this.#setTimeout)
    globalThis.clearTimeout = (handle) => {
      if (typeof handle === 'object') this.#open.delete(handle)
      this.#clearTimeout(handle)
    }
  }

  /** Waits until there are none. @throws with where the first one was started. */
  async allGone(withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs
    for (;;) {
      const open = [...this.#open].filter(([handle]) => handle.hasRef())
      if (open.length === 0) return
      if (performance.now() > endMs) throw new RangeError(`a timer is left: ${open[0]?.[1]}`)
      await new Promise((resolve) => this.#setTimeout(resolve, 20))
    }
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout
    globalThis.clearTimeout = this.#clearTimeout
  }
}

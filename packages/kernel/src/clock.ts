/** A timer that was started and can be stopped. */
export interface Timer {
  /** Stops it; harmless when it has fired. */
  cancel(): void
}

/** The passage of time, injected so that tests own it. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970. */
  now(): number
  /** A reading that never goes back, in milliseconds; only differences mean something. */
  monotonicMs(): number
  /** Calls `callback` once after `delayMs`. Timers that merely watch (`background`) do not keep a process alive. */
  after(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): Timer
}

/** Node fires a timer of more than 2^31-1 ms at once; a longer wait is made of several. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback, options) {
    let handle: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMEOUT_MS)
      handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs)
      if (options?.background === true) handle.unref()
    }
    arm(Math.max(0, delayMs))
    return { cancel: () => clearTimeout(handle) }
  },
}

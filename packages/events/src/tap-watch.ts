import type { Clock, Timer } from '@hermod/kernel'

/** What a {@link TapWatch} looks at and tells. */
export interface WatchedTap {
  counts(): {
    /** Messages that came so far. */
    readonly received: number
    /** The weight of their bodies. */
    readonly receivedBytes: number
    /** Messages dropped here so far. */
    readonly dropped: number
  }
  /** The depth of the queue in the broker; undefined when that cannot be told. */
  depth(): Promise<number | undefined>
  onDropped(dropped: number, total: number): void
  onFull(depth: number): void
}

/** The bounds of the queue in the broker. */
export interface WatchLimits {
  readonly prefetchCount: number
  readonly maxLength: number
  readonly maxLengthBytes: number
}

const INTERVAL_MS = 1000

/**
 * By the time the depth is asked for, some of the backlog is on its way already; a queue that is nearly at its limit
 * has therefore been there.
 */
const NEARLY = 0.9

/**
 * Looks once a second whether a tap keeps up: tells what was dropped here, and, while messages come faster than a
 * prefetch window in a second or after this process stood still, asks the broker how long the queue is. The broker
 * does not tell what it drops from a queue at its limit, so reaching the limit is all that can be known.
 */
export class TapWatch {
  readonly #tap: WatchedTap
  readonly #limits: WatchLimits
  readonly #clock: Clock
  #timer: Timer
  #seenReceived = 0
  #seenBytes = 0
  #averageBytes = 0
  #toldDropped = 0
  #tickedAtMs: number
  #behind = false
  #stopped = false

  constructor(tap: WatchedTap, limits: WatchLimits, clock: Clock) {
    this.#tap = tap
    this.#limits = limits
    this.#clock = clock
    this.#tickedAtMs = clock.monotonicMs()
    this.#timer = this.#arm()
  }

  /** Whether messages waited in the broker when it was last asked. */
  get behind(): boolean {
    return this.#behind
  }

  stop(): void {
    this.#stopped = true
    this.#timer.cancel()
    this.#tellDropped()
  }

  #arm(): Timer {
    return this.#clock.after(INTERVAL_MS, () => void this.#tick(), { background: true })
  }

  async #tick(): Promise<void> {
    this.#tellDropped()
    const nowMs = this.#clock.monotonicMs()
    const stoodStill = nowMs - this.#tickedAtMs > 2 * INTERVAL_MS
    this.#tickedAtMs = nowMs
    const arrived = this.#tap.counts().received - this.#seenReceived
    this.#behind = false
    if (stoodStill || arrived >= this.#limits.prefetchCount) {
      const seenBefore = this.#seenReceived
      const depth = await this.#tap.depth().catch(() => undefined)
      if (this.#stopped) return
      this.#weigh()
      this.#behind = (depth ?? 0) > 0
      // What came before the answer waited with the rest when this process began to move again, except for a window
      // that was on its way already.
      const drained = stoodStill
        ? Math.max(0, this.#seenReceived - seenBefore - this.#limits.prefetchCount)
        : 0
      if (depth !== undefined && this.#isFull(depth + drained)) this.#tap.onFull(depth + drained)
    } else {
      this.#weigh()
    }
    this.#timer = this.#arm()
  }

  /**
   * What waits in the broker is like what came last: an average over all time would be blind to a change. After a
   * standstill the first of it has come by the time that the broker has answered.
   */
  #weigh(): void {
    const { received, receivedBytes } = this.#tap.counts()
    const arrived = received - this.#seenReceived
    if (arrived > 0) this.#averageBytes = (receivedBytes - this.#seenBytes) / arrived
    this.#seenReceived = received
    this.#seenBytes = receivedBytes
  }

  #isFull(depth: number): boolean {
    const { maxLength, maxLengthBytes } = this.#limits
    return depth >= maxLength * NEARLY || depth * this.#averageBytes >= maxLengthBytes * NEARLY
  }

  #tellDropped(): void {
    const total = this.#tap.counts().dropped
    if (total > this.#toldDropped) this.#tap.onDropped(total - this.#toldDropped, total)
    this.#toldDropped = total
  }
}

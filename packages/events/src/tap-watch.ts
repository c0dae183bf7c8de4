import type { Clock, Timer } from '@hermod/kernel'

/** What a {@link TapWatch} looks at and tells. */
export interface WatchedTap {
  counts(): {
    /** Messages that came so far. */
    readonly received: number
    /** How heavy the latest of their bodies are on average. */
    readonly averageBytes: number
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
    const seenBefore = this.#seenReceived
    this.#seenReceived = this.#tap.counts().received
    this.#behind = false
    if (stoodStill || this.#seenReceived - seenBefore >= this.#limits.prefetchCount) {
      const depth = await this.#tap.depth().catch(() => undefined)
      if (this.#stopped) return
      this.#behind = (depth ?? 0) > 0
      const backlog = depth !== undefined && stoodStill ? this.#backlogOf(depth, seenBefore) : depth
      if (backlog !== undefined && this.#isFull(backlog)) this.#tap.onFull(backlog)
    }
    this.#timer = this.#arm()
  }

  /**
   * What waited in the broker when this process began to move again. Each message that came before the answer made
   * room for one more to leave the queue; where the queue is empty by now, a window of them was on its way already.
   */
  #backlogOf(depth: number, seenBefore: number): number {
    const arrived = this.#tap.counts().received - seenBefore
    return depth > 0 ? depth + arrived : Math.max(0, arrived - this.#limits.prefetchCount)
  }

  #isFull(depth: number): boolean {
    const { maxLength, maxLengthBytes } = this.#limits
    return depth >= maxLength * NEARLY || depth * this.#tap.counts().averageBytes >= maxLengthBytes * NEARLY
  }

  #tellDropped(): void {
    const total = this.#tap.counts().dropped
    if (total > this.#toldDropped) this.#tap.onDropped(total - this.#toldDropped, total)
    this.#toldDropped = total
  }
}

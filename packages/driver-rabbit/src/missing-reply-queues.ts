import { createDeferred, type Clock, type Deferred, type Timer } from '@hermod/kernel'
import type { ObsoleteReplies } from './obsolete-replies.ts'

/** How long a queue is left alone at first; the longer it is missing, the longer are the pauses. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 1_000

/** The replies that may wait, all queues together. A server takes no more requests when 1024 replies are on their way. */
const MOST_WAITING = 512

/** How long who is leaving still waits: a client that lost its connection is back after a second. */
const LEAVING_MS = 2_000

/** For how long somebody waits. */
export interface ReplyPatience {
  /** When the server began to stop; undefined: it has not. */
  leavingSinceMs: number | undefined
}

/** What {@link MissingReplyQueues} are made from. */
export interface MissingReplyQueuesOptions {
  /** Queues that were missing for too long. */
  readonly obsolete: ObsoleteReplies
  /** How long a missing queue is waited for, milliseconds. */
  readonly keptMs: number
  readonly clock: Clock
}

interface MissingQueue {
  readonly sinceMs: number
  /** In the order in which they began to wait. */
  readonly waiting: Map<Deferred<boolean>, ReplyPatience>
  timer: Timer | undefined
}

/**
 * Queues for replies that the broker does not know at the moment, and the replies that wait for them. A queue comes back
 * with its client, after a restart of the broker say; or its client is gone; or there was never one, for everybody who
 * may send a request may name any queue in it.
 *
 * So one reply at a time tries whether a queue is there, for all that wait for it; their number is limited, those of the
 * fullest queue being given up first; and a server that stops waits for a moment only.
 */
export class MissingReplyQueues {
  readonly #options: MissingReplyQueuesOptions
  /** The one that is missing for longest first. */
  readonly #missing = new Map<string, MissingQueue>()
  #waiting = 0
  #isClosed = false

  constructor(options: MissingReplyQueuesOptions) {
    this.#options = options
  }

  /** Whether nothing is sent there any more. */
  isGone(queue: string): boolean {
    return this.#isClosed || this.#options.obsolete.has(queue)
  }

  /** Whether what is sent there has to {@link wait}. */
  has(queue: string): boolean {
    return this.#missing.has(queue)
  }

  /** A reply came back from it. */
  note(queue: string): void {
    if (this.#missing.has(queue)) return
    const sinceMs = this.#options.clock.monotonicMs()
    this.#missing.set(queue, { sinceMs, waiting: new Map(), timer: undefined })
  }

  /** It took a reply, or what became of one says nothing: whoever waits for it goes on. */
  forget(queue: string): void {
    const missing = this.#missing.get(queue)
    if (missing !== undefined) this.#drop(queue, missing, true)
  }

  /**
   * Waits for a queue that was {@link note}d.
   *
   * @returns true when it is to be tried again, and then `note` or `forget` says what came of it; false when it is given
   *   up.
   */
  wait(queue: string, patience: ReplyPatience): Promise<boolean> {
    const missing = this.#missing.get(queue)
    if (missing === undefined) return Promise.resolve(!this.#isClosed)
    if (this.#isTooOld(missing)) {
      this.#giveUp(queue, missing)
      return Promise.resolve(false)
    }
    const waiter = createDeferred<boolean>()
    missing.waiting.set(waiter, patience)
    this.#waiting++
    this.#arm(queue, missing)
    if (this.#waiting > MOST_WAITING) this.#makeRoom()
    return waiter.promise
  }

  /** Nobody waits from now on. */
  close(): void {
    this.#isClosed = true
    for (const [queue, missing] of this.#missing) this.#drop(queue, missing, false)
  }

  #arm(queue: string, missing: MissingQueue): void {
    const { clock } = this.#options
    const pauseMs = Math.max(FIRST_PAUSE_MS, (clock.monotonicMs() - missing.sinceMs) / 4)
    missing.timer ??= clock.after(Math.min(pauseMs, LONGEST_PAUSE_MS), () => this.#tryAgain(queue, missing))
  }

  #tryAgain(queue: string, missing: MissingQueue): void {
    missing.timer = undefined
    if (this.#isTooOld(missing)) return this.#giveUp(queue, missing)
    for (const [waiter, patience] of missing.waiting)
      if (this.#isLeaving(missing, patience)) this.#release(missing, waiter, false)
    const [next] = missing.waiting.keys()
    // Nobody looks after it any more.
    if (next === undefined) return this.#drop(queue, missing, false)
    this.#release(missing, next, true)
    if (missing.waiting.size > 0) this.#arm(queue, missing)
  }

  #isTooOld({ sinceMs }: MissingQueue): boolean {
    const { clock, keptMs } = this.#options
    return clock.monotonicMs() - sinceMs >= keptMs
  }

  #isLeaving({ sinceMs }: MissingQueue, { leavingSinceMs }: ReplyPatience): boolean {
    if (leavingSinceMs === undefined) return false
    return this.#options.clock.monotonicMs() - Math.max(leavingSinceMs, sinceMs) >= LEAVING_MS
  }

  #giveUp(queue: string, missing: MissingQueue): void {
    this.#options.obsolete.add(queue)
    this.#drop(queue, missing, false)
  }

  /** Of whoever floods us with one queue the oldest goes first; of whoever does with many, what is missing for longest. */
  #makeRoom(): void {
    let fullest: MissingQueue | undefined
    for (const missing of this.#missing.values())
      if (missing.waiting.size > (fullest?.waiting.size ?? 0)) fullest = missing
    const [oldest] = fullest?.waiting.keys() ?? []
    if (fullest !== undefined && oldest !== undefined) this.#release(fullest, oldest, false)
  }

  #drop(queue: string, missing: MissingQueue, goOn: boolean): void {
    missing.timer?.cancel()
    this.#missing.delete(queue)
    for (const waiter of missing.waiting.keys()) this.#release(missing, waiter, goOn)
  }

  #release(missing: MissingQueue, waiter: Deferred<boolean>, goOn: boolean): void {
    if (!missing.waiting.delete(waiter)) return
    this.#waiting--
    waiter.resolve(goOn)
  }
}

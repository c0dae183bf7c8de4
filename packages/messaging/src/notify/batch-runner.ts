import { setMaxListeners } from 'node:events'
import { createDeferred, type Deferred, type LogDetails, type Timer } from '@hermod/kernel'
import type { DispatchDiagnostics } from '../diagnostics.ts'
import type { IncomingNotification } from '../driver/driver.ts'
import type { BatchDispatcher } from './batch-dispatcher.ts'
import { CopiesInHand } from './copies-in-hand.ts'
import { HandlerAttempts } from './handler-attempts.ts'
import type { HandlingOptions, NotificationIntake } from './notification-intake.ts'
import type { NotificationOutcome } from './notification-outcome.ts'
import { describeDispatch, endObserved, runObserved } from './observed-dispatch.ts'

/** When a batch is handled. */
export interface BatchLimits {
  /** So many notifications are enough. */
  readonly size: number
  /** So long after its first notification it is handled whatever its size; undefined: only when it is full. */
  readonly timeoutMs: number | undefined
}

/** Gathers notifications and has them handled together, one batch after the other. */
export class BatchRunner implements NotificationIntake {
  readonly #dispatcher: BatchDispatcher
  readonly #limits: BatchLimits
  readonly #options: HandlingOptions
  readonly #attempts: HandlerAttempts
  readonly #stopping = new AbortController()
  readonly #abandoning = new AbortController()
  readonly #gathered: IncomingNotification[] = []
  readonly #running = new Map<IncomingNotification, DispatchDiagnostics | undefined>()
  readonly #copies = new CopiesInHand()
  #timer: Timer | undefined
  #isDue = false
  #idle: Deferred<void> | undefined

  constructor(dispatcher: BatchDispatcher, limits: BatchLimits, options: HandlingOptions) {
    this.#dispatcher = dispatcher
    this.#limits = limits
    this.#options = options
    const { retry, clock, counters } = options
    // A handler may listen for each notification of its batch.
    setMaxListeners(0, this.#abandoning.signal)
    this.#attempts = new HandlerAttempts(retry, clock, this.#stopping.signal, () => counters.retried++)
  }

  get runningCount(): number {
    return this.#running.size
  }

  get waitingCount(): number {
    return this.#gathered.length + this.#copies.waiting
  }

  take(incoming: IncomingNotification): void {
    this.#options.counters.received++
    if (this.#stopping.signal.aborted) {
      this.#options.settler.release(incoming)
      return
    }
    this.#gathered.push(incoming)
    if (this.#gathered.length === 1) this.#startTimer()
    this.#beginIfDue()
  }

  stopTaking(): void {
    this.#stopping.abort()
    this.#timer?.cancel()
    // The newest first, so that whoever puts them back keeps their order.
    const waiting = [...this.#copies.takeWaiting(), ...this.#gathered.splice(0)]
    for (const incoming of waiting.toReversed()) this.#options.settler.release(incoming)
    this.#options.settler.endPauses()
  }

  async idle(): Promise<void> {
    if (this.#running.size > 0) await (this.#idle ??= createDeferred()).promise
  }

  abandon(): void {
    const { settler, counters } = this.#options
    for (const incoming of Array.from(this.#running.keys())) {
      this.#running.delete(incoming)
      counters.aborted++
      settler.release(incoming)
    }
    this.#abandoning.abort()
    this.#tellIdle()
  }

  running(): LogDetails | undefined {
    return this.#running.size === 0 ? undefined : { notifications: this.#running.size }
  }

  #startTimer(): void {
    const { timeoutMs } = this.#limits
    this.#isDue = false
    this.#timer?.cancel()
    if (timeoutMs === undefined) return
    this.#timer = this.#options.clock.after(timeoutMs, () => {
      this.#isDue = true
      this.#beginIfDue()
    })
  }

  #beginIfDue(): void {
    if (this.#running.size > 0 || this.#gathered.length === 0) return
    if (this.#gathered.length < this.#limits.size && !this.#isDue) return
    const batch = this.#gathered
      .splice(0, this.#limits.size)
      .filter((incoming) => this.#options.settler.admit(incoming) && this.#copies.begin(incoming))
    this.#timer?.cancel()
    if (this.#gathered.length > 0) this.#startTimer()
    for (const incoming of batch) {
      const dispatch = describeDispatch(incoming, this.#options.driver)
      this.#running.set(incoming, dispatch)
      runObserved(dispatch, () => {})
    }
    void this.#handle(batch)
  }

  async #handle(batch: readonly IncomingNotification[]): Promise<void> {
    // A handler is not to run within the driver's input.
    await Promise.resolve()
    await this.#dispatcher.dispatch(batch, this.#attempts, this.#abandoning.signal, (incoming, outcome) =>
      this.#conclude(incoming, outcome),
    )
    this.#tellIdle()
    this.#beginIfDue()
  }

  #conclude(incoming: IncomingNotification, outcome: NotificationOutcome): void {
    const dispatch = this.#running.get(incoming)
    // One that was waited for no longer has gone back.
    if (!this.#running.delete(incoming)) return
    this.#options.settler.settle(incoming, outcome)
    endObserved(dispatch, outcome)
    this.#gatherAgain(this.#copies.end(incoming).filter((copy) => this.#options.settler.admit(copy)))
  }

  /** What was a copy and is none any more is in the next batch. */
  #gatherAgain(copies: readonly IncomingNotification[]): void {
    if (copies.length === 0) return
    const isFirst = this.#gathered.length === 0
    this.#gathered.unshift(...copies)
    if (isFirst) this.#startTimer()
  }

  #tellIdle(): void {
    if (this.#running.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }
}

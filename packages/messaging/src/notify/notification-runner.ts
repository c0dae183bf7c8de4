import { setMaxListeners } from 'node:events'
import { AsyncQueue, createDeferred, type Deferred, type LogDetails } from '@hermod/kernel'
import type { DispatchDiagnostics } from '../diagnostics.ts'
import type { IncomingNotification } from '../driver/driver.ts'
import { CopiesInHand } from './copies-in-hand.ts'
import { HandlerAttempts } from './handler-attempts.ts'
import type { NotificationDispatcher } from './notification-dispatcher.ts'
import type { NotificationOutcome } from './notification-outcome.ts'
import type { HandlingOptions, NotificationIntake } from './notification-intake.ts'
import { describeDispatch, endObserved, runObserved } from './observed-dispatch.ts'

/** Has notifications handled one by one, a few at a time, in the order in which they came. */
export class NotificationRunner implements NotificationIntake {
  readonly #dispatcher: NotificationDispatcher
  readonly #concurrency: number
  readonly #options: HandlingOptions
  readonly #attempts: HandlerAttempts
  readonly #stopping = new AbortController()
  readonly #abandoning = new AbortController()
  readonly #waiting = new AsyncQueue<IncomingNotification>()
  readonly #running = new Set<IncomingNotification>()
  /** Undefined where one is settled before the next one begins. */
  readonly #copies: CopiesInHand | undefined
  #isFilling = false
  #idle: Deferred<void> | undefined

  constructor(dispatcher: NotificationDispatcher, concurrency: number, options: HandlingOptions) {
    this.#dispatcher = dispatcher
    this.#concurrency = concurrency
    this.#copies = concurrency > 1 ? new CopiesInHand() : undefined
    this.#options = options
    const { retry, clock, counters } = options
    // Each handler that runs may listen.
    setMaxListeners(0, this.#stopping.signal, this.#abandoning.signal)
    this.#attempts = new HandlerAttempts(retry, clock, this.#stopping.signal, () => counters.retried++)
  }

  get runningCount(): number {
    return this.#running.size
  }

  get waitingCount(): number {
    return this.#waiting.size + (this.#copies?.waiting ?? 0)
  }

  take(incoming: IncomingNotification): void {
    this.#options.counters.received++
    if (this.#stopping.signal.aborted) {
      this.#options.settler.release(incoming)
      return
    }
    this.#waiting.put(incoming)
    this.#fillSoon()
  }

  stopTaking(): void {
    this.#stopping.abort()
    const waiting = [...(this.#copies?.takeWaiting() ?? [])]
    for (let next = this.#waiting.take(); next !== undefined; next = this.#waiting.take()) waiting.push(next)
    // The newest first, so that whoever puts them back keeps their order.
    for (const incoming of waiting.toReversed()) this.#options.settler.release(incoming)
    this.#options.settler.endPauses()
  }

  async idle(): Promise<void> {
    if (this.#running.size > 0) await (this.#idle ??= createDeferred()).promise
  }

  abandon(): void {
    const { settler, counters } = this.#options
    for (const incoming of Array.from(this.#running)) {
      this.#running.delete(incoming)
      counters.aborted++
      settler.release(incoming)
    }
    this.#abandoning.abort()
    this.#tellIdle()
  }

  running(): LogDetails | undefined {
    if (this.#running.size === 0) return undefined
    return { eventTypes: [...this.#running].map(({ notification }) => notification.eventType) }
  }

  /** A handler is not to run within the driver's input, however short it is. */
  #fillSoon(): void {
    if (this.#isFilling || this.#running.size >= this.#concurrency) return
    this.#isFilling = true
    queueMicrotask(() => this.#fill())
  }

  #fill(): void {
    this.#isFilling = true
    while (this.#running.size < this.#concurrency) {
      const incoming = this.#waiting.take()
      if (incoming === undefined) break
      this.#consider(incoming)
    }
    this.#isFilling = false
  }

  #consider(incoming: IncomingNotification): void {
    if (!this.#options.settler.admit(incoming)) return
    if (this.#copies === undefined || this.#copies.begin(incoming)) this.#begin(incoming)
  }

  #begin(incoming: IncomingNotification): void {
    this.#running.add(incoming)
    const dispatch = describeDispatch(incoming, this.#options.driver)
    const outcome = runObserved(dispatch, () =>
      this.#dispatcher.dispatch(incoming, this.#attempts, this.#abandoning.signal),
    )
    if (outcome instanceof Promise) {
      void this.#endLater(incoming, dispatch, outcome)
    } else {
      this.#end(incoming, dispatch, outcome)
    }
  }

  async #endLater(
    incoming: IncomingNotification,
    dispatch: DispatchDiagnostics | undefined,
    outcome: Promise<NotificationOutcome>,
  ): Promise<void> {
    this.#end(incoming, dispatch, await outcome)
    this.#fill()
  }

  #end(
    incoming: IncomingNotification,
    dispatch: DispatchDiagnostics | undefined,
    outcome: NotificationOutcome,
  ): void {
    // One that was waited for no longer has gone back.
    if (this.#running.delete(incoming)) this.#options.settler.settle(incoming, outcome)
    endObserved(dispatch, outcome)
    // At most one of them begins, in the place that is free now.
    for (const copy of this.#copies?.end(incoming) ?? []) this.#consider(copy)
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.#running.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }
}

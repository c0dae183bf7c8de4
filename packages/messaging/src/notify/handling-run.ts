import { setMaxListeners } from 'node:events'
import { createDeferred, type Deferred } from '@hermod/kernel'
import type { DispatchDiagnostics } from '../diagnostics.ts'
import type { IncomingNotification } from '../driver/driver.ts'
import { HandlerAttempts } from './handler-attempts.ts'
import type { HandlingOptions } from './notification-intake.ts'
import type { NotificationOutcome } from './notification-outcome.ts'
import { describeDispatch, endObserved } from './observed-dispatch.ts'

/** A notification whose handlers run. */
export interface NotificationInWork {
  readonly incoming: IncomingNotification
  /** For `runObserved`. */
  readonly dispatch: DispatchDiagnostics | undefined
}

/** The notifications whose handlers run, and the end of it all: what both kinds of listeners have in common. */
export class HandlingRun {
  /** Calls handlers again that fail, for as long as it is not stopped. */
  readonly attempts: HandlerAttempts
  readonly #options: HandlingOptions
  readonly #stopping = new AbortController()
  readonly #abandoning = new AbortController()
  readonly #inWork = new Set<NotificationInWork>()
  #idle: Deferred<void> | undefined

  constructor(options: HandlingOptions) {
    this.#options = options
    const { retry, clock, counters } = options
    // Each handler that runs may listen, and in a batch for each notification.
    setMaxListeners(0, this.#stopping.signal, this.#abandoning.signal)
    this.attempts = new HandlerAttempts(retry, clock, this.#stopping.signal, () => counters.retried++)
  }

  /** Aborts when handlers are waited for no longer. */
  get signal(): AbortSignal {
    return this.#abandoning.signal
  }

  /** How many are in work. */
  get size(): number {
    return this.#inWork.size
  }

  get eventTypes(): readonly string[] {
    return Array.from(this.#inWork, ({ incoming }) => incoming.notification.eventType)
  }

  /** One came. @returns false when it went back, because it is too late. */
  receive(incoming: IncomingNotification): boolean {
    this.#options.counters.received++
    if (!this.#stopping.signal.aborted) return true
    this.#options.settler.release(incoming)
    return false
  }

  begin(incoming: IncomingNotification): NotificationInWork {
    const item = { incoming, dispatch: describeDispatch(incoming, this.#options.driver) }
    this.#inWork.add(item)
    return item
  }

  /** Settles it, unless it was {@link abandon}ed and has gone back. */
  end(item: NotificationInWork, outcome: NotificationOutcome): void {
    if (this.#inWork.delete(item)) this.#options.settler.settle(item.incoming, outcome)
    endObserved(item.dispatch, outcome)
    this.#tellIdle()
  }

  /** Nothing is begun any more. @param waiting what goes back, in the order in which it came. */
  stop(waiting: readonly IncomingNotification[]): void {
    const { settler } = this.#options
    this.#stopping.abort()
    // The newest first, so that whoever puts them back keeps their order.
    for (const incoming of waiting.toReversed()) settler.release(incoming)
    settler.endPauses()
  }

  /** Resolves when nothing is in work. */
  async idle(): Promise<void> {
    if (this.#inWork.size > 0) await (this.#idle ??= createDeferred()).promise
  }

  /** Gives back what is in work, and tells the handlers. */
  abandon(): void {
    const { settler, counters } = this.#options
    for (const item of Array.from(this.#inWork)) {
      this.#inWork.delete(item)
      counters.aborted++
      settler.release(item.incoming)
    }
    this.#abandoning.abort()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.#inWork.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }
}

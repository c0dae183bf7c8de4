import { AsyncQueue, type LogDetails } from '@hermod/kernel'
import type { IncomingNotification } from '../driver/driver.ts'
import { CopiesInHand } from './copies-in-hand.ts'
import { HandlingRun, type NotificationInWork } from './handling-run.ts'
import type { NotificationDispatcher } from './notification-dispatcher.ts'
import type { HandlingOptions, NotificationIntake } from './notification-intake.ts'
import type { NotificationOutcome } from './notification-outcome.ts'
import { runObserved } from './observed-dispatch.ts'

/** Has notifications handled one by one, a few at a time, in the order in which they came. */
export class NotificationRunner implements NotificationIntake {
  readonly #dispatcher: NotificationDispatcher
  readonly #concurrency: number
  readonly #options: HandlingOptions
  readonly #run: HandlingRun
  readonly #waiting = new AsyncQueue<IncomingNotification>()
  /** Undefined where one is settled before the next one begins. */
  readonly #copies: CopiesInHand | undefined
  #isFilling = false

  constructor(dispatcher: NotificationDispatcher, concurrency: number, options: HandlingOptions) {
    this.#dispatcher = dispatcher
    this.#concurrency = concurrency
    this.#copies = concurrency > 1 ? new CopiesInHand() : undefined
    this.#options = options
    this.#run = new HandlingRun(options)
  }

  get runningCount(): number {
    return this.#run.size
  }

  get waitingCount(): number {
    return this.#waiting.size + (this.#copies?.waiting ?? 0)
  }

  take(incoming: IncomingNotification): void {
    if (!this.#run.receive(incoming)) return
    this.#waiting.put(incoming)
    this.#fillSoon()
  }

  stopTaking(): void {
    const waiting = [...(this.#copies?.takeWaiting() ?? [])]
    for (let next = this.#waiting.take(); next !== undefined; next = this.#waiting.take()) waiting.push(next)
    this.#run.stop(waiting)
  }

  idle(): Promise<void> {
    return this.#run.idle()
  }

  abandon(): void {
    this.#run.abandon()
  }

  running(): LogDetails | undefined {
    const { eventTypes } = this.#run
    return eventTypes.length === 0 ? undefined : { eventTypes }
  }

  /** A handler is not to run within the driver's input, however short it is. */
  #fillSoon(): void {
    if (this.#isFilling || this.#run.size >= this.#concurrency) return
    this.#isFilling = true
    queueMicrotask(() => this.#fill())
  }

  #fill(): void {
    this.#isFilling = true
    while (this.#run.size < this.#concurrency) {
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
    const item = this.#run.begin(incoming)
    const { attempts, signal } = this.#run
    const outcome = runObserved(item.dispatch, () => this.#dispatcher.dispatch(incoming, attempts, signal))
    if (outcome instanceof Promise) void this.#endLater(item, outcome)
    else this.#end(item, outcome)
  }

  async #endLater(item: NotificationInWork, outcome: Promise<NotificationOutcome>): Promise<void> {
    this.#end(item, await outcome)
    this.#fill()
  }

  #end(item: NotificationInWork, outcome: NotificationOutcome): void {
    this.#run.end(item, outcome)
    // At most one of them begins, in the place that is free now.
    for (const copy of this.#copies?.end(item.incoming) ?? []) this.#consider(copy)
  }
}

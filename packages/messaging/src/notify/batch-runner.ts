import type { LogDetails, Timer } from '@hermod/kernel'
import type { IncomingNotification } from '../driver/driver.ts'
import type { BatchDispatcher } from './batch-dispatcher.ts'
import { CopiesInHand } from './copies-in-hand.ts'
import { HandlingRun, type NotificationInWork } from './handling-run.ts'
import type { HandlingOptions, NotificationIntake } from './notification-intake.ts'
import type { NotificationOutcome } from './notification-outcome.ts'
import { runObserved } from './observed-dispatch.ts'

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
  readonly #run: HandlingRun
  readonly #gathered: IncomingNotification[] = []
  readonly #copies = new CopiesInHand()
  #timer: Timer | undefined
  #isDue = false

  constructor(dispatcher: BatchDispatcher, limits: BatchLimits, options: HandlingOptions) {
    this.#dispatcher = dispatcher
    this.#limits = limits
    this.#options = options
    this.#run = new HandlingRun(options)
  }

  get runningCount(): number {
    return this.#run.size
  }

  get waitingCount(): number {
    return this.#gathered.length + this.#copies.waiting
  }

  take(incoming: IncomingNotification): void {
    if (!this.#run.receive(incoming)) return
    this.#gathered.push(incoming)
    if (this.#gathered.length === 1) this.#startTimer()
    this.#beginIfDue()
  }

  stopTaking(): void {
    this.#timer?.cancel()
    this.#run.stop([...this.#copies.takeWaiting(), ...this.#gathered.splice(0)])
  }

  idle(): Promise<void> {
    return this.#run.idle()
  }

  abandon(): void {
    this.#run.abandon()
  }

  running(): LogDetails | undefined {
    return this.#run.size === 0 ? undefined : { notifications: this.#run.size }
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
    if (this.#run.size > 0 || this.#gathered.length === 0) return
    if (this.#gathered.length < this.#limits.size && !this.#isDue) return
    const batch = this.#gathered
      .splice(0, this.#limits.size)
      .filter((incoming) => this.#options.settler.admit(incoming) && this.#copies.begin(incoming))
    this.#timer?.cancel()
    if (this.#gathered.length > 0) this.#startTimer()
    const items = new Map<IncomingNotification, NotificationInWork>()
    for (const incoming of batch) {
      const item = this.#run.begin(incoming)
      items.set(incoming, item)
      runObserved(item.dispatch, () => {})
    }
    void this.#handle(items)
  }

  async #handle(items: ReadonlyMap<IncomingNotification, NotificationInWork>): Promise<void> {
    const { attempts, signal } = this.#run
    // A handler is not to run within the driver's input.
    await Promise.resolve()
    await this.#dispatcher.dispatch([...items.keys()], attempts, signal, (incoming, outcome) =>
      this.#conclude(items.get(incoming)!, outcome),
    )
    this.#beginIfDue()
  }

  #conclude(item: NotificationInWork, outcome: NotificationOutcome): void {
    this.#run.end(item, outcome)
    const copies = this.#copies.end(item.incoming)
    this.#gatherAgain(copies.filter((copy) => this.#options.settler.admit(copy)))
  }

  /** What was a copy and is none any more is in the next batch. */
  #gatherAgain(copies: readonly IncomingNotification[]): void {
    if (copies.length === 0) return
    const isFirst = this.#gathered.length === 0
    this.#gathered.unshift(...copies)
    if (isFirst) this.#startTimer()
  }
}

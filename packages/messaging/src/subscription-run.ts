import {
  createDeferred,
  MessagingTimeoutError,
  type Clock,
  type LogDetails,
  type Logger,
  type Timer,
} from '@hermod/kernel'
import type { DriverSubscription } from './driver/driver.ts'

/** What is done with that which a subscription hands over. */
export interface SubscribedWork {
  /** From now on what comes is given back, also what waits. */
  stopTaking(): void
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>
  /** Waits no longer for what runs, and tells it. */
  abandon(): void
  /** What runs, for logs; undefined: nothing. */
  running(): LogDetails | undefined
}

/** What something that is started and stopped is doing. `stopping`: what runs is waited for. */
export type RunState = 'stopped' | 'starting' | 'running' | 'stopping'

/** How it is stopped. */
export interface StopOptions {
  /** How long what runs is waited for, in milliseconds; absent: until it has ended. */
  readonly timeoutMs?: number | undefined
}

/** How it ended. */
export interface RunOutcome {
  /** Why, where it was not stopped here. */
  readonly error?: Error
}

/** After this time of waiting for what runs the log names it. */
const SLOW_STOP_MS = 30_000

/** When what runs is waited for no longer, this is what is left for telling others so. */
const GRACE_MS = 1000

/** One run of a server or a listener, from its start to its end. */
export class SubscriptionRun<Work extends SubscribedWork> {
  readonly work: Work
  readonly #what: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #started = createDeferred<void>()
  readonly #over = createDeferred<RunOutcome>()
  readonly #gaveUp = createDeferred<void>()
  /** Nothing is waited for any longer. */
  readonly #limit: Promise<void>
  readonly #timers = new Set<Timer>()
  readonly #starting = new AbortController()
  #subscription: DriverSubscription | undefined
  #state: RunState = 'starting'
  #isStopWanted = false

  /** @param what named in errors and logs, such as `the server`. */
  constructor(what: string, work: Work, clock: Clock, logger: Logger) {
    this.work = work
    this.#what = what
    this.#clock = clock
    this.#logger = logger
    this.#limit = this.#gaveUp.promise.then(() => this.#grace())
    // Whoever started it may have gone; `over` says it too.
    this.#started.promise.catch(() => {})
  }

  get state(): RunState {
    return this.#state
  }

  /** Whether it is on its way to its end: whoever wants it running starts another run. */
  get isEnding(): boolean {
    return this.#state === 'stopping' || (this.#state === 'starting' && this.#isStopWanted)
  }

  /** Resolves when messages come, rejects when they never will. */
  get started(): Promise<void> {
    return this.#started.promise
  }

  /** Resolves when it has ended; never rejects. */
  get over(): Promise<RunOutcome> {
    return this.#over.promise
  }

  /** @param subscribe heeds the signal: the start that it makes is given up. */
  async begin(subscribe: (signal: AbortSignal) => Promise<DriverSubscription>): Promise<void> {
    try {
      const subscription = await subscribe(this.#starting.signal)
      if (this.#state === 'starting') this.#serve(subscription)
      else await subscription.close()
    } catch (error) {
      this.failToStart(error)
    }
  }

  /** It is given up before it had started; what came of it after all is undone. */
  failToStart(reason: unknown): void {
    if (this.#state !== 'starting') return
    this.work.stopTaking()
    this.#starting.abort(reason)
    this.#started.reject(reason)
    this.#end(reason)
  }

  /** Ends it, in order. @param timeoutMs how long what runs, or a start that is under way, is waited for. */
  stop(timeoutMs: number | undefined): Promise<RunOutcome> {
    if (this.#state === 'stopped') return this.over
    if (timeoutMs !== undefined) this.#after(timeoutMs, () => this.#giveUp(timeoutMs))
    this.#isStopWanted = true
    void this.#finish()
    return this.over
  }

  #serve(subscription: DriverSubscription): void {
    this.#subscription = subscription
    this.#state = 'running'
    this.#started.resolve()
    void subscription.closed.then(({ error }) => this.#finish(error))
    if (this.#isStopWanted) void this.#finish()
  }

  #giveUp(timeoutMs: number): void {
    this.failToStart(new MessagingTimeoutError(`the start of ${this.#what}`, timeoutMs))
    if (this.#state !== 'stopping') return
    const running = this.work.running()
    if (running !== undefined) this.#logger.warn(running, `${this.#what} waits no longer for what runs`)
    this.work.abandon()
    this.#gaveUp.resolve()
  }

  async #finish(error?: Error): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    this.work.stopTaking()
    this.#after(SLOW_STOP_MS, () => {
      this.#logger.warn(this.work.running() ?? {}, `${this.#what} has been stopping for long and waits`)
    })
    await this.#unlessGivenUp(this.#subscription?.stop())
    await this.#unlessGivenUp(this.work.idle())
    await this.#unlessGivenUp(this.#subscription?.close())
    this.#end(error)
  }

  /** Waits for `work`, and once what runs is waited for no longer, within the moment that is left then. */
  async #unlessGivenUp(work: Promise<void> | undefined): Promise<void> {
    await Promise.race([work, this.#limit]).catch((error: unknown) => {
      this.#logger.warn({ error }, `${this.#what} failed to end its subscription`)
    })
  }

  #grace(): Promise<void> {
    return new Promise((resolve) => this.#after(GRACE_MS, resolve))
  }

  #after(delayMs: number, callback: () => void): void {
    this.#timers.add(this.#clock.after(delayMs, callback))
  }

  #end(error: unknown): void {
    for (const timer of this.#timers) timer.cancel()
    this.#state = 'stopped'
    this.#over.resolve(error === undefined ? {} : { error: error as Error })
  }
}

import { createDeferred, withDeadline, type Clock, type DeadlineOptions, type Logger } from '@hermod/kernel'
import type { DriverSubscription } from './driver/driver.ts'
import { SubscriptionRun, type RunOutcome, type RunState, type SubscribedWork } from './subscription-run.ts'

/** What a run begins with. */
export interface RunStart<Work extends SubscribedWork> {
  readonly work: Work
  readonly subscribe: (signal: AbortSignal) => Promise<DriverSubscription>
}

/** Starts and stops a server or a listener as often as wanted, one run at a time. */
export class RestartableRun<Work extends SubscribedWork> {
  readonly #what: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #prepare: () => RunStart<Work>
  #run: SubscriptionRun<Work> | undefined
  /** The end of the run of now, or of the first. */
  #closed = createDeferred<RunOutcome>()

  /** @param what named in errors and logs, such as `the server`. @param prepare makes what one run works with. */
  constructor(what: string, clock: Clock, logger: Logger, prepare: () => RunStart<Work>) {
    this.#what = what
    this.#clock = clock
    this.#logger = logger
    this.#prepare = prepare
  }

  get state(): RunState {
    return this.#run?.state ?? 'stopped'
  }

  /** The work of the run of now, or of the last one. */
  get work(): Work | undefined {
    return this.#run?.work
  }

  /** Settles when it has stopped, with the error when the peer ended it or the start failed; never rejects. */
  get closed(): Promise<RunOutcome> {
    return this.#closed.promise
  }

  /**
   * Resolves when messages sent from now on arrive. While it is stopping, it starts when it has stopped; when it runs,
   * nothing is done. A start that is given up (signal, time) is undone, unless somebody else had begun it.
   */
  async start(options: DeadlineOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const startedMs = this.#clock.monotonicMs()
    const { signal, timeoutMs = Infinity } = options
    const operation = `the start of ${this.#what}`
    while (this.#run?.isEnding === true) await withDeadline(this.closed, options, operation, this.#clock)
    const left = { signal, timeoutMs: Math.max(0, timeoutMs - (this.#clock.monotonicMs() - startedMs)) }
    if (this.#run !== undefined && this.state !== 'stopped')
      return withDeadline(this.#run.started, left, operation, this.#clock)
    const run = this.#begin()
    try {
      await withDeadline(run.started, left, operation, this.#clock)
    } catch (error) {
      run.failToStart(error)
      throw error
    }
  }

  /** Ends it in order, and resolves when it has ended; when it does not run, at once. Never rejects. */
  async stop(timeoutMs: number | undefined): Promise<void> {
    await this.#run?.stop(timeoutMs)
  }

  /**
   * Resolves when it has stopped, whoever stops it; before its first start, when that one's run has ended.
   * @throws what ended it, when it was not stopped here.
   */
  async wait(options: DeadlineOptions): Promise<void> {
    const { error } = await withDeadline(this.closed, options, `the end of ${this.#what}`, this.#clock)
    if (error !== undefined) throw error
  }

  #begin(): SubscriptionRun<Work> {
    if (this.#run !== undefined) this.#closed = createDeferred()
    const closed = this.#closed
    const { work, subscribe } = this.#prepare()
    const run = new SubscriptionRun(this.#what, work, this.#clock, this.#logger)
    this.#run = run
    void run.over.then((end) => closed.resolve(end))
    void run.begin(subscribe)
    return run
  }
}

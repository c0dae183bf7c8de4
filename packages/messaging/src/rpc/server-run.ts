import { createDeferred, MessagingTimeoutError, type Clock, type Logger, type Timer } from '@hermod/kernel'
import type { Driver, DriverSubscription, ServedTarget } from '../driver/driver.ts'
import { RemoteException } from './remote-exception.ts'
import type { RequestRunner } from './request-runner.ts'
import type { RpcServerState } from './rpc-server-options.ts'

/** After this time of waiting for methods the log names them. */
const SLOW_STOP_MS = 30_000

/** When the methods are waited for no longer, this is what is left for their callers to be told. */
const GRACE_MS = 1000

/** How a server ended. */
export interface ServerEnd {
  /** Why, where it was not stopped here. */
  readonly error?: Error
}

/** One run of a server, from its start to its end. */
export class ServerRun {
  readonly runner: RequestRunner
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #started = createDeferred<void>()
  readonly #over = createDeferred<ServerEnd>()
  readonly #gaveUp = createDeferred<void>()
  /** Nothing is waited for any longer. */
  readonly #limit: Promise<void>
  readonly #timers = new Set<Timer>()
  #subscription: DriverSubscription | undefined
  #state: RpcServerState = 'starting'
  #isStopWanted = false

  constructor(runner: RequestRunner, clock: Clock, logger: Logger) {
    this.runner = runner
    this.#clock = clock
    this.#logger = logger
    this.#limit = this.#gaveUp.promise.then(() => this.#grace())
    // Whoever started it may have gone; `over` says it too.
    this.#started.promise.catch(() => {})
  }

  get state(): RpcServerState {
    return this.#state
  }

  /** Whether it is on its way to its end: whoever wants a server starts another run. */
  get isEnding(): boolean {
    return this.#state === 'stopping' || (this.#state === 'starting' && this.#isStopWanted)
  }

  /** Resolves when requests come, rejects when they never will. */
  get started(): Promise<void> {
    return this.#started.promise
  }

  /** Resolves when it has ended; never rejects. */
  get over(): Promise<ServerEnd> {
    return this.#over.promise
  }

  async begin(driver: Driver, served: ServedTarget, backlog: number): Promise<void> {
    try {
      const subscription = await driver.serve(served, {
        backlog,
        onRequest: (request) => this.runner.take(request),
      })
      if (this.#state === 'starting') this.#serve(subscription)
      else await subscription.close()
    } catch (error) {
      this.failToStart(error)
    }
  }

  /** It is given up before it had started; what came of it after all is undone. */
  failToStart(reason: unknown): void {
    if (this.#state !== 'starting') return
    this.runner.stopTaking()
    this.#started.reject(reason)
    this.#end(reason)
  }

  /** Ends it, in order. @param timeoutMs how long methods, or a start that is under way, are waited for. */
  stop(timeoutMs: number | undefined): Promise<ServerEnd> {
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
    this.failToStart(new MessagingTimeoutError('the start of the server', timeoutMs))
    if (this.#state !== 'stopping') return
    const { methods } = this.runner
    if (methods.length > 0) this.#logger.warn({ methods }, 'methods still run and are waited for no longer')
    this.runner.abandon(
      new RemoteException('RuntimeError', 'the server was stopped before the method had ended'),
    )
    this.#gaveUp.resolve()
  }

  async #finish(error?: Error): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    this.runner.stopTaking()
    this.#after(SLOW_STOP_MS, () => this.#sayWhatRuns())
    await this.#unlessGivenUp(this.#subscription?.stop())
    await this.#unlessGivenUp(this.runner.idle())
    await this.#unlessGivenUp(this.#subscription?.close())
    this.#end(error)
  }

  /** Waits for `work`, and when methods are waited for no longer, within the moment that is left then. */
  async #unlessGivenUp(work: Promise<void> | undefined): Promise<void> {
    await Promise.race([work, this.#limit]).catch((error: unknown) => {
      this.#logger.warn({ error }, 'stopping to take requests failed')
    })
  }

  #grace(): Promise<void> {
    return new Promise((resolve) => this.#after(GRACE_MS, resolve))
  }

  #sayWhatRuns(): void {
    const { methods, replying } = this.runner
    this.#logger.warn({ methods, replying }, 'the server has been stopping for long and waits')
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

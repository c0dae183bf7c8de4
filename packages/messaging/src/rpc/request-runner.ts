import {
  createDeferred,
  EncodeError,
  ValidationError,
  type Clock,
  type Deferred,
  type Failure,
  type LogDetails,
  type Logger,
} from '@hermod/kernel'
import { isObserved, MESSAGING_DIAGNOSTICS, runDispatch, type DispatchDiagnostics } from '../diagnostics.ts'
import type { IncomingRequest, Reply } from '../driver/driver.ts'
import type { SubscribedWork } from '../subscription-run.ts'
import { CallMonitor, isMonitorable } from './call-monitor.ts'
import { DispatchRefusal } from './dispatch-refusal.ts'
import type { Dispatcher, Route } from './dispatcher.ts'
import { failureOfError } from './failure-of-error.ts'
import { LazyAbort } from './lazy-abort.ts'
import { RemoteException } from './remote-exception.ts'
import type { ServerCounters } from './server-counters.ts'

/**
 * How many replies may be on their way before requests wait for them. A reply does not hold the slot of its method, for
 * one whose caller is gone is tried for as long as the driver thinks right; but it is not to pile up either.
 */
const MOST_REPLIES = 1024

/** How requests are run. */
export interface RequestRunnerOptions {
  readonly dispatcher: Dispatcher
  readonly concurrency: number
  readonly acknowledge: 'before' | 'after'
  readonly errorModule: string
  /** The name of the driver. */
  readonly driver: string
  readonly topic: string
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: ServerCounters
}

/** A request whose method runs. */
interface Work {
  readonly request: IncomingRequest
  readonly abort: LazyAbort
  readonly dispatch: DispatchDiagnostics | undefined
}

/** How a method ended. */
interface Outcome {
  readonly reply: Reply
  readonly counts: 'done' | 'failed' | DispatchRefusal['reason']
  readonly error?: unknown
}

/** Runs the methods of requests, a few at a time, and sends their replies. */
export class RequestRunner implements SubscribedWork {
  readonly #options: RequestRunnerOptions
  readonly #counters: ServerCounters
  readonly #waiting: IncomingRequest[] = []
  readonly #running = new Set<Work>()
  /** Those whose method is to run in the next turn. */
  readonly #beginning: Work[] = []
  #replying = 0
  #isTaking = true
  #isFilling = false
  #idle: Deferred<void> | undefined

  constructor(options: RequestRunnerOptions) {
    this.#options = options
    this.#counters = options.counters
  }

  get runningCount(): number {
    return this.#running.size
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get replying(): number {
    return this.#replying
  }

  running(): LogDetails | undefined {
    if (this.#running.size + this.#replying === 0) return undefined
    return {
      methods: [...this.#running].map(({ request }) => nameOf(request) ?? ''),
      replying: this.#replying,
    }
  }

  /** A request came. */
  take(request: IncomingRequest): void {
    this.#counters.received++
    if (!this.#isTaking) {
      this.#release(request)
      return
    }
    this.#waiting.push(request)
    this.#fill()
  }

  /** From now on requests are given back, also those that wait. */
  stopTaking(): void {
    this.#isTaking = false
    // The newest first, so that whoever puts them back keeps their order.
    for (const request of this.#waiting.splice(0).toReversed()) this.#release(request)
  }

  /** Resolves when no method runs and every reply is gone. */
  async idle(): Promise<void> {
    if (this.#running.size + this.#replying === 0) return
    await (this.#idle ??= createDeferred()).promise
  }

  /**
   * Waits for the running methods no longer: they are told through the signal of their call. Their callers get the
   * reason as a failure, unless the request goes back and is run again.
   */
  abandon(): void {
    const reason = new RemoteException('RuntimeError', 'the server was stopped before the method had ended')
    for (const work of Array.from(this.#running)) {
      this.#running.delete(work)
      this.#counters.aborted++
      work.abort.abort(reason)
      if (this.#options.acknowledge === 'after') this.#release(work.request)
      else void this.#send(work, { reply: this.#failed(reason), counts: 'failed', error: reason })
    }
    this.#tellIdle()
  }

  /** Begins with what waits. Accepting may hand over more within the call, which is why it does not begin twice. */
  #fill(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    const { concurrency, acknowledge } = this.#options
    while (this.#isTaking && this.#running.size < concurrency && this.#replying < MOST_REPLIES) {
      const request = this.#waiting.shift()
      if (request === undefined) break
      if (acknowledge === 'after' || this.#accept(request)) this.#begin(request)
    }
    this.#isFilling = false
  }

  #begin(request: IncomingRequest): void {
    const work = { request, abort: new LazyAbort(), dispatch: this.#describe(request) }
    this.#running.add(work)
    // What tells the peer that a request was accepted leaves at the end of this turn. A method that takes the process
    // with it before that would be handed to the next server, and end that one too.
    if (this.#beginning.push(work) === 1) setImmediate(() => this.#runAll())
  }

  #runAll(): void {
    for (const work of this.#beginning.splice(0)) {
      // It may have been abandoned meanwhile.
      if (!this.#running.has(work)) continue
      if (work.dispatch === undefined) void this.#work(work)
      else void runDispatch(work.dispatch, () => this.#work(work))
    }
  }

  async #work(work: Work): Promise<void> {
    const outcome = await this.#perform(work)
    if (!this.#running.delete(work)) {
      this.#counters.lateReplies++
      return
    }
    this.#counters[outcome.counts]++
    if (this.#options.acknowledge === 'after') this.#accept(work.request)
    const sent = this.#send(work, outcome)
    this.#fill()
    await sent
  }

  async #perform({ request, abort }: Work): Promise<Outcome> {
    const { dispatcher } = this.#options
    let route: Route | undefined
    let monitor: CallMonitor | undefined
    try {
      route = dispatcher.route(request.message)
      monitor = this.#monitor(request)
      const result = await dispatcher.run(route, request, abort)
      return { reply: { result }, counts: 'done' }
    } catch (error) {
      const reply = this.#failed(error)
      if (!abort.aborted) this.#log(request, route, error, reply.failure)
      return { reply, counts: error instanceof DispatchRefusal ? error.reason : 'failed', error }
    } finally {
      monitor?.stop()
    }
  }

  #monitor(request: IncomingRequest): CallMonitor | undefined {
    const { monitorTimeoutMs } = request
    if (monitorTimeoutMs === undefined || !request.expectsReply) return undefined
    if (isMonitorable(monitorTimeoutMs))
      return new CallMonitor(request, monitorTimeoutMs, this.#options.clock)
    const problem = 'a caller wants signs of life more often than they are given, so it gets none'
    this.#options.logger.warn({ method: nameOf(request), monitorTimeoutMs }, problem)
    return undefined
  }

  /** Never rejects. */
  async #send({ request, dispatch }: Work, outcome: Outcome): Promise<void> {
    this.#replying++
    let { error } = outcome
    try {
      if (request.expectsReply) await request.reply(outcome.reply)
    } catch (problem) {
      error = problem
      await this.#sendInstead(request, problem)
    }
    this.#replying--
    if (dispatch !== undefined) publishEnd(dispatch, error)
    this.#fill()
    this.#tellIdle()
  }

  /** Python's server only logs what it cannot write, and lets the caller wait. */
  async #sendInstead(request: IncomingRequest, problem: unknown): Promise<void> {
    const { logger } = this.#options
    if (!(problem instanceof EncodeError)) {
      logger.error({ method: nameOf(request), error: problem }, 'a reply could not be sent')
      return
    }
    this.#counters.unwritableResults++
    const text = `the result of '${nameOf(request)}' cannot be sent: ${problem.message}`
    logger.error({ error: problem }, text)
    await request.reply(this.#failed(new RemoteException('TypeError', text))).catch((error: unknown) => {
      logger.error({ method: nameOf(request), error }, 'a failure could not be sent')
    })
  }

  #failed(error: unknown): Reply & { readonly failure: Failure } {
    return { failure: failureOfError(error, this.#options.errorModule) }
  }

  #log(request: IncomingRequest, route: Route | undefined, error: unknown, failure: Failure): void {
    const { logger, dispatcher } = this.#options
    const method = nameOf(request)
    if (error instanceof DispatchRefusal) {
      const level = method?.endsWith('_ignore_errors') === true ? 'debug' : 'warn'
      logger[level]({ method }, `a request was refused: ${failure.message}`)
    } else if (route !== undefined && dispatcher.expects(route, error, failure)) {
      logger.debug({ method, class: failure.class }, 'a method failed as its interface says')
    } else if (error instanceof ValidationError) {
      // Of the paths only: the words of some schema libraries quote the values.
      logger.warn({ method, paths: error.paths }, 'what a method got does not fit its schema')
    } else {
      logger.error({ method, traceback: failure.tb.join('') }, 'a method failed')
    }
  }

  #accept(request: IncomingRequest): boolean {
    const answer = request.accept()
    if (answer === 'accepted') return true
    this.#counters[answer === 'duplicate' ? 'duplicates' : 'lost']++
    return false
  }

  #release(request: IncomingRequest): void {
    this.#counters.released++
    request.release()
  }

  #tellIdle(): void {
    if (this.#running.size + this.#replying > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  #describe(request: IncomingRequest): DispatchDiagnostics | undefined {
    if (!isObserved(MESSAGING_DIAGNOSTICS.dispatch)) return undefined
    return {
      kind: request.expectsReply ? 'call' : 'cast',
      driver: this.#options.driver,
      topic: this.#options.topic,
      method: nameOf(request),
      eventType: undefined,
      priority: undefined,
      headers: request.headers,
    }
  }
}

function publishEnd(dispatch: DispatchDiagnostics, error: unknown): void {
  const { end, error: failed } = MESSAGING_DIAGNOSTICS.dispatch
  if (error === undefined) {
    end.publish(dispatch)
  } else {
    dispatch.error = error
    failed.publish(dispatch)
  }
}

function nameOf({ message }: IncomingRequest): string | undefined {
  return typeof message['method'] === 'string' ? message['method'] : undefined
}

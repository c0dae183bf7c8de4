import { addAbortListener } from 'node:events'
import {
  Backoff,
  createDeferred,
  ChannelError,
  isHermodError,
  sleep,
  systemClock,
  type Clock,
  type HermodError,
  type Timer,
} from '@hermod/kernel'
import { Connection } from '../client/connection.ts'
import type { ConnectionStatus } from '../client/connection-events.ts'
import type { ConnectionOptions, ConnectionTarget } from '../client/connection-options.ts'
import { isHardError } from '../client/hard-error.ts'
import type { Message } from '../client/message.ts'
import { Consumer } from './consumer.ts'
import { settleIfOpen } from './held-message.ts'
import type { Producer } from './producer.ts'
import type { RunEnd, RunnerConsumer, RunnerContext, RunnerOptions, RunOptions } from './runner-options.ts'
import { RunnerProducer } from './runner-producer.ts'

const RESOURCE_LOCKED = 405
/** A fault of the broker, which may pass, or a kind of queue that it does not have any more. */
const INTERNAL_ERROR = 541
const MOST_INTERNAL_ERRORS = 3
const DRAIN_MS = 30_000
const ITERATION_MS = 1_000

/** One run of a Runner, from connecting to the end. */
export class RunnerSession {
  readonly #target: ConnectionTarget
  readonly #options: RunnerOptions
  readonly #runOptions: RunOptions
  readonly #clock: Clock
  readonly #maxRetries: number
  readonly #producer: RunnerProducer
  readonly #ending = createDeferred<RunEnd['reason']>()
  /** Aborted with the end: whatever the start waits for is given up. */
  readonly #over = new AbortController()
  #context: RunnerContext | undefined
  #consuming = false
  #received = 0
  #lastReceivedMs = 0
  #tick: Timer | undefined
  #idle: Timer | undefined

  constructor(target: ConnectionTarget, options: RunnerOptions, runOptions: RunOptions) {
    this.#target = target
    this.#options = options
    this.#runOptions = runOptions
    this.#clock = options.connection?.clock ?? systemClock
    this.#maxRetries = options.connectMaxRetries ?? Infinity
    this.#producer = new RunnerProducer(
      target,
      this.#connectionOptions((error, delayMs) => this.#tellError(error, delayMs)),
      options.producer ?? {},
    )
    this.#ending.promise.catch(() => {})
  }

  get context(): RunnerContext | undefined {
    return this.#context
  }

  producer(): Promise<Producer> {
    return this.#producer.get()
  }

  /** Ends the run in order. */
  stop(reason: RunEnd['reason']): void {
    this.#ending.resolve(reason)
    this.#over.abort()
  }

  #fail(error: unknown): void {
    this.#ending.reject(error)
    this.#over.abort()
  }

  async run(): Promise<RunEnd> {
    const { signal } = this.#runOptions
    if (signal?.aborted === true) return { reason: 'aborted', received: 0, drained: true }
    using _ = signal === undefined ? undefined : addAbortListener(signal, () => this.stop('aborted'))
    let connection: Connection | undefined
    let drained = true
    try {
      connection = await this.#connect()
      if (connection !== undefined) drained = await this.#runOn(connection)
    } finally {
      await this.#producer.close(this.#drainTimeoutMs)
      await connection?.close()
    }
    return { reason: await this.#ending.promise, received: this.#received, drained }
  }

  get #drainTimeoutMs(): number {
    return this.#options.drainTimeoutMs ?? DRAIN_MS
  }

  #connectionOptions(
    onRetry: (error: HermodError, delayMs: number, attempt: number) => void,
  ): ConnectionOptions {
    const { connection = {} } = this.#options
    const onStatus = (status: ConnectionStatus): void => {
      connection.onStatus?.(status)
      if (status.type === 'retry' && !this.#over.signal.aborted)
        onRetry(status.error, status.delayMs, status.attempt)
    }
    return { ...connection, connectRetries: this.#maxRetries, onStatus }
  }

  /** @returns undefined when the run ended meanwhile. */
  async #connect(): Promise<Connection | undefined> {
    const options = this.#connectionOptions((error, delayMs, attempt) => {
      const last = attempt > this.#maxRetries
      this.#tellError(error, last ? undefined : delayMs)
      if (last) this.#fail(error)
    })
    try {
      return await Connection.connect(this.#target, { ...options, signal: this.#over.signal })
    } catch (error) {
      if (this.#over.signal.aborted) return undefined
      if (isHermodError(error)) this.#tellError(error, undefined)
      throw error
    }
  }

  /** @returns whether everything was done in time. */
  async #runOn(connection: Connection): Promise<boolean> {
    const consumers: Consumer[] = []
    const context: RunnerContext = { connection, consumers }
    this.#context = context
    void this.#watch(connection)
    connection.on('restored', () => {
      this.#tell(() => this.#options.onConnectionRevived?.(context))
      if (this.#consuming) this.#tell(() => this.#options.onConsumeReady?.(context))
    })
    // The broker has been changed meanwhile; without what it refuses so, messages could stay away and nobody knew why.
    connection.on('topology-error', ({ error }) => {
      if (!isHardError(error)) return
      this.#tellError(error, undefined)
      this.#fail(error)
    })
    let extra: AsyncDisposable | Disposable | undefined | void
    let drained = true
    try {
      await this.#options.onConnectionRevived?.(context)
      const { consumers: given } = this.#options
      const specs = typeof given === 'function' ? await given(context) : given
      consumers.push(...specs.map((spec) => this.#makeConsumer(connection, spec)))
      extra = await this.#options.extraContext?.(context)
      if (await this.#startConsumers(consumers)) {
        this.#consuming = true
        this.#armIdle()
        this.#armTick()
        this.#tell(() => this.#options.onConsumeReady?.(context))
        await this.#ending.promise
      }
    } finally {
      this.#tick?.cancel()
      this.#idle?.cancel()
      drained = await this.#drain(consumers)
      await dispose(extra)
      await this.#options.onConsumeEnd?.(context)
    }
    return drained
  }

  async #watch(connection: Connection): Promise<void> {
    const { error } = await connection.closed
    if (error === undefined) this.stop('stopped')
    else this.#fail(error)
  }

  #makeConsumer(connection: Connection, spec: RunnerConsumer): Consumer {
    const { queues, handler, onMessage, onDecodeError = this.#options.onDecodeError, ...options } = spec
    const counted = <Args extends readonly unknown[]>(
      handle: ((...args: Args) => unknown) | undefined,
      messageOf: (args: Args) => Message,
    ): ((...args: Args) => unknown) | undefined =>
      handle === undefined
        ? undefined
        : (...args) => (this.#takes(messageOf(args)) ? handle(...args) : undefined)
    const consumer = new Consumer(
      connection,
      queues,
      counted(handler, ([, message]) => message),
      { ...options, onDecodeError, onMessage: counted(onMessage, ([message]) => message) },
    )
    consumer.on('subscription-ended', ({ error }) => this.#fail(error))
    return consumer
  }

  /** Counts a message; one beyond the limit goes back to its queue. */
  #takes(message: Message): boolean {
    const { limit = Infinity } = this.#runOptions
    if (this.#received >= limit && message.state === 'received') {
      settleIfOpen(message, 'requeue')
      return false
    }
    this.#received++
    this.#lastReceivedMs = this.#clock.monotonicMs()
    if (this.#received >= limit) this.stop('limit')
    return true
  }

  /**
   * Tries until every queue is consumed, or until what is wrong cannot pass.
   * @returns false when the run ended meanwhile.
   */
  async #startConsumers(consumers: readonly Consumer[]): Promise<boolean> {
    const { signal } = this.#over
    const { reconnect } = this.#options.connection ?? {}
    const backoff = new Backoff(reconnect === false ? {} : reconnect)
    while (!signal.aborted) {
      try {
        for (const consumer of consumers) await consumer.start({ signal })
        return true
      } catch (error) {
        if (signal.aborted) break
        if (
          !isHermodError(error) ||
          !mayPass(error, backoff.attempts) ||
          backoff.attempts >= this.#maxRetries
        )
          throw error
        const delayMs = backoff.nextMs()
        this.#tellError(error, delayMs)
        await sleep(delayMs, { signal }, this.#clock).catch(() => {})
      }
    }
    return false
  }

  async #drain(consumers: readonly Consumer[]): Promise<boolean> {
    const timeoutMs = this.#drainTimeoutMs
    const results = await Promise.allSettled(consumers.map((consumer) => consumer.drain({ timeoutMs })))
    await Promise.allSettled(consumers.map((consumer) => consumer.close()))
    return results.every(({ status }) => status === 'fulfilled')
  }

  #armTick(): void {
    const { onIteration, iterationMs = ITERATION_MS } = this.#options
    if (onIteration === undefined) return
    this.#tick = this.#clock.after(
      iterationMs,
      () => {
        this.#tell(async () => {
          await onIteration()
          if (!this.#over.signal.aborted) this.#armTick()
        })
      },
      { background: true },
    )
  }

  #armIdle(): void {
    const { idleTimeoutMs = Infinity } = this.#runOptions
    if (idleTimeoutMs === Infinity) return
    this.#lastReceivedMs = this.#clock.monotonicMs()
    const look = (afterMs: number): void => {
      this.#idle = this.#clock.after(afterMs, () => {
        const idleMs = this.#clock.monotonicMs() - this.#lastReceivedMs
        const busy = this.#context?.consumers.some((consumer) => consumer.stats().running > 0) === true
        if (idleMs >= idleTimeoutMs && !busy) this.stop('idle')
        else look(busy ? idleTimeoutMs : idleTimeoutMs - idleMs)
      })
    }
    look(idleTimeoutMs)
  }

  #tellError(error: HermodError, nextDelayMs: number | undefined): void {
    this.#tell(() => this.#options.onConnectionError?.(error, nextDelayMs))
  }

  /** Calls a hook; its failure ends the run. */
  #tell(hook: () => unknown): void {
    const called = async (): Promise<void> => {
      await hook()
    }
    called().catch((error: unknown) => this.#fail(error))
  }
}

/**
 * What another attempt may mend: a connection that breaks meanwhile, and an exclusive queue of a dead connection. A
 * broker that closes the connection over what it was told would do so again.
 */
function mayPass(error: HermodError, attempts: number): boolean {
  const { replyCode } = error.details
  if (replyCode === INTERNAL_ERROR) return attempts < MOST_INTERNAL_ERRORS - 1
  if (isHardError(error)) return false
  return error.retryable || (error instanceof ChannelError && error.replyCode === RESOURCE_LOCKED)
}

async function dispose(extra: AsyncDisposable | Disposable | undefined | void): Promise<void> {
  if (typeof extra !== 'object') return
  if (Symbol.asyncDispose in extra) await extra[Symbol.asyncDispose]()
  else extra[Symbol.dispose]()
}

import { ConfigurationError } from '@hermod/kernel'
import type { ConnectionTarget } from '../client/connection-options.ts'
import type { Producer } from './producer.ts'
import type { RunEnd, RunnerContext, RunnerOptions, RunOptions } from './runner-options.ts'
import { RunnerSession } from './runner-session.ts'

/**
 * A program that consumes: what kombu's ConsumerMixin and ConsumerProducerMixin are. It connects, also when the broker
 * is not there yet, declares and consumes, comes back after every break, and ends in order.
 *
 * Breaks are repaired by its connection, with growing, jittered waits; the hooks say what happens. What cannot pass
 * by itself (a refused password, a queue that exists with other properties, a permission) ends the run with its error.
 *
 * @example
 * const runner = new Runner('amqp://guest:guest@localhost/', {
 *   consumers: [{ queues: [tasks], handler: (body, message) => work(body).then(() => message.ack()) }],
 *   onConnectionError: (error, nextDelayMs) => console.error(error.message, nextDelayMs),
 * })
 * process.once('SIGTERM', () => void runner.stop())
 * await runner.run()
 */
export class Runner {
  readonly #target: ConnectionTarget
  readonly #options: RunnerOptions
  #session: RunnerSession | undefined
  #running: Promise<RunEnd> | undefined

  /** @throws {ConfigurationError} E_CONFIG for options that cannot be meant. */
  constructor(target: ConnectionTarget, options: RunnerOptions) {
    const { connectMaxRetries = Infinity, drainTimeoutMs = 0, iterationMs = 1 } = options
    const issues: string[] = []
    if (connectMaxRetries !== Infinity && (!Number.isInteger(connectMaxRetries) || connectMaxRetries < 0))
      issues.push(`connectMaxRetries is ${connectMaxRetries}; it is a whole number from 0 on, or Infinity`)
    if (!(drainTimeoutMs >= 0)) issues.push(`drainTimeoutMs is ${drainTimeoutMs}; it is at least 0`)
    if (!(iterationMs >= 1)) issues.push(`iterationMs is ${iterationMs}; it is at least 1`)
    if (issues.length > 0) throw new ConfigurationError(issues)
    this.#target = target
    this.#options = options
  }

  /** The connection and the consumers of the run of now; undefined while it is not connected for the first time. */
  get context(): RunnerContext | undefined {
    return this.#session?.context
  }

  /**
   * Runs until it is stopped, and resolves when it has ended in order: nothing more is taken, what is being worked on
   * is done and settled (for at most `drainTimeoutMs`), what was published is confirmed, the connections are closed.
   * It may be run again then.
   *
   * @throws {HermodError} what ended it for good; it has ended in the same order.
   */
  async run(options: RunOptions = {}): Promise<RunEnd> {
    if (this.#session !== undefined) throw new ConfigurationError(['the runner is running already'])
    const session = new RunnerSession(this.#target, this.#options, options)
    this.#session = session
    this.#running = session.run()
    try {
      return await this.#running
    } finally {
      this.#session = this.#running = undefined
    }
  }

  /** Ends the run as {@link run} says, and resolves when it has ended, however it did. */
  async stop(): Promise<void> {
    this.#session?.stop('stopped')
    await this.#running?.catch(() => {})
  }

  /**
   * A producer on a connection of its own, so that a broker that blocks publishers does not keep the acks; made when
   * it is first asked for, and closed with the run. It sends again what was not confirmed when the connection broke.
   *
   * @throws {ConfigurationError} E_CONFIG while the runner does not run.
   * @throws {ConnectionError | AuthenticationError | AccessRefusedError} when the connection cannot be made.
   */
  async producer(): Promise<Producer> {
    if (this.#session === undefined)
      throw new ConfigurationError(['the runner is not running, so it has no producer'])
    return this.#session.producer()
  }
}

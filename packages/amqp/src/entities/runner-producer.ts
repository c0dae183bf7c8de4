import { ConnectionClosedError } from '@hermod/kernel'
import { Connection } from '../client/connection.ts'
import type { ConnectionOptions, ConnectionTarget } from '../client/connection-options.ts'
import { Producer } from './producer.ts'
import type { ProducerOptions } from './producer-options.ts'

/**
 * The producer of a run, on a connection of its own: a broker that blocks publishers stops reading their connections,
 * and acks are not to wait for that.
 */
export class RunnerProducer {
  readonly #target: ConnectionTarget
  readonly #connectionOptions: ConnectionOptions
  readonly #options: ProducerOptions
  readonly #closing = new AbortController()
  #made: Promise<Producer> | undefined
  #connection: Connection | undefined

  constructor(target: ConnectionTarget, connectionOptions: ConnectionOptions, options: ProducerOptions) {
    this.#target = target
    this.#connectionOptions = connectionOptions
    this.#options = { resend: true, ...options }
  }

  /** The producer, made when it is first asked for; a new one when its connection has ended for good. */
  get(): Promise<Producer> {
    if (this.#made === undefined || this.#connection?.state === 'closed') {
      this.#made = this.#make()
      this.#made.catch(() => (this.#made = undefined))
    }
    return this.#made
  }

  async #make(): Promise<Producer> {
    const { signal } = this.#closing
    this.#connection = undefined
    const connection = await Connection.connect(this.#target, { ...this.#connectionOptions, signal })
    this.#connection = connection
    return new Producer(connection, this.#options)
  }

  /** Waits for what was published, then closes the connection. Gives up one that is still being made. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#connection === undefined)
      this.#closing.abort(new ConnectionClosedError('the run ended before its producer was connected'))
    const producer = await this.#made?.catch(() => undefined)
    await producer?.close({ timeoutMs })
    await this.#connection?.close()
  }
}

import {
  ConfigurationError,
  ConnectionClosedError,
  createDeferred,
  LimitError,
  MessagingTimeoutError,
  withDeadline,
  type DeadlineOptions,
  type Deferred,
} from '@hermod/kernel'
import { Lease } from './pool-lease.ts'

/** How long {@link Pool.close} waits for leases when it is not told. */
const CLOSE_TIMEOUT_MS = 30_000

/** How many a pool may have. */
export interface PoolLimit {
  /** Resources at the most, whether they are in use or not. Default 10. */
  readonly limit?: number | undefined
}

/** What a {@link Pool} holds. */
export interface PoolOptions<Resource> extends PoolLimit {
  /**
   * Makes one, when it is first needed. What it throws rejects the `acquire` that has waited longest. The signal aborts
   * when the pool is closed: nobody waits for it any more, and what is made all the same is ended.
   */
  readonly create: (options: { readonly signal: AbortSignal }) => Promise<Resource>
  /**
   * Ends one that is not wanted any more. What it throws is ignored. The signal aborts when the time of
   * {@link Pool.close} is over: from then on an orderly end takes too long.
   */
  readonly destroy: (resource: Resource, options: { readonly signal: AbortSignal }) => Promise<unknown>
  /** Whether one can still be used; asked before it is given out and when it comes back. Default: always. */
  readonly isUsable?: ((resource: Resource) => boolean) | undefined
}

/** How {@link Pool.acquire} waits. */
export interface AcquireOptions extends DeadlineOptions {
  /** `false` rejects with {@link LimitError} where it would wait for another to be released. Default true. */
  readonly wait?: boolean | undefined
}

/** How {@link Pool.close} ends. */
export interface PoolCloseOptions extends DeadlineOptions {
  /** Ends what is in use at once, too. Default false. */
  readonly force?: boolean | undefined
}

/** A {@link Pool} at one moment, and what it has done. */
export interface PoolStats {
  readonly limit: number
  /** Made and not ended: those in use, idle, being made and being ended. */
  readonly size: number
  readonly idle: number
  readonly leased: number
  /** Calls of `acquire` that wait. */
  readonly waiting: number
  readonly created: number
  readonly destroyed: number
}

/**
 * A bounded number of resources, made when they are needed and lent to one user at a time. The one that came back last
 * is lent first; who has waited longest is served first.
 *
 * One whose use failed, or that is not usable any more, is ended, and another is made in its place. kombu's pools are
 * found by connection in a registry of the process; here a pool is a value, which its owner passes on and closes.
 *
 * @example
 * const answer = await pool.use((resource) => resource.ask())
 */
export class Pool<Resource> {
  readonly #options: PoolOptions<Resource>
  #limit: number
  /** The last one came back last. */
  readonly #idle: Resource[] = []
  readonly #leases = new Set<Lease<Resource>>()
  readonly #waiting: Deferred<Lease<Resource>>[] = []
  #creating = 0
  #destroying = 0
  #created = 0
  #destroyed = 0
  #closing: Promise<void> | undefined
  readonly #unwanted = new AbortController()
  readonly #hurry = new AbortController()
  #emptied: Deferred<void> | undefined

  /** @throws {ConfigurationError} E_CONFIG for a limit that is no whole number from 1 on. */
  constructor(options: PoolOptions<Resource>) {
    this.#options = options
    this.#limit = checkedLimit(options.limit ?? 10)
  }

  /** How many there may be; see {@link resize}. */
  get limit(): number {
    return this.#limit
  }

  /** The pool now, and what it has done since it was made. */
  stats(): PoolStats {
    return {
      limit: this.#limit,
      size: this.#size,
      idle: this.#idle.length,
      leased: this.#leases.size,
      waiting: this.#waiting.length,
      created: this.#created,
      destroyed: this.#destroyed,
    }
  }

  /**
   * Borrows one; while all are in use it waits. It is to be given back: `await using lease = await pool.acquire()`.
   *
   * @throws {LimitError} E_LIMIT when all are in use and `wait` is false.
   * @throws {MessagingTimeoutError} E_TIMEOUT when none was there in time.
   * @throws {ConnectionClosedError} E_CONN_CLOSED when the pool is closed.
   */
  async acquire(options: AcquireOptions = {}): Promise<Lease<Resource>> {
    options.signal?.throwIfAborted()
    if (this.#closing !== undefined) throw closedError()
    const idle = this.#takeIdle()
    if (idle !== undefined) return this.#lend(idle)
    if (options.wait === false && this.#size >= this.#limit)
      throw new LimitError(`all ${this.#limit} resources of the pool are in use`, { limit: this.#limit })
    const waiter = createDeferred<Lease<Resource>>()
    this.#waiting.push(waiter)
    this.#createForWaiting()
    try {
      return await withDeadline(waiter.promise, options, 'acquire')
    } catch (error) {
      const at = this.#waiting.indexOf(waiter)
      if (at >= 0) this.#waiting.splice(at, 1)
      // It was served in the moment in which it gave up.
      else waiter.promise.then((lease) => lease.release()).catch(() => {})
      throw error instanceof MessagingTimeoutError && options.timeoutMs !== undefined
        ? new MessagingTimeoutError(`acquire from a pool of ${this.#limit}`, options.timeoutMs)
        : error
    }
  }

  /**
   * Borrows one for the time of a call. When the call throws, what it used is ended and not used again.
   * @throws as {@link acquire}, and what `work` throws.
   */
  async use<Result>(
    work: (resource: Resource) => Result | Promise<Result>,
    options: AcquireOptions = {},
  ): Promise<Result> {
    const lease = await this.acquire(options)
    try {
      const result = await work(lease.resource)
      await lease.release()
      return result
    } catch (error) {
      // Its end may take as long as a broker that does not answer; the error need not wait for that.
      void lease.discard()
      throw error
    }
  }

  /**
   * Changes the limit. If there are more, those that are idle end now and those in use when they come back.
   * @throws {ConfigurationError} E_CONFIG for a limit that is no whole number from 1 on.
   */
  async resize(limit: number): Promise<void> {
    this.#limit = checkedLimit(limit)
    const surplus = Math.min(this.#idle.length, Math.max(0, this.#size - this.#limit))
    const ending = this.#idle.splice(0, surplus).map((resource) => this.#destroy(resource))
    this.#createForWaiting()
    await Promise.all(ending)
  }

  /**
   * Ends everything in order: whoever waits is rejected, and what is in use ends when it comes back. When the time
   * (default 30 s) is over or the signal aborts, or at once with `force`, whatever is left ends, and nothing waits for a
   * broker that does not answer. Never rejects; concurrent callers share it.
   */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    await (this.#closing ??= this.#close(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close({ signal, timeoutMs = CLOSE_TIMEOUT_MS, force = false }: PoolCloseOptions): Promise<void> {
    this.#emptied = createDeferred()
    for (const waiter of this.#waiting.splice(0)) waiter.reject(closedError())
    this.#unwanted.abort(closedError())
    for (const resource of this.#idle.splice(0)) void this.#destroy(resource)
    if (!force && this.#size > 0)
      await withDeadline(this.#emptied.promise, { signal, timeoutMs }, 'closing a pool').catch(() => {})
    this.#hurry.abort(closedError())
    for (const lease of this.#leases) void lease.discard()
    if (!this.#isEmpty) await this.#emptied.promise
  }

  /** What is still being made when the time is over ends by itself. */
  get #isEmpty(): boolean {
    return this.#size === (this.#hurry.signal.aborted ? this.#creating : 0)
  }

  get #size(): number {
    return this.#idle.length + this.#leases.size + this.#creating + this.#destroying
  }

  #isUsable(resource: Resource): boolean {
    return this.#options.isUsable?.(resource) ?? true
  }

  #takeIdle(): Resource | undefined {
    for (let resource = this.#idle.pop(); resource !== undefined; resource = this.#idle.pop()) {
      if (this.#isUsable(resource)) return resource
      void this.#destroy(resource)
    }
    return undefined
  }

  #lend(resource: Resource): Lease<Resource> {
    const lease: Lease<Resource> = new Lease(resource, (isGood) => this.#takeBack(lease, isGood))
    this.#leases.add(lease)
    return lease
  }

  async #takeBack(lease: Lease<Resource>, isGood: boolean): Promise<void> {
    const isSurplus = this.#closing !== undefined || this.#size > this.#limit
    this.#leases.delete(lease)
    if (isGood && !isSurplus && this.#isUsable(lease.resource)) this.#offer(lease.resource)
    else await this.#destroy(lease.resource)
  }

  #offer(resource: Resource): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#idle.push(resource)
    else waiter.resolve(this.#lend(resource))
  }

  #createForWaiting(): void {
    while (this.#creating < this.#waiting.length && this.#size < this.#limit) void this.#create()
  }

  async #create(): Promise<void> {
    this.#creating++
    try {
      const resource = await this.#options.create({ signal: this.#unwanted.signal })
      this.#creating--
      this.#created++
      if (this.#closing !== undefined || this.#size >= this.#limit) await this.#destroy(resource)
      else this.#offer(resource)
    } catch (error) {
      this.#creating--
      this.#waiting.shift()?.reject(error)
      this.#changed()
    }
  }

  async #destroy(resource: Resource): Promise<void> {
    this.#destroying++
    try {
      await this.#options.destroy(resource, { signal: this.#hurry.signal })
    } catch {
      // It is gone all the same.
    }
    this.#destroying--
    this.#destroyed++
    this.#changed()
  }

  /** There is room for another one. */
  #changed(): void {
    this.#createForWaiting()
    if (this.#isEmpty) this.#emptied?.resolve()
  }
}

function checkedLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1) return limit
  throw new ConfigurationError([`the limit of a pool is ${limit}; it is a whole number from 1 on`])
}

function closedError(): ConnectionClosedError {
  return new ConnectionClosedError('the pool is closed')
}

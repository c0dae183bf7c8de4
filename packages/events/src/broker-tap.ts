import { Connection, decompressedBody, type Message } from '@hermod/amqp'
import {
  Backoff,
  ConnectionClosedError,
  createDeferred,
  isHermodError,
  sleep,
  type HermodError,
} from '@hermod/kernel'
import { normalizeNotification, type NotificationEvent } from '@hermod/openstack'
import { compilePatterns } from './event-patterns.ts'
import { EventRing } from './event-ring.ts'
import { ExchangeSearch } from './exchange-search.ts'
import type { ResolvedTapOptions } from './tap-options.ts'
import { TapQueue, type SearchResult } from './tap-queue.ts'
import type { TapStats, TapStatus } from './tap-status.ts'
import { TapWatch, type WatchedTap } from './tap-watch.ts'
import type { EventHandler, Tap, TapEnd } from './tap.ts'

/** How many messages the average weight remembers, more or less. */
const LATEST = 32

interface Received {
  readonly message: Message
  readonly queue: string
  readonly receivedAt: Date
  readonly bytes: number
}

/** A queue that lived this long is no sign of a broker that takes them away. */
const STEADY_MS = 10_000

/** The tap on a broker behind `openTap`. */
export class BrokerTap implements Tap {
  readonly #options: ResolvedTapOptions
  readonly #connection: Connection
  readonly #ring: EventRing<Received>
  readonly #closed = createDeferred<TapEnd>()
  readonly #closing = new AbortController()
  readonly #statusListeners = new Set<(status: TapStatus) => void>()
  readonly #handlers = new Set<{
    readonly matches: (type: string) => boolean
    readonly handler: EventHandler
  }>()
  readonly #watch: TapWatch
  #queue: TapQueue | undefined
  #search: ExchangeSearch | undefined
  #pumping = false
  #reader: 'none' | 'iterator' | 'handlers' = 'none'
  #received = 0
  /** Moves with each message by a share of the difference, so that it follows what comes now. */
  #averageBytes = 0
  #lastReceivedAt: Date | undefined
  #delivered = 0
  #unreadable = 0
  #gaps = 0
  #full = false

  private constructor(options: ResolvedTapOptions, connection: Connection) {
    this.#options = options
    this.#connection = connection
    this.#ring = new EventRing(options.ringCapacity, options.ringCapacityBytes)
    this.#watch = new TapWatch(this.#watched(), options, options.clock)
  }

  static async open(options: ResolvedTapOptions): Promise<BrokerTap> {
    const { servers, name, connectTimeoutMs, heartbeatMs, logger, clock, dial, signal } = options
    const connection = await Connection.connect(servers, {
      name,
      connectTimeoutMs,
      heartbeatMs,
      logger,
      clock,
      dial,
      signal,
    })
    const tap = new BrokerTap(options, connection)
    try {
      const search = await tap.#openQueue([])
      signal?.throwIfAborted()
      // Whoever opens the tap cannot listen before it is open.
      setImmediate(() => tap.#tellRefused(search))
    } catch (error) {
      tap.#watch.stop()
      await connection.close()
      throw error
    }
    connection.on('lost', ({ error, at }) => tap.#tell({ type: 'disconnected', at, error }))
    connection.on('retry', ({ attempt, delayMs, error }) =>
      tap.#tell({
        type: 'reconnecting',
        at: tap.#now(),
        attempt,
        delayMs,
        error: attempt === 1 ? undefined : error,
      }),
    )
    void tap.#keep()
    return tap
  }

  get closed(): Promise<TapEnd> {
    return this.#closed.promise
  }

  onStatus(listener: (status: TapStatus) => void): () => void {
    this.#statusListeners.add(listener)
    return () => void this.#statusListeners.delete(listener)
  }

  on(pattern: string, handler: EventHandler): () => void {
    const entry = { matches: compilePatterns([pattern]), handler }
    this.#claim('handlers')
    const remove = (): void => void this.#handlers.delete(entry)
    this.#handlers.add(entry)
    if (this.#pumping) return remove
    this.#pumping = true
    void this.#pump()
    return remove
  }

  stats(): TapStats {
    return {
      received: this.#received,
      delivered: this.#delivered,
      ringDropped: this.#ring.dropped,
      unreadable: this.#unreadable,
      gaps: this.#gaps,
      brokerMayHaveDropped: this.#full,
      bindings: (this.#queue?.bound ?? []).map((exchange) => ({ exchange, topics: this.#options.topics })),
      missingExchanges: this.#queue?.missing ?? [],
      server: this.#connection.server.address,
      queue: this.#queue?.name ?? '',
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new ConnectionClosedError('the tap is closed'))
    await this.#connection.close()
    this.#finish(undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<NotificationEvent> {
    this.#claim('iterator')
    return {
      next: async () => {
        const event = await this.#next()
        return event === undefined ? { done: true, value: undefined } : { done: false, value: event }
      },
      return: async () => {
        await this.close()
        return { done: true, value: undefined }
      },
    }
  }

  #claim(reader: 'iterator' | 'handlers'): void {
    if (this.#reader !== 'none' && (this.#reader === 'iterator' || this.#reader !== reader)) {
      throw new TypeError('a tap has one reader: it is iterated once, or has handlers')
    }
    this.#reader = reader
  }

  async #pump(): Promise<void> {
    for (;;) {
      // Why the tap ended is told by `closed`; anything else is a fault that nobody would see otherwise.
      const event = await this.#next().catch((error: unknown) => {
        if (!isHermodError(error)) throw error
      })
      if (event === undefined) return
      for (const { matches, handler } of this.#handlers) if (matches(event.type)) await handle(handler, event)
    }
  }

  /** The next message that is a notification; undefined when there will be none. */
  async #next(): Promise<NotificationEvent | undefined> {
    for (;;) {
      const received = await this.#ring.take()
      if (received === undefined) return undefined
      try {
        const event = normalize(received)
        this.#delivered++
        return event
      } catch (error) {
        if (!isHermodError(error)) throw error
        const { exchange, routingKey } = received.message
        const total = ++this.#unreadable
        this.#tell({
          type: 'unreadable',
          at: this.#now(),
          exchange,
          routingKey,
          reason: error.message,
          total,
        })
      }
    }
  }

  #receive(message: Message, queue: string): void {
    const { length } = message.body
    this.#received++
    this.#averageBytes += (length - this.#averageBytes) / Math.min(this.#received, LATEST)
    this.#lastReceivedAt = this.#now()
    this.#ring.put({ message, queue, receivedAt: this.#lastReceivedAt, bytes: length })
  }

  /** @param had the exchanges that the queue before was bound to. */
  async #openQueue(had: readonly string[]): Promise<SearchResult> {
    const { clock, searchIntervalMs } = this.#options
    const { queue, search } = await TapQueue.open(this.#connection, this.#options, (message, name) =>
      this.#receive(message, name),
    )
    this.#queue = queue
    const lost = had.filter((exchange) => queue.missing.includes(exchange))
    this.#search = new ExchangeSearch(queue, lost, searchIntervalMs, clock, {
      onFound: (found, unseenFrom) => {
        for (const exchange of found.appeared)
          this.#tell({ type: 'bound', at: this.#now(), exchange, unseenFrom })
        this.#tellRefused(found)
      },
    })
    return search
  }

  /** Makes a new queue whenever the old one is gone, until the tap or the connection ends for good. */
  async #keep(): Promise<void> {
    const { signal } = this.#closing
    const { clock } = this.#options
    const backoff = new Backoff({ initialMs: 200 })
    while (!signal.aborted) {
      const openedMs = clock.monotonicMs()
      const error = await (this.#queue as TapQueue).ended
      const lostAt = this.#now()
      const had = [...(this.#queue?.bound ?? []), ...(this.#search?.lost ?? [])]
      this.#queue = undefined
      this.#search?.stop()
      if (signal.aborted) return
      if (this.#connection.state === 'open' || this.#connection.state === 'blocked') {
        this.#tell({
          type: 'disconnected',
          at: lostAt,
          error: error ?? new ConnectionClosedError('the queue of the tap is gone'),
        })
        // A broker that takes every queue away at once must not be asked for the next one at once.
        if (clock.monotonicMs() - openedMs >= STEADY_MS) backoff.reset()
        else await sleep(backoff.nextMs(), { signal }, clock).catch(() => {})
      }
      const search = await this.#comeBack(had)
      if (search === undefined) return
      this.#tellBack(this.#gapStart(lostAt, error), search)
    }
  }

  /** Tries until there is a queue again; undefined when there will be none. */
  async #comeBack(had: readonly string[]): Promise<SearchResult | undefined> {
    const { clock } = this.#options
    const { signal } = this.#closing
    const backoff = new Backoff({ initialMs: 200 })
    for (;;) {
      try {
        await this.#untilOpen()
        return await this.#openQueue(had)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isHermodError(error)) throw error
        if (this.#connection.state === 'closed' || error.code === 'E_ACCESS') {
          await this.#connection.close()
          this.#finish(error)
          return undefined
        }
        const delayMs = backoff.nextMs()
        if (this.#connection.state === 'open') {
          this.#tell({ type: 'reconnecting', at: this.#now(), attempt: backoff.attempts, delayMs, error })
        }
        await sleep(delayMs, { signal }, clock).catch(() => {})
      }
    }
  }

  /** @throws what ended the connection, when it will not be open again. */
  async #untilOpen(): Promise<void> {
    const usable = (): boolean => this.#connection.state === 'open' || this.#connection.state === 'blocked'
    if (usable()) return
    const open = createDeferred<void>()
    const check = (): void => {
      if (usable()) open.resolve()
    }
    this.#connection.on('state', check)
    try {
      const over = this.#connection.closed.then(({ error }) => {
        throw error ?? new ConnectionClosedError('the connection is closed')
      })
      await Promise.race([open.promise, over])
    } finally {
      this.#connection.off('state', check)
    }
  }

  /**
   * Since when events may be missing: the loss, as it was noticed; with a peer that fell silent, its last word; with a
   * backlog in the broker, which went with the queue, the last message.
   */
  #gapStart(lostAt: Date, error: HermodError | undefined): Date {
    const silentMs = error?.code === 'E_HEARTBEAT' ? Number(error.details['silentMs']) : 0
    const noticed = new Date(lostAt.getTime() - silentMs)
    const behind = this.#watch.behind ? this.#lastReceivedAt : undefined
    return behind !== undefined && behind < noticed ? behind : noticed
  }

  #tellBack(from: Date, search: SearchResult): void {
    const queue = this.#queue as TapQueue
    const at = this.#now()
    this.#gaps++
    this.#tell({
      type: 'connected',
      at,
      server: this.#connection.server.address,
      queue: queue.name,
      bound: queue.bound,
      missing: queue.missing,
    })
    this.#tellRefused(search)
    this.#tell({ type: 'gap', at, from, to: at, lengthMs: at.getTime() - from.getTime() })
  }

  #tellRefused(search: SearchResult): void {
    const [first] = search.refused
    if (first === undefined) return
    const names = search.refused.map(({ exchange }) => `'${exchange}'`).join(', ')
    const what = search.refused.length === 1 ? `exchange ${names} is` : `exchanges ${names} are`
    this.#tell({ type: 'warning', at: this.#now(), message: `${what} not tapped: ${first.error.replyText}` })
  }

  #watched(): WatchedTap {
    return {
      counts: () => ({
        received: this.#received,
        averageBytes: this.#averageBytes,
        dropped: this.#ring.dropped,
      }),
      depth: async () => this.#queue?.depth(),
      onDropped: (dropped, total) => this.#tell({ type: 'ring-dropped', at: this.#now(), dropped, total }),
      onFull: (depth) => {
        this.#full = true
        this.#tell({ type: 'tap-full', at: this.#now(), depth, limit: this.#options.maxLength })
      },
    }
  }

  #finish(error: HermodError | undefined): void {
    this.#search?.stop()
    this.#watch.stop()
    this.#queue = undefined
    this.#ring.end(error)
    this.#closed.resolve(error === undefined ? {} : { error })
  }

  #now(): Date {
    return new Date(this.#options.clock.now())
  }

  #tell(status: TapStatus): void {
    for (const listener of this.#statusListeners) {
      try {
        listener(status)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

/** What a handler throws surfaces as an uncaught exception; whoever survives that still gets the next events. */
async function handle(handler: EventHandler, event: NotificationEvent): Promise<void> {
  try {
    await handler(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function normalize({ message, queue, receivedAt }: Received): NotificationEvent {
  return normalizeNotification({
    body: decompressedBody(message),
    contentType: message.properties.contentType,
    exchange: message.exchange,
    routingKey: message.routingKey,
    queue,
    redelivered: message.redelivered,
    receivedAt,
  })
}

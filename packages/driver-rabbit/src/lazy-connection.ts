import type { Connection, ConnectionStatus } from '@hermod/amqp'
import {
  ConnectionClosedError,
  MessageDeliveryError,
  onAbort,
  withDeadline,
  type Clock,
  type DeadlineOptions,
  type HermodError,
} from '@hermod/kernel'

/** How long somebody waits for a connection. */
export interface ConnectionWait extends DeadlineOptions {
  /** How often connecting is tried again; undefined: for ever. */
  readonly retries?: number | undefined
}

/** How a {@link LazyConnection} connects. */
export interface LazyConnectionOptions {
  /** Tries until it succeeds, the signal aborts or there is no use in it. Every event goes to `onStatus`. */
  readonly connect: (signal: AbortSignal, onStatus: (status: ConnectionStatus) => void) => Promise<Connection>
  readonly onStatus: (status: ConnectionStatus) => void
  /** Called for each connection that was made, before anybody gets it. */
  readonly onConnected: (connection: Connection) => void
  readonly clock: Clock
}

/**
 * A connection that is made when it is first needed. Once there it recovers by itself; one that ended for good, say
 * because of a new password, is replaced at the next need.
 */
export class LazyConnection {
  readonly #options: LazyConnectionOptions
  readonly #onFailedAttempt = new Set<(error: HermodError) => void>()
  #current: Connection | undefined
  #connecting: Promise<Connection> | undefined
  /** How many wait for {@link #connecting}: an attempt that nobody waits for ends. */
  #waiting = 0
  #giveUp = new AbortController()
  #closed: ConnectionClosedError | undefined

  constructor(options: LazyConnectionOptions) {
    this.#options = options
  }

  /** The connection, if there is one, be it away for the moment. */
  get current(): Connection | undefined {
    return this.#current
  }

  /**
   * The connection, once there is one.
   *
   * @throws {MessageDeliveryError} E_DELIVERY when connecting failed once more than `retries`.
   * @throws {AuthenticationError | AccessRefusedError} E_AUTH, E_ACCESS when the broker does not let us in.
   * @throws {MessagingTimeoutError} E_TIMEOUT
   * @throws {ConnectionClosedError} E_CONN_CLOSED after {@link close}.
   */
  async get(wait: ConnectionWait = {}): Promise<Connection> {
    if (this.#current !== undefined) return this.#current
    return this.limited(wait, async (signal) => {
      if (this.#closed !== undefined) throw this.#closed
      const connecting = (this.#connecting ??= this.#connect())
      this.#waiting++
      try {
        const limits = { signal, timeoutMs: wait.timeoutMs }
        return await withDeadline(connecting, limits, 'connecting to the broker', this.#options.clock)
      } finally {
        if (--this.#waiting === 0 && this.#connecting === connecting) this.#abandon()
      }
    })
  }

  /** Resolves once the connection is there and not away. Throws as {@link get}. */
  async ready(wait: ConnectionWait = {}): Promise<void> {
    const connection = await this.get(wait)
    if (connection.state !== 'reconnecting') return
    const { signal: outer, timeoutMs, retries } = wait
    await this.limited({ signal: outer, retries }, (signal) =>
      withDeadline(
        returned(connection),
        { signal, timeoutMs },
        'connecting to the broker',
        this.#options.clock,
      ),
    )
    // One that ended for good has said so, and its successor says why.
    await this.get(wait)
  }

  /**
   * Does something on the connection that waits while it is away, and gives up when connecting has failed once more than
   * `retries`. Without `retries` that costs nothing.
   *
   * @param work gets the signal to heed.
   * @throws {MessageDeliveryError} E_DELIVERY
   */
  async limited<T>(
    { signal, retries }: ConnectionWait,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    if (retries === undefined) return work(signal)
    const giveUp = new AbortController()
    let left = retries
    const onFailed = (cause: HermodError): void => {
      if (left-- === 0) giveUp.abort(unreachable(retries, cause))
    }
    if (signal?.aborted === true) throw signal.reason
    const listening = signal === undefined ? undefined : onAbort(signal, () => giveUp.abort(signal.reason))
    this.#onFailedAttempt.add(onFailed)
    try {
      return await work(giveUp.signal)
    } finally {
      this.#onFailedAttempt.delete(onFailed)
      listening?.[Symbol.dispose]()
    }
  }

  /** Ends it; whoever waits for a connection is told so. The connection itself is handed over to be closed. */
  close(): Connection | undefined {
    this.#closed ??= new ConnectionClosedError('the transport is closed')
    this.#giveUp.abort(this.#closed)
    const current = this.#current
    this.#current = undefined
    return current
  }

  async #connect(): Promise<Connection> {
    const giveUp = (this.#giveUp = new AbortController())
    try {
      const connection = await this.#options.connect(giveUp.signal, (status) => this.#onStatus(status))
      if (giveUp.signal.aborted) {
        await connection.close()
        throw giveUp.signal.reason
      }
      this.#current = connection
      this.#options.onConnected(connection)
      void this.#forgetAtEnd(connection)
      return connection
    } finally {
      // Another one may have begun, when nobody waited for this one any more.
      if (this.#giveUp === giveUp) this.#connecting = undefined
    }
  }

  async #forgetAtEnd(connection: Connection): Promise<void> {
    await connection.closed
    if (this.#current === connection) this.#current = undefined
  }

  #abandon(): void {
    this.#connecting = undefined
    this.#giveUp.abort(new ConnectionClosedError('nobody waits for the connection any more'))
  }

  #onStatus(status: ConnectionStatus): void {
    if (status.type === 'retry')
      for (const onFailed of Array.from(this.#onFailedAttempt)) onFailed(status.error)
    this.#options.onStatus(status)
  }
}

/** Resolves when a connection that is away is back, or ended. */
function returned(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    const listener = (): void => {
      if (connection.state === 'reconnecting') return
      connection.off('state', listener)
      resolve()
    }
    connection.on('state', listener)
  })
}

function unreachable(retries: number, cause: HermodError): MessageDeliveryError {
  const attempts = retries === 0 ? 'the only attempt' : `${retries + 1} attempts`
  return new MessageDeliveryError(`the broker could not be reached in ${attempts}: ${cause.message}`, {
    cause,
  })
}

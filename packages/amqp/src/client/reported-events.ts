import { TypedEvents } from '@hermod/kernel'
import type { ConnectionEvents, ConnectionStatus } from './connection-events.ts'
import { DIAGNOSTICS } from './diagnostics.ts'
import { StatusFeed, type FedStatus } from './status-feed.ts'

/** The events of a connection, in each form in which they can be had. */
export class ReportedEvents extends TypedEvents<ConnectionEvents> {
  readonly #name: string
  readonly #onStatus: (status: ConnectionStatus) => void
  readonly #feed = new StatusFeed()

  constructor(name: string, onStatus: (status: ConnectionStatus) => void) {
    super()
    this.#name = name
    this.#onStatus = onStatus
  }

  /**
   * Every event of the connection from now on, in order, with its name in `type`. It ends with the connection; leaving
   * the loop ends it too. A reader that leaves more than 1000 unread misses the next ones, and is told how many.
   */
  status(): AsyncIterableIterator<FedStatus> {
    return this.#feed.read()
  }

  protected report<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void {
    this.emit(name, event)
    const status = { type: name, ...event } as ConnectionStatus
    this.#feed.put(status)
    if (DIAGNOSTICS.connection.hasSubscribers)
      DIAGNOSTICS.connection.publish({ connection: this.#name, status })
    try {
      this.#onStatus(status)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** Nothing more will be reported. */
  protected reportsEnd(): void {
    this.#feed.end()
  }
}

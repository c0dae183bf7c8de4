import { AsyncQueue } from '@hermod/kernel'
import type { ConnectionStatus } from './connection-events.ts'

/** What a reader that has stopped reading may leave behind; a reader that reads never comes near it. */
const MOST_UNREAD = 1_000

/** A status, and how many before it this reader has missed because it read too slowly. */
export type FedStatus = ConnectionStatus & { readonly missed?: number }

/** Gives every status of a connection to each of its readers, in order. */
export class StatusFeed {
  readonly #readers = new Set<Reader>()
  #ended = false

  /** A reader of its own, from now on; it ends with the connection, or when its loop is left. */
  read(): AsyncIterableIterator<FedStatus> {
    const reader: Reader = { queue: new AsyncQueue(() => this.#readers.delete(reader)), missed: 0 }
    if (this.#ended) reader.queue.end()
    else this.#readers.add(reader)
    return reader.queue
  }

  put(status: ConnectionStatus): void {
    for (const reader of this.#readers) {
      // The last one always comes, so that nobody misses how many he missed.
      if (reader.queue.size >= MOST_UNREAD && !isLast(status)) {
        reader.missed++
      } else if (reader.missed > 0) {
        reader.queue.put({ ...status, missed: reader.missed })
        reader.missed = 0
      } else {
        reader.queue.put(status)
      }
    }
  }

  /** The connection is over. */
  end(): void {
    this.#ended = true
    for (const { queue } of this.#readers) queue.end()
    this.#readers.clear()
  }
}

function isLast(status: ConnectionStatus): boolean {
  return status.type === 'state' && status.state === 'closed'
}

interface Reader {
  readonly queue: AsyncQueue<FedStatus>
  missed: number
}

import type { Writable } from 'node:stream'
import type { NotificationEvent } from '@hermod/openstack'

/** Writes events to a stream, one line each, and never more than the stream has room for. */
export class EventOutput {
  readonly #stream: Writable
  readonly #line: (event: NotificationEvent) => string
  #shown = 0

  /** @param line the text of an event, with its line end. */
  constructor(stream: Writable, line: (event: NotificationEvent) => string) {
    this.#stream = stream
    this.#line = line
  }

  /** How many events were written. */
  get shown(): number {
    return this.#shown
  }

  /** Writes one event. A promise means: the stream is full, write no more until it resolves. */
  write(event: NotificationEvent): Promise<void> | undefined {
    const hasRoom = this.#stream.write(this.#line(event))
    this.#shown++
    return hasRoom ? undefined : new Promise((resolve) => this.#stream.once('drain', resolve))
  }

  /** Resolves when all that was written has left this process, or cannot leave it any more. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#stream.write('', () => resolve()))
  }
}

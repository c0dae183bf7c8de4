import { sleep, type Clock, type JsonObject } from '@hermod/kernel'
import type { ActivityEvent } from '@hermod/openstack'

/** Where the player puts events; `Notifier.notify` under a publisher's name. */
export type Publish = (event: ActivityEvent, signal: AbortSignal) => Promise<void>

/** When more than this is due at once, the process stood still: what was due meanwhile is left out. */
const LONGEST_BACKLOG_MS = 1000

/** Publishes events at an even pace, one after the other. */
export class ActivityPlayer {
  readonly #events: Iterator<ActivityEvent, unknown>
  readonly #publish: Publish
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #services = new Set<string>()
  #published = 0
  #failures = 0

  constructor(
    events: Iterator<ActivityEvent, unknown>,
    publish: Publish,
    { eventsPerSecond, clock }: { readonly eventsPerSecond: number; readonly clock: Clock },
  ) {
    this.#events = events
    this.#publish = publish
    this.#intervalMs = 1000 / eventsPerSecond
    this.#clock = clock
  }

  /** How many events went out, how many of them told of a failure, and of how many services they were. */
  get counts(): { readonly published: number; readonly failures: number; readonly services: number } {
    return { published: this.#published, failures: this.#failures, services: this.#services.size }
  }

  /** Publishes the first event at once, and goes on until `signal` aborts or one cannot be published. */
  async run(signal: AbortSignal): Promise<void> {
    const clock = this.#clock
    let dueMs = clock.monotonicMs()
    while (!signal.aborted) {
      const step = this.#events.next()
      if (step.done === true) return
      await this.#publish(step.value, signal)
      this.#count(step.value)
      dueMs = Math.max(dueMs + this.#intervalMs, clock.monotonicMs() - LONGEST_BACKLOG_MS)
      const leftMs = dueMs - clock.monotonicMs()
      if (leftMs > 0) await sleep(leftMs, { signal }, clock)
    }
  }

  #count({ exchange, eventType, priority, payload }: ActivityEvent): void {
    this.#published++
    this.#services.add(exchange)
    const refused = eventType === 'identity.authenticate' && (payload as JsonObject)['outcome'] === 'failure'
    if (priority === 'error' || refused) this.#failures++
  }
}

import type { NotificationEvent } from '@hermod/openstack'

const DEFAULT_CAPACITY = 10_000

/** Remembers when actions started, so that their ends can say how long they took. Bounded: the oldest is forgotten. */
export class StartTimes {
  readonly #starts = new Map<string, number>()
  readonly #capacity: number

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity
  }

  /**
   * Milliseconds since the matching start by the emitter's own clock; undefined for a start itself and where no
   * start was seen. A start matches by service, type without its phase, and resource, else request.
   */
  durationMs(event: NotificationEvent): number | undefined {
    const { phase, time } = event
    if (phase === null) return undefined
    const at = Date.parse(time)
    const keys = keysOf(event)
    if (phase === 'start') {
      for (const key of keys) this.#remember(key, at)
      return undefined
    }
    const key = keys.find((candidate) => this.#starts.has(candidate))
    if (key === undefined) return undefined
    const durationMs = at - (this.#starts.get(key) as number)
    if (phase !== 'progress') for (const done of keys) this.#starts.delete(done)
    return durationMs >= 0 ? durationMs : undefined
  }

  #remember(key: string, at: number): void {
    this.#starts.delete(key)
    this.#starts.set(key, at)
    if (this.#starts.size > this.#capacity) this.#starts.delete(this.#starts.keys().next().value as string)
  }
}

/** A create's start often has no resource id yet, only the request's; hence both. */
function keysOf({ service, type, phase, resource, requestId }: NotificationEvent): string[] {
  const suffix = `.${phase}`
  const action = type.endsWith(suffix) ? type.slice(0, -suffix.length) : type
  return [resource.id, requestId]
    .filter((id) => id !== null)
    .map((id) => JSON.stringify([service, action, id]))
}

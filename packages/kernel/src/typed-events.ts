/** Event names and, for each, the one object that its listeners get. */
export type EventMap = Record<string, object>

/**
 * Events with types. There is no special `error` event: an event nobody listens to is no failure.
 *
 * A listener that throws does not disturb the emitter or other listeners; its error surfaces as an uncaught
 * exception of its own turn, as with EventTarget.
 */
export class TypedEvents<Events extends { [Name in keyof Events]: object }> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()

  /** Calls `listener` at every such event until {@link off}. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): this {
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()))
    listeners.add(listener)
    return this
  }

  /** Stops calling `listener`. */
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): this {
    this.#listeners.get(name)?.delete(listener)
    return this
  }

  /** The number of listeners of an event, so that costly payloads are only made for somebody. */
  listenerCount(name: keyof Events): number {
    return this.#listeners.get(name)?.size ?? 0
  }

  protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return
    for (const listener of Array.from(listeners)) {
      try {
        ;(listener as (event: Events[Name]) => void)(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

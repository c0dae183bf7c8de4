import { createDeferred } from './deferred.ts'

/**
 * The published state of something that is opened and closed: one table of allowed transitions, and a `closed`
 * promise that never rejects.
 */
export class Lifecycle<State extends string, End> {
  readonly #transitions: Readonly<Record<State, readonly State[]>>
  readonly #closed = createDeferred<End>()
  readonly #onChange: (state: State, previous: State) => void
  #state: State

  /**
   * @param initial the first state.
   * @param transitions for each state the states that may follow it.
   * @param onChange called after each change; must not throw.
   */
  constructor(
    initial: State,
    transitions: Readonly<Record<State, readonly State[]>>,
    onChange: (state: State, previous: State) => void = () => {},
  ) {
    this.#state = initial
    this.#transitions = transitions
    this.#onChange = onChange
  }

  /** The state now. */
  get state(): State {
    return this.#state
  }

  /** Resolves once {@link end} was called, with what it was given. */
  get closed(): Promise<End> {
    return this.#closed.promise
  }

  /** Moves on. A transition that the table lacks is a fault of the caller and throws. */
  enter(next: State): void {
    const previous = this.#state
    if (next === previous) return
    if (!this.#transitions[previous].includes(next)) {
      throw new TypeError(`state '${next}' cannot follow '${previous}'`)
    }
    this.#state = next
    this.#onChange(next, previous)
  }

  /** Settles `closed`; later calls change nothing. */
  end(info: End): void {
    this.#closed.resolve(info)
  }
}

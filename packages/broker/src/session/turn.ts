/** What is done once for all that happened in a turn of the event loop. */
export interface TurnTask {
  endOfTurn(): void
}

/**
 * The end of a turn: the one moment at which all connections write what has gathered.
 *
 * It comes after the sockets that were readable have been read, so that what several of them brought leaves in one
 * write, and before any of them is read again.
 */
export class Turn {
  #tasks: TurnTask[] = []
  #scheduled = false
  #framesMs = 0
  #observer: (() => void) | undefined
  readonly #end: () => void

  constructor() {
    this.#end = () => {
      this.#scheduled = false
      const tasks = this.#tasks
      this.#tasks = []
      this.#framesMs = 0
      for (const task of tasks) task.endOfTurn()
      this.#observer?.()
    }
  }

  /** Calls `task` at the end of this turn. Whoever asks twice is called twice. */
  add(task: TurnTask): void {
    this.#tasks.push(task)
    this.#schedule()
  }

  /** How long frames have taken in this turn, as far as that was looked at. */
  get framesMs(): number {
    return this.#framesMs
  }

  /** Frames have taken so much longer. */
  spend(ms: number): void {
    this.#framesMs += ms
  }

  /** Whether something waits for the end of this turn. */
  get isPending(): boolean {
    return this.#scheduled
  }

  /** Who is called at each end of a turn from now on; at most one. */
  observe(observer: (() => void) | undefined): void {
    this.#observer = observer
  }

  /** Something has happened for which there is nothing to be done at the end of the turn: only an observer waits for that. */
  changed(): void {
    if (this.#observer !== undefined) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#end)
  }
}

/** What every server of the bench counts. */
export class NoteCount {
  #noted = 0
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  add(): void {
    this.#noted++
    this.#tell()
  }

  /** Resolves when {@link add} was called so many times in all. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve })
      this.#tell()
    })
  }

  #tell(): void {
    if (this.#waiting.length === 0) return
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.#noted >= count) resolve()
      return this.#noted < count
    })
  }
}

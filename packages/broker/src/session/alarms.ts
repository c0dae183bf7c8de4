/** What the broker can run out of. */
export type AlarmKind = 'memory' | 'disk'

/** Who raises an alarm: an operator or a test for each kind, and the account of memory. */
export type AlarmSource = AlarmKind | 'watermark'

/** Who is told when alarms begin and end. */
export interface AlarmListener {
  alarmChanged(): void
}

/** The alarms of a broker: while one is on, connections that publish are not read from. */
export class Alarms {
  readonly #on = new Set<AlarmSource>()
  readonly #listeners = new Set<AlarmListener>()

  /** Whether one is on. */
  get on(): boolean {
    return this.#on.size > 0
  }

  has(kind: AlarmKind): boolean {
    return this.#on.has(kind) || (kind === 'memory' && this.#on.has('watermark'))
  }

  /** @source rabbit_reader:blocked_by_message */
  get reason(): string {
    return `low on ${(['memory', 'disk'] as const).filter((kind) => this.has(kind)).join(' & ')}`
  }

  set(source: AlarmSource, on: boolean): void {
    if (on === this.#on.has(source)) return
    if (on) this.#on.add(source)
    else this.#on.delete(source)
    for (const listener of this.#listeners) listener.alarmChanged()
  }

  add(listener: AlarmListener): void {
    this.#listeners.add(listener)
  }

  remove(listener: AlarmListener): void {
    this.#listeners.delete(listener)
  }
}

/** A `basic.nack` says that the broker vouches for nothing. */
const MAY_BE_THERE: readonly string[] = ['confirmed', 'E_UNCERTAIN', 'E_NACKED']

/**
 * Numbered messages that are published one after the other, and what became of each of them: its publisher's word for
 * it, and how often it arrived.
 */
export class Lane {
  readonly name: string
  /** Whether an uncertain message is sent again. */
  readonly resend: boolean
  readonly count: number
  /** How many publishes were confirmed. */
  confirmed = 0
  /** The codes of those that were refused or are uncertain, by number. */
  readonly failed: Map<number, string> = new Map()
  /** The highest number that has arrived. */
  highest = -1
  /** How many different numbers have arrived. */
  arrived = 0
  /** Arrivals that the broker did not mark as redelivered. */
  unmarked = 0
  /** Arrivals after the first of the same number, and how many of them the broker marked. */
  repeated = 0
  repeatedMarked = 0
  /** The first of those that came for the first time, but behind a later one. */
  outOfOrder: string | undefined
  readonly #confirmed: Uint8Array
  readonly #arrivals: Uint8Array
  readonly #unmarked: Uint8Array
  #taken = 0

  constructor(name: string, resend: boolean, count: number) {
    this.name = name
    this.resend = resend
    this.count = count
    this.#confirmed = new Uint8Array(count)
    this.#arrivals = new Uint8Array(count)
    this.#unmarked = new Uint8Array(count)
  }

  /** The number of the next message to publish; undefined when all were published. */
  take(): number | undefined {
    return this.#taken < this.count ? this.#taken++ : undefined
  }

  /** How many messages were published so far, whatever became of them. */
  get taken(): number {
    return this.#taken
  }

  wasConfirmed(number: number): void {
    this.#confirmed[number] = 1
    this.confirmed++
  }

  hasArrived(number: number, redelivered: boolean): void {
    if (!(number < this.count)) throw new TypeError(`${this.name} ${number} was never published`)
    if (!redelivered) {
      this.unmarked++
      this.#unmarked[number] = Math.min(255, (this.#unmarked[number] as number) + 1)
    }
    if (this.#arrivals[number] === 0) {
      this.arrived++
      if (number < this.highest)
        this.outOfOrder ??= `${number} behind ${this.highest}${redelivered ? ', redelivered' : ''}`
      this.highest = Math.max(number, this.highest)
    } else {
      this.repeated++
      if (redelivered) this.repeatedMarked++
    }
    this.#arrivals[number] = Math.min(255, (this.#arrivals[number] as number) + 1)
  }

  /** Confirmed, and not here yet. */
  missing(): number[] {
    return this.#numbers((number) => this.#confirmed[number] === 1 && this.#arrivals[number] === 0)
  }

  /** Arrived, although the publisher was told that they do not. */
  refusedAndHere(): number[] {
    return this.#numbers(
      (number) =>
        (this.#arrivals[number] as number) > 0 &&
        !MAY_BE_THERE.includes(this.failed.get(number) ?? 'confirmed'),
    )
  }

  /** Arrived more than once without the broker's mark. */
  unmarkedTwice(): number[] {
    return this.#numbers((number) => (this.#unmarked[number] as number) > 1)
  }

  /** How many failed with each code. */
  failures(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const code of this.failed.values()) counts[code] = (counts[code] ?? 0) + 1
    return counts
  }

  #numbers(of: (number: number) => boolean): number[] {
    return Array.from({ length: this.#taken }, (_, number) => number).filter((number) => of(number))
  }
}

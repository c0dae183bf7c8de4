/** Numbers, names and ids that come again with the same seed. Not for secrets. */
export class SeededRandom {
  #state: number

  /** @param seed a whole number; its lowest 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 up to, but not including, 1. */
  fraction(): number {
    return this.#bits() / 0x1_0000_0000
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  /** One of several. @throws {RangeError} for none. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('there is nothing to pick from')
    return list[this.integer(0, list.length - 1)] as T
  }

  /** One of several, each as likely as its weight is of all weights. */
  pickWeighted<T>(list: readonly T[], weightOf: (item: T) => number): T {
    const weights = list.map(weightOf)
    let left = this.fraction() * weights.reduce((sum, weight) => sum + weight, 0)
    const at = weights.findIndex((weight) => (left -= weight) < 0)
    return list[at < 0 ? weights.findLastIndex((weight) => weight > 0) : at] as T
  }

  /** Hexadecimal digits in lower case. */
  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.#bits().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }

  /** An id in the form of a random UUID (RFC 9562, version 4). */
  uuid(): string {
    const variant = this.pick(['8', '9', 'a', 'b'])
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-${variant}${this.hex(3)}-${this.hex(12)}`
  }

  /** A Weyl sequence, scrambled: every state comes once in 2^32 steps, and neighbours have nothing in common. */
  #bits(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0_aaad)
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a_2d97)
    return (bits ^ (bits >>> 15)) >>> 0
  }
}

import type { Limits } from '../limits.ts'

/** Counts who is there, and says who may come. */
export class Admission {
  readonly #limits: Limits
  readonly #unknownByAddress = new Map<string, number>()
  #unknown = 0
  #connections = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** A socket from this address: whether it may stay. If so it counts as one that nobody knows yet. */
  enter(address: string): boolean {
    const own = this.#unknownByAddress.get(address) ?? 0
    const { maxConnections, maxUnauthenticated, maxUnauthenticatedPerAddress } = this.#limits
    if (this.#connections >= maxConnections) return false
    if (this.#unknown >= maxUnauthenticated || own >= maxUnauthenticatedPerAddress) return false
    this.#connections++
    this.#unknown++
    this.#unknownByAddress.set(address, own + 1)
    return true
  }

  /** It is known now. */
  known(address: string): void {
    this.#unknown--
    const own = (this.#unknownByAddress.get(address) ?? 1) - 1
    if (own === 0) this.#unknownByAddress.delete(address)
    else this.#unknownByAddress.set(address, own)
  }

  /** It is gone. */
  leave(address: string, wasKnown: boolean): void {
    if (!wasKnown) this.known(address)
    this.#connections--
  }
}

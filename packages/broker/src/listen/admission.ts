import type { Limits } from '../limits.ts'

/** The address of who is in this process: it can be kept from nothing by a limit. */
export const IN_PROCESS = 'in process'

/** Counts who is there, and says who may come. */
export class Admission {
  readonly #limits: Limits
  readonly #refused: (address: string) => void
  readonly #unknownByAddress = new Map<string, number>()
  #unknown = 0
  #connections = 0

  /** @param refused is told the address of everybody who may not come. */
  constructor(limits: Limits, refused: (address: string) => void) {
    this.#limits = limits
    this.#refused = refused
  }

  /** A socket from this address: whether it may stay. If so it counts as one that nobody knows yet. */
  enter(address: string): boolean {
    if (!this.#hasRoom(address)) {
      this.#refused(address)
      return false
    }
    this.#connections++
    this.#unknown++
    this.#unknownByAddress.set(address, (this.#unknownByAddress.get(address) ?? 0) + 1)
    return true
  }

  #hasRoom(address: string): boolean {
    const own = this.#unknownByAddress.get(address) ?? 0
    const { maxConnections, maxUnauthenticated, maxUnauthenticatedPerAddress } = this.#limits
    if (this.#connections >= maxConnections) return false
    if (address === IN_PROCESS) return true
    return this.#unknown < maxUnauthenticated && own < maxUnauthenticatedPerAddress
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

import type { Broker } from '@hermod/broker'

/** A broker as one transport sees it. */
export interface BrokerLease {
  /** Made when it is first asked for. */
  broker(): Promise<Broker>
  /** This transport needs it no more; resolves when it is gone, if nobody else does. */
  release(): Promise<void>
}

/** Makes a broker. */
export type MakeBroker = () => Promise<Broker>

/** Those that have a name: of them there is one for the process, whoever asks for it. */
const named = new Map<string, SharedBroker>()

/** One broker, for as long as somebody holds a lease of it. */
class SharedBroker {
  readonly #make: MakeBroker
  readonly #forget: () => void
  #making: Promise<Broker> | undefined
  #leases = 0

  constructor(make: MakeBroker, forget: () => void) {
    this.#make = make
    this.#forget = forget
  }

  lease(): BrokerLease {
    this.#leases++
    let released: Promise<void> | undefined
    return {
      broker: () => (this.#making ??= this.#make()),
      release: () => (released ??= this.#release()),
    }
  }

  async #release(): Promise<void> {
    if (--this.#leases > 0) return
    this.#forget()
    await (await this.#making)?.close()
  }
}

/**
 * The broker of this name, shared by all who ask for it before the last of them released it; without a name, one that
 * nobody else reaches.
 *
 * @param make makes it where there is none; of several who ask, the first one's counts.
 */
export function leaseBroker(name: string, make: MakeBroker): BrokerLease {
  if (name === '') return new SharedBroker(make, () => {}).lease()
  let shared = named.get(name)
  if (shared === undefined) {
    shared = new SharedBroker(make, () => named.delete(name))
    named.set(name, shared)
  }
  return shared.lease()
}

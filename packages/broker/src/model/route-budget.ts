/** Who remembers routes. */
export interface RouteHolder {
  forgetRoutes(): void
}

/** A route to every queue of many may be remembered under thousands of keys: so much is enough. */
const MOST_BYTES = 8_388_608

/** An estimate: key and entry. */
const ROUTE_BYTES = 128
const SLOT_BYTES = 8

/** What the routes cost that all exchanges of a virtual host remember. When it is too much they forget them all. */
export class RouteBudget {
  readonly #holders = new Set<RouteHolder>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a route to so many queues into account; returns what it costs. */
  add(holder: RouteHolder, key: string, queues: number): number {
    const bytes = ROUTE_BYTES + key.length + queues * SLOT_BYTES
    if (this.#bytes + bytes > MOST_BYTES) for (const other of this.#holders) other.forgetRoutes()
    this.#holders.add(holder)
    this.#bytes += bytes
    return bytes
  }

  /** A holder has forgotten all that it had. */
  remove(holder: RouteHolder, bytes: number): void {
    this.#holders.delete(holder)
    this.#bytes -= bytes
  }
}

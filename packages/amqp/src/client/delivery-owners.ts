interface Run {
  readonly from: number
  readonly owner: object | undefined
}

/**
 * For whom each unsettled delivery of a channel came. Kept as runs of deliveries in a row for the same consumer, so
 * that a channel with one consumer has one of them.
 */
export class DeliveryOwners {
  readonly #runs: Run[] = []
  #latest: object | undefined

  /**
   * @param owner a consumer; undefined for a message that was fetched.
   * @param settledTo every delivery up to this tag is settled.
   */
  delivered(tag: number, owner: object | undefined, settledTo: number): void {
    if (owner === this.#latest) return
    this.#latest = owner
    const runs = this.#runs
    let over = 0
    while (over + 1 < runs.length && (runs[over + 1] as Run).from <= settledTo + 1) over++
    if (over > 0) runs.splice(0, over)
    runs.push({ from: tag, owner })
  }

  /** Those of the tags that came for `owner`. @param tags unsettled ones, in rising order. */
  ownedBy(owner: object, tags: readonly number[]): number[] {
    let at = -1
    return tags.filter((tag) => {
      while (at + 1 < this.#runs.length && (this.#runs[at + 1] as Run).from <= tag) at++
      return this.#runs[at]?.owner === owner
    })
  }
}

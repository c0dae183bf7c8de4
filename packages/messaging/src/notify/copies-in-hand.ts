import type { IncomingNotification } from '../driver/driver.ts'

/**
 * Which notifications somebody has in hand, so that a copy of one (a publisher whose connection broke sends again, under
 * the same id) waits for what becomes of it: where that is acknowledged, the copy is known as one; where it is given back
 * or refused, the copy is handled.
 *
 * Who handles one after the other does not need it.
 */
export class CopiesInHand {
  /** By id and topic: what one publisher sends to two topics is no copy. The copies that wait, in their order. */
  readonly #inHand = new Map<string, IncomingNotification[]>()
  #waiting = 0

  /** How many copies wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Takes it in hand. False: a copy of it is, and it waits for {@link end} of that one. */
  begin(incoming: IncomingNotification): boolean {
    const key = keyOf(incoming)
    if (key === undefined) return true
    const copies = this.#inHand.get(key)
    if (copies === undefined) {
      this.#inHand.set(key, [])
      return true
    }
    copies.push(incoming)
    this.#waiting++
    return false
  }

  /** It is settled, or is about to be. @returns the copies that waited for it, for which all begins anew. */
  end(incoming: IncomingNotification): readonly IncomingNotification[] {
    const key = keyOf(incoming)
    const copies = key === undefined ? undefined : this.#inHand.get(key)
    if (key === undefined || copies === undefined) return []
    this.#inHand.delete(key)
    this.#waiting -= copies.length
    return copies
  }

  /** All copies that wait. Those in hand stay there. */
  takeWaiting(): readonly IncomingNotification[] {
    this.#waiting = 0
    return Array.from(this.#inHand.values()).flatMap((copies) => copies.splice(0))
  }
}

function keyOf({ notification: { uniqueId }, topic }: IncomingNotification): string | undefined {
  return uniqueId === null ? undefined : `${uniqueId} ${topic}`
}

import { preconditionFailed } from '../amqp-error.ts'
import type { Message } from '../model/message.ts'
import type { PublishOutcome, Route } from '../model/virtual-host.ts'
import type { Consuming, Settling } from './consuming.ts'
import type { Taken } from './unsettled.ts'

interface Publication {
  readonly message: Message
  readonly route: Route
  readonly mandatory: boolean
}

/**
 * What a transactional channel has published and settled since the last commit. Nothing of it has happened yet:
 * messages are routed and tags are checked when they come, queues learn of them at the commit.
 *
 * @source rabbit_channel: messages first, then acks, each in the order in which they came.
 */
export class Transaction {
  readonly #hold: (bytes: number) => void
  #publications: Publication[] = []
  #settlings: { readonly settling: Settling; readonly taken: Taken }[] = []

  /** @param hold is told of the memory that messages take until the end, and give back. */
  constructor(hold: (bytes: number) => void) {
    this.#hold = hold
  }

  /** How much waits for the commit. */
  get size(): number {
    return this.#publications.length + this.#settlings.length
  }

  /** @throws {AmqpError} 506 where all that is under way takes too much memory. */
  publish(message: Message, route: Route, mandatory: boolean): void {
    this.#hold(message.costBytes)
    this.#publications.push({ message, route, mandatory })
  }

  settle(settling: Settling, taken: Taken): void {
    this.#settlings.push({ settling, taken })
  }

  /**
   * Makes everything happen.
   *
   * @throws {AmqpError} 406 when a queue refused a message; the rest has happened all the same.
   */
  commit(consuming: Consuming, deliver: (publication: Publication) => PublishOutcome): void {
    const publications = this.#publications
    const settlings = this.#settlings
    this.#publications = []
    this.#settlings = []
    let refused = false
    for (const publication of publications) {
      this.#hold(-publication.message.costBytes)
      if (deliver(publication) === 'refused') refused = true
    }
    for (const { settling, taken } of settlings) consuming.apply(settling, taken)
    if (refused) throw preconditionFailed('partial tx completion')
  }

  /** Forgets everything; what was settled is to be unsettled again. */
  rollback(): readonly Taken[] {
    const publications = this.#publications
    const settlings = this.#settlings
    this.#publications = []
    this.#settlings = []
    for (const { message } of publications) this.#hold(-message.costBytes)
    return settlings.map((settling) => settling.taken)
  }
}

import type { Clock } from '@hermod/kernel'
import { deathsIn, goesRound, withDeath } from './death-record.ts'
import { carbonCopyKeys } from './carbon-copies.ts'
import type { LongWork } from './long-work.ts'
import { EVERYTHING, headersOf, scanProperties, shortStringAt, withProperties } from './message-properties.ts'
import type { MessageStorage } from './message-storage.ts'
import type { Message } from './message.ts'
import type { DeathReason, RoutedQueue } from './queue.ts'
import type { QueueSettings } from './queue-arguments.ts'
import { Ring } from './ring.ts'

interface Dead {
  readonly message: Message
  readonly reason: DeathReason
  readonly queue: string
  readonly exchange: string
  readonly key: string | undefined
  /** Whether its queue counted its returns in a header, which is for its own consumers alone. */
  readonly counted: boolean
}

/** What sends them on: the exchanges. */
export interface DeadLetterRoutes {
  readonly trustsPublishedDeath: boolean
  hasExchange(name: string): boolean
  /** Where a message goes. */
  route(message: Message): readonly RoutedQueue[]
}

/**
 * Messages that have died, on their way to where their queues send them. One after the other from a list, never from
 * within each other: a chain of queues may be as long as it likes. What dies of a message goes before what waits behind
 * it, so that letters that multiply at each station take time, but no memory; and when that takes long, everybody else
 * has a turn in between.
 *
 * @source rabbit_dead_letter
 */
export class DeadLetters {
  readonly #clock: Clock
  readonly #longWork: LongWork
  readonly #storage: MessageStorage
  readonly #routes: DeadLetterRoutes
  readonly #waiting = new Ring<Dead>()
  /** What died of what is being sent on, in reverse. */
  readonly #descendants: Dead[] = []
  /** What died of the last one. */
  #children: Dead[] = []
  /** Messages that this broker has sent on: their history is its own. */
  readonly #own = new WeakSet<Message>()
  #sending = false
  /** The rest has its turn soon. */
  #later = false

  constructor(clock: Clock, longWork: LongWork, storage: MessageStorage, routes: DeadLetterRoutes) {
    this.#clock = clock
    this.#longWork = longWork
    this.#storage = storage
    this.#routes = routes
  }

  add(message: Message, reason: DeathReason, queue: string, settings: QueueSettings): void {
    const { deadLetterExchange, deadLetterKey, type } = settings
    if (deadLetterExchange === undefined) return
    // It may wait here for a while, and its queue no longer holds it.
    this.#storage.hold(message)
    const counted = type === 'quorum'
    const dead = { message, reason, queue, exchange: deadLetterExchange, key: deadLetterKey, counted }
    if (this.#sending) this.#children.push(dead)
    else this.#waiting.push(dead)
  }

  /** Sends on what waits, and what dies of that. */
  send(): void {
    if (this.#sending || this.#later || this.#waiting.length === 0) return
    this.#sendSome()
  }

  #sendSome(): void {
    this.#sending = true
    try {
      while (this.#longWork.hasTime()) {
        const dead = this.#descendants.pop() ?? this.#waiting.shift()
        if (dead === undefined) return
        this.#sendOn(dead)
        this.#storage.release(dead.message)
        const children = this.#children
        if (children.length === 0) continue
        for (let at = children.length - 1; at >= 0; at--) this.#descendants.push(children[at] as Dead)
        this.#children = []
      }
    } finally {
      this.#sending = false
    }
    this.#later = true
    this.#longWork.later(() => {
      this.#later = false
      this.#sendSome()
    })
  }

  #sendOn(dead: Dead): void {
    if (!this.#routes.hasExchange(dead.exchange)) return
    const letter = this.#letter(dead)
    const deaths = deathsIn(headersOf(letter)) ?? []
    for (const queue of this.#routes.route(letter)) {
      if (!goesRound(queue.name, dead.reason, deaths)) queue.enqueue(letter)
    }
  }

  /** The message that goes on: another address, no expiration, and its history. */
  #letter({ message, reason, queue, exchange, key, counted }: Dead): Message {
    const { expiration } = scanProperties(message, EVERYTHING)
    const headers = new Map(headersOf(message))
    const believed = this.#routes.trustsPublishedDeath || this.#own.has(message)
    const copies = carbonCopyKeys(headers)
    const death = {
      reason,
      queue,
      timeSeconds: Math.floor(this.#clock.now() / 1000),
      expiration: expiration === 0 ? undefined : shortStringAt(message, expiration),
    }
    if (!believed) headers.delete('x-death')
    const changed = withDeath(headers, message, death, [message.routingKey, ...copies])
    // A key of its own replaces all that the message had.
    const kept = new Map(changed)
    if (key !== undefined) kept.delete('CC')
    if (counted) kept.delete('x-delivery-count')
    const changes = { headers: kept, expiration: null }
    const letter = withProperties(message, changes, exchange, key ?? message.routingKey)
    if (key !== undefined) letter.extraKeys = []
    this.#own.add(letter)
    return letter
  }
}

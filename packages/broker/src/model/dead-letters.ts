import type { Clock, Timer } from '@hermod/kernel'
import { deathsIn, goesRound, nameLastDeath, withDeath } from './death-record.ts'
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
  readonly keeper: LetterKeeper | undefined
  /**
   * By which queues it was taken, for who wants all of them to have it. The letter itself is made anew for each try: its
   * body would be what the message has meanwhile left behind.
   */
  readonly takers: Set<string>
  /** When it died. */
  readonly timeSeconds: number
}

/** Who keeps a message that has died until other queues have taken it. */
export interface LetterKeeper {
  /** Whether it keeps nothing any more. */
  readonly gone: boolean
  /** They have. */
  taken(message: Message): void
}

/** After so long letters are tried again that were not taken. @source dead_letter_worker_publisher_confirm_timeout */
const RETRY_MS = 180_000

const NO_TAKERS = new Set<string>()

/** What sends them on: the exchanges. */
export interface DeadLetterRoutes {
  readonly trustsPublishedDeath: boolean
  readonly namesLastDeath: boolean
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
  #sending = false
  /** The rest has its turn soon. */
  #later = false
  /** Letters that are kept, and that no queue took. */
  #untaken: Dead[] = []
  #retry: Timer | undefined

  constructor(clock: Clock, longWork: LongWork, storage: MessageStorage, routes: DeadLetterRoutes) {
    this.#clock = clock
    this.#longWork = longWork
    this.#storage = storage
    this.#routes = routes
  }

  /** With a keeper the letter is sent until each queue that it is routed to has taken it, and one at the least. */
  add(
    message: Message,
    reason: DeathReason,
    queue: string,
    settings: QueueSettings,
    keeper?: LetterKeeper,
  ): void {
    const { deadLetterExchange, deadLetterKey, type } = settings
    if (deadLetterExchange === undefined) return
    // It may wait here for a while, and its queue no longer holds it.
    this.#storage.hold(message)
    const counted = type === 'quorum'
    const address = { exchange: deadLetterExchange, key: deadLetterKey }
    const takers = keeper === undefined ? NO_TAKERS : new Set<string>()
    const timeSeconds = Math.floor(this.#clock.now() / 1000)
    const dead = { message, reason, queue, ...address, counted, keeper, takers, timeSeconds }
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
        if (this.#sendOn(dead)) this.#done(dead)
        else this.#tryLater(dead)
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

  /** Whether it is settled: who keeps its letters asks for more than having tried. */
  #sendOn(dead: Dead): boolean {
    const { keeper, takers } = dead
    if (!this.#routes.hasExchange(dead.exchange)) return keeper === undefined
    const letter = this.#letter(dead)
    const deaths = deathsIn(headersOf(letter)) ?? []
    let refused = false
    for (const queue of this.#routes.route(letter)) {
      if (goesRound(queue.name, dead.reason, deaths) || takers.has(queue.name)) continue
      if (!queue.enqueue(letter)) refused = true
      else if (keeper !== undefined) takers.add(queue.name)
    }
    return keeper === undefined || (takers.size > 0 && !refused)
  }

  #done({ message, keeper }: Dead): void {
    this.#storage.release(message)
    keeper?.taken(message)
  }

  #tryLater(dead: Dead): void {
    if (dead.keeper?.gone === true) return this.#done(dead)
    this.#untaken.push(dead)
    this.#retry ??= this.#clock.after(
      RETRY_MS,
      () => {
        this.#retry = undefined
        for (const untaken of this.#untaken) this.#waiting.push(untaken)
        this.#untaken = []
        this.send()
      },
      { background: true },
    )
  }

  /** The queue that kept them is gone: what waits to be tried again is forgotten, what is on its way gets one try. */
  drop(keeper: LetterKeeper): void {
    const left = this.#untaken.filter((dead) => dead.keeper !== keeper)
    for (const dead of this.#untaken) if (dead.keeper === keeper) this.#done(dead)
    this.#untaken = left
    if (left.length > 0) return
    this.#retry?.cancel()
    this.#retry = undefined
  }

  /** The message that goes on: another address, no expiration, and its history. */
  #letter({ message, reason, queue, exchange, key, counted, timeSeconds }: Dead): Message {
    const { expiration } = scanProperties(message, EVERYTHING)
    const headers = new Map(headersOf(message))
    const believed = this.#routes.trustsPublishedDeath || message.hasDied
    const copies = carbonCopyKeys(headers)
    const death = {
      reason,
      queue,
      timeSeconds,
      expiration: expiration === 0 ? undefined : shortStringAt(message, expiration),
    }
    if (!believed) headers.delete('x-death')
    if (this.#routes.namesLastDeath) nameLastDeath(headers, message, death)
    const changed = withDeath(headers, message, death, [message.routingKey, ...copies])
    // A key of its own replaces all that the message had.
    const kept = new Map(changed)
    if (key !== undefined) kept.delete('CC')
    if (counted) kept.delete('x-delivery-count')
    const changes = { headers: kept, expiration: null }
    const letter = withProperties(message, changes, exchange, key ?? message.routingKey)
    if (key !== undefined) letter.extraKeys = []
    letter.hasDied = true
    return letter
  }
}

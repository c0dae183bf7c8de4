import type { LetterKeeper } from './dead-letters.ts'
import type { Deadline } from './deadlines.ts'
import type { Message } from './message.ts'
import type { QueueCounts } from './queue-counts.ts'
import type { DeathReason } from './queue.ts'
import type { QueueSettings } from './queue-arguments.ts'
import type { QueueHost } from './queue-host.ts'
import { NEVER, type QueuedMessage } from './queued-message.ts'
import { ReadyMessages, type ReturnOrder } from './ready-messages.ts'

/** Where a quorum queue was beyond its limit, it takes more when it is down to this part of it. */
const LOW = 0.8

/**
 * What waits in a queue, and the rules that take it out again: limits of length, and time.
 *
 * Only the head can expire, however long others are due behind it: also behind a higher priority.
 * @source rabbit_amqqueue_process: maybe_drop_head, drop_expired_msgs; rabbit_priority_queue: dropwhile
 */
export class Backlog implements LetterKeeper {
  readonly #host: QueueHost
  readonly #queue: string
  readonly #settings: QueueSettings
  readonly #order: ReturnOrder
  readonly #counts: QueueCounts
  #ready: ReadyMessages
  #expiry: Deadline | undefined
  /** Of messages that have died and that no other queue has taken yet. */
  #keptLength = 0
  #keptBytes = 0
  #gone = false
  /** Whether a quorum queue was beyond its limit and has not been well below it since. */
  #full = false
  /** What is due and still there has its turn later. */
  #expiring = false

  constructor(
    host: QueueHost,
    queue: string,
    settings: QueueSettings,
    order: ReturnOrder,
    counts: QueueCounts,
  ) {
    this.#host = host
    this.#queue = queue
    this.#settings = settings
    this.#order = order
    this.#counts = counts
    this.#ready = new ReadyMessages(settings.maxPriority, order)
  }

  get length(): number {
    return this.#ready.length
  }

  /** Bytes of bodies. */
  get bytes(): number {
    return this.#ready.bytes
  }

  /** Whether a limit of length refuses one more message. */
  refuses(message: Message): boolean {
    const { overflow, maxLength, maxBytes, type } = this.#settings
    if (overflow === 'drop-head') return false
    if (type === 'quorum') return this.#judge()
    return this.#ready.length + 1 > maxLength || this.#ready.bytes + message.bodySize > maxBytes
  }

  /**
   * Quorum queues refuse what comes once they are beyond their limit, and until they are well below it.
   *
   * @source rabbit_fifo:evaluate_limit, is_below_soft_limit
   */
  #judge(): boolean {
    const { overflow, maxLength, maxBytes, type } = this.#settings
    if (overflow === 'drop-head' || type !== 'quorum') return false
    const length = this.#ready.length + this.#keptLength
    const bytes = this.#ready.bytes + this.#keptBytes
    if (length > maxLength || bytes > maxBytes) this.#full = true
    else if (length <= Math.trunc(maxLength * LOW) && bytes <= Math.trunc(maxBytes * LOW)) this.#full = false
    return this.#full
  }

  /** When a message that comes now expires: {@link NEVER} mostly. */
  expiryOf({ expirationMs }: Message): number {
    const { messageTtlMs } = this.#settings
    if (messageTtlMs === undefined && expirationMs < 0) return NEVER
    const lifeMs = Math.min(expirationMs < 0 ? Infinity : expirationMs, messageTtlMs ?? Infinity)
    return this.#host.deadlines.nowMs() + lifeMs
  }

  /** Adds a new message; the queue holds it already. */
  push(queued: QueuedMessage): void {
    this.#ready.push(queued)
    this.#dropOverLimit()
    this.#judge()
    this.#dropExpired()
  }

  /** Adds messages that were given back. */
  giveBack(returned: readonly QueuedMessage[]): void {
    for (const queued of returned) this.#ready.giveBack(queued)
    this.#dropOverLimit()
    this.#judge()
    this.#dropExpired()
  }

  /** Takes the next message that has not expired. */
  shift(): QueuedMessage | undefined {
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
      if (!this.#isOver(next)) {
        this.#dropExpired()
        return next
      }
      this.#expire(next)
    }
    return undefined
  }

  #isOver({ expiresAtMs }: QueuedMessage): boolean {
    return expiresAtMs !== NEVER && expiresAtMs <= this.#host.deadlines.nowMs()
  }

  /** A message has died; it goes on where the queue says so. */
  die(message: Message, reason: DeathReason): void {
    if (this.#settings.deadLetterExchange === undefined) return
    if (!this.#settings.keepsDeadLetters)
      return this.#host.deadLetter(message, reason, this.#queue, this.#settings)
    this.#keptLength++
    this.#keptBytes += message.bodySize
    this.#judge()
    this.#host.deadLetter(message, reason, this.#queue, this.#settings, this)
  }

  get gone(): boolean {
    return this.#gone
  }

  /** A letter was taken by other queues. */
  taken(message: Message): void {
    this.#keptLength--
    this.#keptBytes -= message.bodySize
  }

  /** The queue is gone, and what it still kept. The number of messages that were ready. */
  end(): number {
    this.#gone = true
    if (this.#settings.keepsDeadLetters) this.#host.dropLetters(this)
    return this.clear()
  }

  /** Takes everything out; the number of messages. */
  clear(): number {
    const gone = this.#ready
    const count = gone.length
    this.#ready = new ReadyMessages(this.#settings.maxPriority, this.#order)
    this.#expiry?.cancel()
    this.#expiry = undefined
    this.#release(gone)
    return count
  }

  /** Lets go of them bit by bit: a million of them must not stop the process. */
  #release(gone: ReadyMessages): void {
    const { longWork } = this.#host
    while (longWork.hasTime()) {
      const queued = gone.shift()
      if (queued === undefined) return
      this.#host.release(queued.message)
    }
    longWork.later(() => this.#release(gone))
  }

  #dropOverLimit(): void {
    const { overflow, maxLength, maxBytes } = this.#settings
    if (overflow !== 'drop-head') return
    while (this.#ready.length > maxLength || this.#ready.bytes > maxBytes) {
      const oldest = this.#ready.shift()
      if (oldest === undefined) return
      this.#counts.dropped++
      this.die(oldest.message, 'maxlen')
      this.#host.release(oldest.message)
    }
  }

  #expire(queued: QueuedMessage): void {
    this.#counts.expired++
    this.die(queued.message, 'expired')
    this.#host.release(queued.message)
  }

  /** As many as are due, and as there is time for: the rest has its turn soon, and is given to nobody before. */
  #dropExpired(): void {
    let head = this.#ready.peek()
    while (head !== undefined && this.#isOver(head)) {
      if (!this.#host.longWork.hasTime()) return this.#expireLater()
      this.#ready.shift()
      this.#expire(head)
      head = this.#ready.peek()
    }
    if (head !== undefined && head.expiresAtMs !== NEVER) this.#wakeAt(head.expiresAtMs)
  }

  #expireLater(): void {
    if (this.#expiring) return
    this.#expiring = true
    this.#host.longWork.later(() => {
      this.#expiring = false
      this.#dropExpired()
      this.#host.settle()
    })
  }

  #wakeAt(atMs: number): void {
    if (this.#expiry !== undefined && this.#expiry.atMs <= atMs) return
    this.#expiry?.cancel()
    this.#expiry = this.#host.deadlines.at(atMs, () => {
      this.#expiry = undefined
      this.#dropExpired()
      this.#host.settle()
    })
  }
}

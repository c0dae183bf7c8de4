import type { QueueSpec } from './broker-model-case.ts'
import type { ModelChannel } from './broker-model-channel.ts'
import type { Letter } from './broker-model-letter.ts'

/** A message in a queue, ready or out. */
export interface Entry {
  readonly letter: Letter
  readonly level: number
  readonly expiresAtMs: number
  /** Smaller is earlier, within its level. */
  place: number
  redelivered: boolean
  returns: number
}

/** A consumer of a queue. */
export class ModelConsumer {
  readonly tag: string
  readonly queue: ModelQueue
  readonly channel: ModelChannel
  readonly noAck: boolean
  readonly exclusive: boolean
  readonly priority: number
  readonly prefetch: number
  /** When it last got a message, on a count of all deliveries. */
  servedAt = 0
  /** In which moment that was, and in which it last had no room. */
  servedIn = 0
  fullIn: number

  constructor(
    queue: ModelQueue,
    channel: ModelChannel,
    terms: { tag: string; noAck: boolean; exclusive: boolean; priority: number; prefetch: number },
    moment: number,
  ) {
    this.queue = queue
    this.channel = channel
    this.tag = terms.tag
    this.noAck = terms.noAck
    this.exclusive = terms.exclusive
    this.priority = terms.priority
    this.prefetch = terms.prefetch
    this.fullIn = moment
  }

  get hasRoom(): boolean {
    const { channel } = this
    if (!channel.open || channel.stopped) return false
    const held = channel.held()
    const own = held.filter((one) => one.consumer === this).length
    const all = held.filter((one) => one.consumer !== undefined).length
    // Who needs no ack takes nothing of the room of the channel, and waits all the same while there is none.
    if (channel.limit > 0 && all >= channel.limit) return false
    return this.noAck || this.prefetch === 0 || own < this.prefetch
  }
}

/** A queue, as an array of what waits in it. */
export class ModelQueue {
  readonly name: string
  readonly spec: QueueSpec
  /** Of an exclusive queue: whose it is. */
  readonly owner: number | undefined
  /** In no order: a place says which is first. */
  ready: Entry[] = []
  out = 0
  /** In the order in which they came. */
  consumers: ModelConsumer[] = []
  /** The one that is served, where only one is. */
  active: ModelConsumer | undefined
  deleted = false
  /** Since when nobody uses it. */
  idleSinceMs: number
  #lastPlace = 0
  #lastReturn = -1e9

  constructor(name: string, spec: QueueSpec, owner: number, nowMs: number) {
    this.name = name
    this.spec = spec
    this.owner = spec.exclusive ? owner : undefined
    this.idleSinceMs = nowMs
  }

  get bytes(): number {
    return this.ready.reduce((sum, { letter }) => sum + letter.body.length, 0)
  }

  /** Who could take a message now. */
  get takers(): readonly ModelConsumer[] {
    const all = this.spec.single ? (this.active === undefined ? [] : [this.active]) : this.consumers
    return all.filter((consumer) => consumer.hasRoom)
  }

  /** The first of all, or of a level. */
  head(level?: number): Entry | undefined {
    const all = level === undefined ? this.ready : this.ready.filter((entry) => entry.level === level)
    return all.toSorted((a, b) => b.level - a.level || a.place - b.place)[0]
  }

  newEntry(letter: Letter, nowMs: number): Entry {
    const ttls = [letter.ttlMs, this.spec.ttlMs].filter((ttl) => ttl !== undefined)
    return {
      letter,
      level: Math.min(letter.priority ?? 0, this.spec.priorities),
      expiresAtMs: ttls.length === 0 ? Infinity : nowMs + Math.min(...ttls),
      place: ++this.#lastPlace,
      redelivered: false,
      returns: 0,
    }
  }

  take(entry: Entry): void {
    this.ready = this.ready.filter((one) => one !== entry)
  }

  /** To where it was; in a quorum queue before all that was never delivered, behind what came back earlier. */
  putBack(entry: Entry): void {
    if (this.spec.kind === 'quorum') entry.place = ++this.#lastReturn
    entry.redelivered = true
    this.ready.push(entry)
  }

  refuses(letter: Letter): boolean {
    return this.spec.overflow !== 'drop-head' && this.isOver(1, letter.body.length)
  }

  /** Whether it holds too much, or would with so much more. */
  isOver(count = 0, bytes = 0): boolean {
    const { length = Infinity, bytes: most = Infinity } = this.spec
    return this.ready.length + count > length || this.bytes + bytes > most
  }
}

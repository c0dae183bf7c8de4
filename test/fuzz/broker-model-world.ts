import type { ProfileName } from '@hermod/broker'
import { FAN, MISSING, QUEUES, type QueueSpec } from './broker-model-case.ts'
import type { ModelChannel } from './broker-model-channel.ts'
import { frameText, goesRound, letterText, sentOn, type Cause, type Letter } from './broker-model-letter.ts'
import { ModelConsumer, ModelQueue, type Entry } from './broker-model-queue.ts'

/** Why messages come back. */
export type Return = 'nack' | 'reject' | 'recover' | 'closed'

/**
 * All queues as they should be, and the rules between them.
 *
 * Who gets a message of several that could is the broker's choice: it is read from what came, and held to priority and
 * rotation. Everything else is known beforehand.
 */
export class World {
  readonly queues = new Map<string, ModelQueue>()
  /**
   * A queue has got something from two others in the same moment, or from one while its own messages expired: nobody
   * says in which order, and from here on this model knows nothing.
   */
  unknown = false
  /** How often what happened: a search that never saw something says nothing about it. */
  readonly seen = new Map<string, number>()
  nowMs = 0
  readonly #startMs: number
  readonly #profile: ProfileName
  readonly #specs: Readonly<Record<string, QueueSpec>>
  #dying: { readonly letter: Letter; readonly cause: Cause; readonly spec: QueueSpec }[] = []
  /** What happened to each queue in this moment. */
  #sources = new Map<string, Set<string>>()
  /** How many deliveries there were, and how many moments. */
  #count = 0
  /** Who was served out of turn, unless it turns out that nobody knows whose turn it was. */
  #fault: Error | undefined
  #moment = 0

  constructor(profile: ProfileName, specs: Readonly<Record<string, QueueSpec>>, startMs: number) {
    this.#profile = profile
    this.#specs = specs
    this.#startMs = startMs
  }

  // ---------------------------------------------------------------- what versions do differently

  get limitsChannels(): boolean {
    return this.#profile !== 'rabbitmq-4.3'
  }

  getIsRefused({ spec }: ModelQueue): boolean {
    return spec.single && (spec.kind === 'quorum' || this.#profile !== 'rabbitmq-3.10')
  }

  #isCounted(cause: Return): boolean {
    return this.#profile !== 'rabbitmq-4.3' || cause !== 'nack'
  }

  #deliveryLimit({ deliveryLimit }: QueueSpec): number {
    return deliveryLimit ?? (this.#profile === 'rabbitmq-3.10' ? Infinity : 20)
  }

  // ---------------------------------------------------------------- queues

  /** Counts what happened. */
  see(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1)
  }

  declare(name: string, connection: number): ModelQueue {
    const known = this.queues.get(name)
    if (known !== undefined) return known
    const spec = this.#specs[name] as QueueSpec
    const queue = new ModelQueue(name, spec, connection, this.nowMs)
    this.queues.set(name, queue)
    return queue
  }

  delete(queue: ModelQueue): void {
    queue.deleted = true
    queue.ready = []
    this.queues.delete(queue.name)
    for (const consumer of queue.consumers) {
      consumer.channel.consumers.delete(consumer.tag)
      consumer.channel.expectedCancels.add(consumer.tag)
    }
    queue.consumers = []
  }

  consume(
    queue: ModelQueue,
    channel: ModelChannel,
    terms: { tag: string; noAck: boolean; exclusive: boolean; priority: number },
  ): void {
    const consumer = new ModelConsumer(queue, channel, { ...terms, prefetch: channel.prefetch }, this.#moment)
    queue.consumers.push(consumer)
    queue.active ??= consumer
    channel.consumers.set(terms.tag, consumer)
  }

  cancel(consumer: ModelConsumer): void {
    const { queue, channel, tag } = consumer
    channel.consumers.delete(tag)
    queue.consumers = queue.consumers.filter((one) => one !== consumer)
    if (queue.active === consumer) queue.active = queue.consumers[0]
    // Another one may be active now.
    this.#dispatch(queue)
    if (queue.consumers.length > 0 || queue.deleted) return
    queue.idleSinceMs = this.nowMs
    if (queue.spec.autoDelete) this.delete(queue)
  }

  // ---------------------------------------------------------------- messages

  /** The names of the queues that a message is for; `undefined` where its exchange is missing. */
  route({ exchange, key, copies }: Letter): readonly string[] | undefined {
    if (exchange === MISSING) return undefined
    const names =
      exchange === FAN ? QUEUES.filter((name) => this.queues.get(name)?.spec.bound) : [key, ...copies]
    return [...new Set(names)].filter((name) => this.queues.has(name))
  }

  /** Puts a message into queues, as far as they are there. */
  deliver(letter: Letter, names: readonly string[]): 'routed' | 'unrouted' | 'refused' {
    let outcome: 'routed' | 'unrouted' | 'refused' = 'unrouted'
    for (const name of names) {
      const queue = this.queues.get(name)
      if (queue === undefined) continue
      if (outcome === 'unrouted') outcome = 'routed'
      if (!this.#enqueue(queue, letter, 'a client')) outcome = 'refused'
      this.#bury()
    }
    return outcome
  }

  #enqueue(queue: ModelQueue, letter: Letter, source: string): boolean {
    this.#touched(queue, source)
    // What comes while others are still on their way to a consumer may be one too many, or not.
    this.#dispatch(queue)
    if (queue.ready.length > 0 && queue.takers.length > 0) this.unknown = true
    if (letter.deaths.length > 1) this.see('dead twice')
    if (queue.refuses(letter)) {
      this.see('refused')
      if (queue.spec.overflow === 'reject-publish-dlx') this.#die(queue, letter, 'maxlen')
      return false
    }
    const entry = queue.newEntry(letter, this.nowMs)
    queue.ready.push(entry)
    // Who waits gets it, however short the queue and its life are to be.
    if (queue.ready.length === 1 && this.#dispatchOne(queue)) return true
    this.#shorten(queue)
    this.#expire(queue)
    return true
  }

  #touched({ name }: ModelQueue, source: string): void {
    const sources = this.#sources.get(name) ?? new Set()
    this.#sources.set(name, sources.add(source))
    if (sources.size > 1) this.unknown = true
  }

  /** Gives back what a channel had, all of the same queue. */
  giveBack(queue: ModelQueue, entries: readonly Entry[], cause: Return): void {
    queue.out -= entries.length
    if (queue.deleted) return
    for (const entry of entries) {
      if (queue.spec.kind === 'quorum' && this.#isCounted(cause)) {
        if (++entry.returns > this.#deliveryLimit(queue.spec)) {
          this.#die(queue, entry.letter, 'delivery_limit')
          continue
        }
      }
      queue.putBack(entry)
    }
    this.#shorten(queue)
    this.#expire(queue)
    this.#dispatch(queue)
    this.#bury()
  }

  discard(queue: ModelQueue, entry: Entry): void {
    queue.out--
    if (!queue.deleted) this.#die(queue, entry.letter, 'rejected')
    this.#bury()
  }

  #shorten(queue: ModelQueue): void {
    if (queue.spec.overflow !== 'drop-head') return
    for (let head = queue.head(); head !== undefined && queue.isOver(); head = queue.head()) {
      queue.take(head)
      this.#die(queue, head.letter, 'maxlen')
    }
  }

  #expire(queue: ModelQueue): void {
    for (let head = queue.head(); head !== undefined; head = queue.head()) {
      if (head.expiresAtMs > this.nowMs) return
      queue.take(head)
      this.#die(queue, head.letter, 'expired')
    }
  }

  #die({ name, spec }: ModelQueue, letter: Letter, reason: Cause['reason']): void {
    this.see(reason)
    const atSeconds = Math.floor((this.#startMs + this.nowMs) / 1000)
    this.#dying.push({ letter, cause: { queue: name, reason, atSeconds }, spec })
  }

  /** Sends the dead on; what dies of that goes first. */
  #bury(): void {
    for (let dead = this.#dying.shift(); dead !== undefined; dead = this.#dying.shift()) {
      const { letter, cause, spec } = dead
      if (spec.dead === undefined) continue
      const next = sentOn(letter, cause, spec.dead, this.#profile !== 'rabbitmq-3.10')
      const later = this.#dying
      this.#dying = []
      for (const name of this.route(next) ?? []) {
        const queue = this.queues.get(name)
        if (queue !== undefined && !goesRound(next, name)) this.#enqueue(queue, next, `queue ${cause.queue}`)
      }
      this.#dying.push(...later)
    }
  }

  // ---------------------------------------------------------------- time

  /** What happens from here on does not happen in the moment of what was before. */
  newMoment(): void {
    this.#sources = new Map()
    this.#moment++
  }

  /** Lets everything happen that is due until then, each at its time. */
  passTo(endMs: number): void {
    for (;;) {
      const nextMs = Math.min(...[...this.queues.values()].map((queue) => this.#dueMs(queue)))
      if (nextMs > endMs) break
      if (nextMs > this.nowMs) this.newMoment()
      this.nowMs = Math.max(this.nowMs, nextMs)
      for (const queue of [...this.queues.values()].filter((one) => this.#dueMs(one) <= this.nowMs)) {
        this.#touched(queue, 'time')
        if (this.#leaseMs(queue) <= this.nowMs) this.delete(queue)
        else this.#expire(queue)
        this.#bury()
      }
      this.settle()
    }
    this.nowMs = endMs
    this.newMoment()
  }

  #leaseMs({ spec, consumers, idleSinceMs }: ModelQueue): number {
    return consumers.length > 0 ? Infinity : idleSinceMs + (spec.expiresMs ?? Infinity)
  }

  #dueMs(queue: ModelQueue): number {
    return Math.min(this.#leaseMs(queue), queue.head()?.expiresAtMs ?? Infinity)
  }

  // ---------------------------------------------------------------- deliveries

  /** How often a message is said to have come back. */
  returnsOf({ spec }: ModelQueue, { returns }: Entry, got: boolean): number | undefined {
    const isSaid = returns > 0 || (got && this.#profile === 'rabbitmq-3.10')
    return spec.kind === 'quorum' && isSaid ? returns : undefined
  }

  /** Takes out of a queue what its head is now: for basic.get. */
  take(queue: ModelQueue): Entry | undefined {
    const head = queue.head()
    if (head !== undefined) queue.take(head)
    this.#expire(queue)
    this.#bury()
    return head
  }

  /** Delivers everything that somebody could take. @throws where nobody got it. */
  settle(): void {
    this.dispatchAll()
    if (this.#fault !== undefined) throw this.#fault
    for (const queue of this.queues.values()) this.#checkServed(queue)
  }

  /** Delivers what somebody got. */
  dispatchAll(): void {
    for (let moved = true; moved;) {
      moved = false
      for (const queue of this.queues.values()) moved = this.#dispatch(queue) || moved
      this.#bury()
    }
  }

  #dispatch(queue: ModelQueue): boolean {
    let moved = false
    while (this.#dispatchOne(queue)) {
      moved = true
      this.#expire(queue)
    }
    return moved
  }

  #dispatchOne(queue: ModelQueue): boolean {
    const head = queue.head()
    if (head === undefined) return false
    const { takers } = queue
    const returns = this.returnsOf(queue, head, false)
    const expected = letterText(head.letter, head.redelivered, returns)
    const got = takers.filter(({ channel, tag }) => {
      // Consumers of several queues that share their room have it in the order in which they were served.
      const [next] = channel.deliveries.get(tag) ?? []
      return (
        next !== undefined && frameText(next) === expected && (channel.limit === 0 || channel.isFirst(next))
      )
    })
    const [taker] = got.toSorted((a, b) => b.priority - a.priority || a.servedAt - b.servedAt)
    if (taker === undefined) return false
    this.#checkTurn(queue, takers, taker)
    this.see(head.redelivered ? 'redelivered' : 'delivered')
    if (takers.length > 1) this.see('delivered to one of several')
    const frame = taker.channel.deliveries.get(taker.tag)?.shift()
    queue.take(head)
    if (!taker.noAck) {
      const tag = Number(frame?.args['deliveryTag'])
      taker.channel.unsettled.push({ tag, entry: head, queue, consumer: taker })
      queue.out++
    }
    taker.servedAt = ++this.#count
    taker.servedIn = this.#moment
    this.noteRoom(taker.channel)
    return true
  }

  /** Notes which consumers of a channel have no room. */
  noteRoom(channel: ModelChannel): void {
    for (const consumer of channel.consumers.values()) if (!consumer.hasRoom) consumer.fullIn = this.#moment
  }

  #checkTurn({ name }: ModelQueue, takers: readonly ModelConsumer[], taker: ModelConsumer): void {
    for (const { tag, priority, servedAt, fullIn } of takers) {
      if (priority > taker.priority)
        this.#fault ??= new Error(`${name}: ${taker.tag} was served before ${tag}, which is above it`)
      if (priority === taker.priority && servedAt < taker.servedAt && fullIn < taker.servedIn)
        this.#fault ??= new Error(`${name}: ${taker.tag} was served again before ${tag}, which waited`)
    }
  }

  #checkServed(queue: ModelQueue): void {
    const head = queue.head()
    const { takers } = queue
    if (head === undefined || takers.length === 0) return
    const came = takers.map(({ channel, tag }) => {
      const [next] = channel.deliveries.get(tag) ?? []
      return `${tag} of ${channel.label} got ${next === undefined ? 'nothing' : frameText(next)}`
    })
    const expected = letterText(head.letter, head.redelivered, this.returnsOf(queue, head, false))
    throw new Error(`${queue.name}: somebody should have got\n${expected}\nbut\n${came.join('\n')}`)
  }
}

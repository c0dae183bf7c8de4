import { randomBytes } from 'node:crypto'
import { notAllowed, notImplemented, preconditionFailed } from '../amqp-error.ts'
import { REPLY_TO } from '../model/direct-replies.ts'
import type { Fields } from '../model/field.ts'
import type { Queue, ReturnCause } from '../model/queue.ts'
import type { QueuedMessage } from '../model/queued-message.ts'
import { ChannelConsumer } from './channel-consumer.ts'
import type { ChannelParts } from './channel-host.ts'
import { writeContent } from './delivery-frames.ts'
import { Prefetch } from './prefetch.ts'
import { ReplyConsumer } from './reply-consumer.ts'
import type { Transaction } from './transaction.ts'
import { UnsettledMessages, type Taken } from './unsettled.ts'

/** What becomes of messages that the client settles: done, dropped, or given back by basic.nack or basic.reject. */
export type Settling = 'acknowledge' | 'discard' | 'nack' | 'reject'

/** basic.consume, with the queue's name already completed. */
export interface ConsumeRequest {
  readonly queue: string
  readonly consumerTag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  readonly noWait: boolean
  readonly arguments: Fields
}

/** The consuming half of a channel: consumers, `get`, what is unsettled, and how much of it there may be. */
export class Consuming {
  readonly parts: ChannelParts
  readonly #consumers = new Map<string, ChannelConsumer>()
  readonly #unsettled = new UnsettledMessages()
  /** `basic.qos` with `global`. */
  readonly #shared = new Prefetch(0)
  /** For consumers to come. */
  #prefetch = 0
  #lastTag = 0
  #turn = 0
  #replies: ReplyConsumer | undefined
  /** Tags of consumers that the client does not know to be gone. */
  #gone: string[] = []
  #closed = false
  /** Consumers of a channel that is ending. */
  #ending: readonly ChannelConsumer[] = []

  constructor(parts: ChannelParts) {
    this.parts = parts
  }

  get consumerCount(): number {
    return this.#consumers.size
  }

  get unsettledCount(): number {
    return this.#unsettled.size
  }

  unsettled(): Iterable<QueuedMessage> {
    return this.#unsettled.all()
  }

  /** The name that requests carry as `reply-to`, while a consumer of direct replies is there. */
  get replyName(): string | undefined {
    return this.#replies?.name
  }

  /** @throws {AmqpError} 540 for a limit in bytes. */
  qos(prefetchSize: number, prefetchCount: number, global: boolean): void {
    if (prefetchSize !== 0) throw notImplemented(`prefetch_size!=0 (${prefetchSize})`)
    const shared = global && this.parts.host.profile.globalPrefetch === 'channel'
    if (!shared) this.#prefetch = prefetchCount
    this.#shared.limit = shared ? prefetchCount : 0
    this.parts.send('basic.qos-ok', {})
    this.wakeAll()
  }

  /** @throws {AmqpError} 530 for a tag in use, and what the queue refuses. */
  consume(request: ConsumeRequest): void {
    const { host } = this.parts
    const { noAck, exclusive, consumerTag } = request
    if (this.#consumers.has(consumerTag)) throw notAllowed(`attempt to reuse consumer tag '${consumerTag}'`)
    const most = host.limits.maxConsumersPerChannel
    if (this.#consumers.size >= most) throw notAllowed(`reached maximum (${most}) of consumers per channel`)
    const tag = consumerTag === '' ? `amq.ctag-${randomBytes(16).toString('base64url')}` : consumerTag
    if (request.queue === REPLY_TO) return this.#consumeReplies(tag, request)
    const queue = host.virtualHost.queue(request.queue, host.owner)
    const consumer = new ChannelConsumer(this, queue, {
      tag,
      noAck,
      exclusive,
      arguments: request.arguments,
      prefetch: this.#prefetch,
      globalPrefetch: this.#shared.limit > 0,
    })
    queue.consume(consumer)
    this.#consumers.set(tag, consumer)
    if (!request.noWait) this.parts.send('basic.consume-ok', { consumerTag: tag })
    consumer.begin()
  }

  #consumeReplies(tag: string, { noAck, noWait }: ConsumeRequest): void {
    if (!noAck) throw preconditionFailed('reply consumer cannot acknowledge')
    if (this.#replies !== undefined) throw preconditionFailed('reply consumer already set')
    this.#replies = new ReplyConsumer(this.parts, tag, () => this.#lastTag + 1)
    if (!noWait) this.parts.send('basic.consume-ok', { consumerTag: tag })
  }

  /** A tag that nobody has is no fault. */
  cancel(consumerTag: string, noWait: boolean): void {
    const consumer = this.#consumers.get(consumerTag)
    if (consumer !== undefined) {
      this.#consumers.delete(consumerTag)
      consumer.end()
    } else if (this.#replies?.tag === consumerTag) {
      this.#replies.close()
      this.#replies = undefined
    }
    if (!noWait) this.parts.send('basic.cancel-ok', { consumerTag })
  }

  /** @throws {AmqpError} 530 for more than one channel may leave unsettled, and what the queue refuses. */
  get(name: string, noAck: boolean): void {
    const { host, number } = this.parts
    const queue = host.virtualHost.queue(name, host.owner)
    const most = host.limits.maxUnsettledPerChannel
    if (!noAck && this.#unsettled.size >= most)
      throw notAllowed(`reached maximum (${most}) of unsettled messages per channel`)
    const queued = queue.get(noAck)
    if (queued === undefined) return this.parts.send('basic.get-empty', {})
    const deliveryTag = this.#number(queued, noAck)
    const { message, redelivered } = queued
    const { exchange, routingKey } = message
    const { messageCount } = queue
    this.parts.send('basic.get-ok', { deliveryTag, redelivered, exchange, routingKey, messageCount })
    writeContent(host.output, number, host.frameMax, message)
    host.output.written()
  }

  /** @throws {AmqpError} 406 for a tag that is not open. */
  settle(settling: Settling, tag: number | bigint, multiple: boolean, transaction?: Transaction): void {
    const taken = typeof tag === 'number' ? this.#take(tag, multiple) : undefined
    if (taken === undefined) throw preconditionFailed(`unknown delivery tag ${tag}`)
    if (transaction === undefined) this.apply(settling, taken)
    else transaction.settle(settling, taken)
  }

  #take(tag: number, multiple: boolean): Taken | undefined {
    if (multiple) return this.#unsettled.takeUpTo(tag)
    const message = this.#unsettled.take(tag)
    return message === undefined ? undefined : { tags: [tag], messages: [message] }
  }

  /** Tells the queues, and asks them for more where there is room again. */
  apply(settling: Settling, { messages }: Taken): void {
    const freed = this.#release(messages)
    // What waits is delivered before dead letters come; what comes back has all consumers to choose from.
    if (settling === 'discard') this.#wake(freed)
    else if (settling !== 'acknowledge') this.#lineUp(freed)
    if (settling === 'acknowledge') for (const queued of messages) queued.queue.acknowledge(queued)
    else if (settling === 'discard') for (const queued of messages) queued.queue.reject(queued)
    else this.#giveBack(messages, settling)
    this.#wake(freed)
  }

  /** basic.recover: everything goes back, also what `get` took. */
  recover(): void {
    const taken = this.#unsettled.takeUpTo(0)
    if (taken === undefined) return
    const freed = this.#release(taken.messages)
    this.#lineUp(freed)
    this.#giveBack(taken.messages, 'recover')
    this.#wake(freed)
  }

  /** What a transaction had taken is unsettled again. */
  restore(returned: readonly Taken[]): void {
    this.#unsettled.restore(returned)
  }

  /** The first half of the end: no consumer gets anything any more. */
  stop(): void {
    if (this.#closed) return
    this.#closed = true
    this.#replies?.close()
    this.#replies = undefined
    this.#ending = [...this.#consumers.values()]
    this.#consumers.clear()
  }

  /**
   * The second half: what is unsettled goes back to its queues, and what a transaction holds with it. Only then do the
   * consumers leave them, for whoever is next must find it there, before all that came later.
   */
  giveBackAll(uncommitted: readonly Taken[]): void {
    if (uncommitted.length > 0) this.#unsettled.restore(uncommitted)
    const taken = this.#unsettled.takeUpTo(0)
    if (taken !== undefined) this.#giveBack(taken.messages, 'closed')
    const consumers = this.#ending
    this.#ending = []
    for (const consumer of consumers) consumer.end()
  }

  /** The client reads again, or a limit was lifted: every consumer that waits may go on. */
  wakeAll(): void {
    this.#wake(this.#inTurn())
  }

  /** Called by a consumer: numbers what it takes. */
  taken(queued: QueuedMessage, noAck: boolean): number {
    if (!noAck) this.#shared.take()
    return this.#number(queued, noAck)
  }

  /**
   * What needs no ack takes nothing of the room of the channel, but waits as well while there is none.
   * @source rabbit_limiter: can_send asks for the limit before it looks at whether an ack is required
   */
  hasRoomFor(noAck: boolean): boolean {
    const { output, limits } = this.parts.host
    if (this.#closed || output.full || !this.#shared.hasRoom) return false
    return noAck || this.#unsettled.size < limits.maxUnsettledPerChannel
  }

  /** Called by a consumer whose queue has put it out. */
  consumerGone(consumer: ChannelConsumer): void {
    if (!this.#consumers.delete(consumer.tag)) return
    this.#gone.push(consumer.tag)
    this.parts.host.output.schedule()
  }

  /** Tells the client of consumers that are gone: behind the answer to the method that took their queue away. */
  tellGone(): void {
    if (this.#gone.length === 0) return
    const tags = this.#gone
    this.#gone = []
    if (!this.parts.host.cancelNotify) return
    for (const consumerTag of tags) this.parts.send('basic.cancel', { consumerTag, noWait: true })
  }

  #number(queued: QueuedMessage, noAck: boolean): number {
    const tag = ++this.#lastTag
    if (!noAck) this.#unsettled.add(tag, queued)
    return tag
  }

  /** Gives back the room that messages took; who may take more now. */
  #release(messages: readonly QueuedMessage[]): ReadonlySet<ChannelConsumer> | readonly ChannelConsumer[] {
    if (messages.length === 1) {
      const consumer = (messages[0] as QueuedMessage).consumer as ChannelConsumer | null
      if (consumer === null) return []
      this.#releaseOne(consumer)
      return this.#shared.limit > 0 ? this.#inTurn() : [consumer]
    }
    const freed = new Set<ChannelConsumer>()
    for (const { consumer } of messages) {
      if (consumer === null) continue
      this.#releaseOne(consumer as ChannelConsumer)
      freed.add(consumer as ChannelConsumer)
    }
    return this.#shared.limit > 0 ? this.#inTurn() : freed
  }

  /** All consumers, each time beginning with another one: the first may take all the room that they share. */
  #inTurn(): readonly ChannelConsumer[] {
    const all = [...this.#consumers.values()]
    const first = all.length === 0 ? 0 : this.#turn++ % all.length
    return [...all.slice(first), ...all.slice(0, first)]
  }

  #releaseOne(consumer: ChannelConsumer): void {
    this.#shared.release()
    consumer.release()
  }

  /** All of them stand in line before the first is served: whoever is above the others in a queue goes before them. */
  #wake(consumers: Iterable<ChannelConsumer>): void {
    this.#lineUp(consumers)
    for (const consumer of consumers) consumer.wake()
  }

  #lineUp(consumers: Iterable<ChannelConsumer>): void {
    for (const consumer of consumers) consumer.lineUp()
  }

  #giveBack(messages: readonly QueuedMessage[], cause: ReturnCause): void {
    const queue = messages[0]?.queue
    if (queue !== undefined && messages.every((queued) => queued.queue === queue))
      return queue.giveBack(messages, cause)
    const byQueue = new Map<Queue, QueuedMessage[]>()
    for (const queued of messages) {
      const own = byQueue.get(queued.queue)
      if (own === undefined) byQueue.set(queued.queue, [queued])
      else own.push(queued)
    }
    for (const [one, own] of byQueue) one.giveBack(own, cause)
  }
}

import type { Fields } from '../model/field.ts'
import type { Queue, QueueConsumer } from '../model/queue.ts'
import type { QueuedMessage } from '../model/queued-message.ts'
import type { Consuming } from './consuming.ts'
import { DeliveryFrames } from './delivery-frames.ts'
import { Prefetch } from './prefetch.ts'

/** What basic.consume asked for. */
export interface ConsumerTerms {
  readonly tag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  readonly arguments: Fields
  readonly prefetch: number
  readonly globalPrefetch: boolean
}

/** One consumer of a channel. */
export class ChannelConsumer implements QueueConsumer {
  readonly tag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  readonly arguments: Fields
  readonly prefetch: number
  readonly globalPrefetch: boolean
  readonly label: string
  readonly queue: Queue
  readonly #channel: Consuming
  readonly #room: Prefetch
  readonly #frames: DeliveryFrames
  /** It was asked and had no room, so that its queue waits for `wake`. */
  #waiting = false
  #ended = false

  constructor(channel: Consuming, queue: Queue, terms: ConsumerTerms) {
    this.tag = terms.tag
    this.noAck = terms.noAck
    this.exclusive = terms.exclusive
    this.arguments = terms.arguments
    this.prefetch = terms.prefetch
    this.globalPrefetch = terms.globalPrefetch
    this.queue = queue
    this.#channel = channel
    const { number, host } = channel.parts
    this.label = `${host.name} (${number})`
    this.#room = new Prefetch(terms.noAck ? 0 : terms.prefetch)
    this.#frames = new DeliveryFrames(host.output, number, host.frameMax, terms.tag)
  }

  canTake(): boolean {
    const can = this.#hasRoom()
    if (!can) this.#waiting = true
    return can
  }

  deliver(queued: QueuedMessage): void {
    const tag = this.#channel.taken(queued, this.noAck)
    if (!this.noAck) this.#room.take()
    this.#frames.write(queued.message, tag, queued.redelivered)
  }

  cancelled(): void {
    this.#ended = true
    this.#channel.consumerGone(this)
  }

  /** The client or the channel ends it. */
  end(): void {
    this.#ended = true
    this.queue.cancel(this)
  }

  /** One of its messages was settled. */
  release(): void {
    this.#room.release()
  }

  /** Stands in line at its queue again, which delivers nothing yet. */
  lineUp(): void {
    if (this.#waiting && !this.#ended && this.#hasRoom()) this.queue.lineUp(this)
  }

  /** Asks its queue for more if it waits for that and there is room. */
  wake(): void {
    if (!this.#waiting || this.#ended || !this.#hasRoom()) return
    this.#waiting = false
    this.queue.wake(this)
  }

  /** Asks its queue for the first messages. */
  begin(): void {
    this.#waiting = false
    if (!this.#ended) this.queue.wake(this)
  }

  #hasRoom(): boolean {
    return this.#room.hasRoom && this.#channel.hasRoomFor(this.noAck)
  }
}

import type { DeadlineOptions, HermodError } from '@hermod/kernel'
import type { Channel } from '../client/channel.ts'
import type { Subscription } from '../client/consumer-subscription.ts'
import type { Message } from '../client/message.ts'
import type { MessageSource } from './held-message.ts'
import type { Queue } from './queue.ts'

/** How queues are consumed. */
export interface ConsumingOptions {
  readonly prefetchCount: number | undefined
  /** Undefined: as each queue says. */
  readonly noAck: boolean | undefined
}

/** What a {@link ConsumedQueues} tells its consumer. */
export interface ConsumedQueuesListener {
  onMessage(message: Message, source: MessageSource): void
  /** A queue is not consumed any more, and not because of us. */
  onEnded(queue: Queue, error: HermodError): void
}

class ConsumedQueue implements MessageSource {
  readonly name: string
  subscription: Subscription | undefined

  constructor(name: string) {
    this.name = name
  }
}

/** The queues of one consumer, and which of them are consumed on its channel. */
export class ConsumedQueues {
  readonly #listener: ConsumedQueuesListener
  readonly #queues: Set<Queue>
  readonly #consumed = new Map<Queue, ConsumedQueue>()

  constructor(queues: readonly Queue[], listener: ConsumedQueuesListener) {
    this.#queues = new Set(queues)
    this.#listener = listener
  }

  get all(): readonly Queue[] {
    return [...this.#queues]
  }

  /** How many are consumed. */
  get consumedCount(): number {
    return this.#consumed.size
  }

  get missing(): Queue[] {
    return this.all.filter((queue) => !this.#consumed.has(queue))
  }

  /** The queue itself, or the one with this name, also where the broker chose it. */
  find(queue: Queue | string): Queue | undefined {
    if (typeof queue !== 'string') return this.#queues.has(queue) ? queue : undefined
    return this.all.find((one) => one.name === queue || this.nameOf(one) === queue)
  }

  isConsumed(queue: Queue): boolean {
    return this.#consumed.has(queue)
  }

  /** The name under which a queue is consumed; its own where it is not. */
  nameOf(queue: Queue): string {
    const consumed = this.#consumed.get(queue)
    return consumed?.subscription?.queue ?? consumed?.name ?? queue.name
  }

  add(queue: Queue): void {
    this.#queues.add(queue)
  }

  remove(queue: Queue): void {
    this.#queues.delete(queue)
  }

  /** Consumes a queue; resolves when the broker has said that it does. */
  async consume(
    channel: Channel,
    queue: Queue,
    name: string,
    options: ConsumingOptions,
    deadline: DeadlineOptions,
  ): Promise<void> {
    const consumed = new ConsumedQueue(name)
    const subscription = await channel.consume(
      name,
      {
        prefetchCount: options.prefetchCount,
        noAck: options.noAck ?? queue.noAck,
        arguments: queue.consumerArguments,
        ...deadline,
      },
      (message) => this.#listener.onMessage(message, consumed),
    )
    consumed.subscription = subscription
    this.#consumed.set(queue, consumed)
    void this.#watch(queue, consumed, subscription)
  }

  async #watch(queue: Queue, consumed: ConsumedQueue, subscription: Subscription): Promise<void> {
    const { error } = await subscription.closed
    if (this.#consumed.get(queue) !== consumed) return
    this.#consumed.delete(queue)
    if (error !== undefined) this.#listener.onEnded(queue, error)
  }

  /** Consumes every queue once more with other options, and then ends the consuming before. */
  async consumeAnew(channel: Channel, options: ConsumingOptions, deadline: DeadlineOptions): Promise<void> {
    for (const [queue, before] of Array.from(this.#consumed)) {
      await this.consume(channel, queue, this.nameOf(queue), options, deadline)
      await before.subscription?.cancel()
    }
  }

  async cancel(queue: Queue): Promise<void> {
    const consumed = this.#consumed.get(queue)
    this.#consumed.delete(queue)
    await consumed?.subscription?.cancel()
  }

  async cancelAll(): Promise<void> {
    await Promise.all(Array.from(this.#consumed.keys(), (queue) => this.cancel(queue)))
  }
}

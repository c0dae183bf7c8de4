import type { FieldTable } from '@hermod/amqp'
import { seededRandom } from '@hermod/testkit'
import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

const STEPS = 40
const CHANNELS = [1, 2, 3]

/** What the queue of a walk is like. */
const QUEUES: readonly (readonly [what: string, args: FieldTable])[] = [
  ['a plain queue', {}],
  ['priorities', { 'x-max-priority': 3 }],
  ['a length limit', { 'x-max-length': 3 }],
  ['a length limit in bytes', { 'x-max-length-bytes': 25 }],
  ['publishes that are refused', { 'x-max-length': 3, 'x-overflow': 'reject-publish' }],
  ['dead letters', { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' }],
  [
    'dead letters of a length limit',
    { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead', 'x-max-length': 2 },
  ],
]

/** One client that does at random what clients do with a queue. What it does follows from the seed and the answers. */
class Walk {
  readonly #stage: Stage
  readonly #a: FramePeer
  readonly #random: () => number
  /** The tags of each channel that are settled or were given back. */
  readonly #settled = new Map<number, Set<number>>()
  /** Which channels consume, under which tag. */
  readonly #consuming = new Map<number, string>()
  #published = 0
  #consumers = 0

  constructor(stage: Stage, a: FramePeer, seed: number) {
    this.#stage = stage
    this.#a = a
    this.#random = seededRandom(seed)
  }

  async step(): Promise<void> {
    const channel = this.#pick(CHANNELS)
    await this.#stage.reopen(this.#a, channel)
    const open = this.#open(channel)
    const acts: (() => void)[] = [
      () => this.#publish(channel),
      () => this.#publish(channel),
      () => this.#publish(channel),
      () => this.#publish(channel),
      () => this.#a.say(channel, 'basic.get', { queue: 'q' }),
      () => this.#a.say(channel, 'queue.declare', { queue: 'q', passive: true }),
      () => this.#a.say(channel, 'basic.qos', { prefetchCount: 1 + this.#below(3) }),
      () => this.#consume(channel),
      () => this.#consume(channel),
      ...(open.length === 0
        ? []
        : [
            () => this.#settle(channel, open, 'basic.ack'),
            () => this.#settle(channel, open, 'basic.ack'),
            () => this.#settle(channel, open, 'basic.nack'),
            () => this.#settle(channel, open, 'basic.reject'),
          ]),
      ...(this.#random() < 0.2
        ? [
            () => this.#recover(channel),
            () => this.#leave(channel),
            () => this.#a.say(channel, 'queue.purge', { queue: 'q' }),
          ]
        : []),
    ]
    this.#pick(acts)()
    await this.#stage.settleQueue(this.#a, 'q')
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T
  }

  #open(channel: number): readonly number[] {
    const settled = this.#settled.get(channel)
    const tags = Array.from({ length: this.#a.lastDelivery(channel) }, (_, index) => index + 1)
    return tags.filter((tag) => settled?.has(tag) !== true)
  }

  #close(channel: number, tags: readonly number[]): void {
    const settled = this.#settled.get(channel) ?? new Set()
    this.#settled.set(channel, settled)
    for (const tag of tags) settled.add(tag)
  }

  #publish(channel: number): void {
    const body = `${++this.#published}`.padEnd(1 + this.#below(10), '.')
    this.#a.publish(channel, { routingKey: 'q', properties: { priority: this.#below(5) }, body })
  }

  /** Every consumer has a tag of its own: RabbitMQ 3.10 credits an ack to whoever has the tag now. */
  #consume(channel: number): void {
    const known = this.#consuming.get(channel)
    if (known !== undefined) {
      this.#consuming.delete(channel)
      return this.#a.say(channel, 'basic.cancel', { consumerTag: known })
    }
    const consumerTag = `c${++this.#consumers}`
    this.#consuming.set(channel, consumerTag)
    this.#a.say(channel, 'basic.consume', {
      queue: 'q',
      consumerTag,
      arguments: { 'x-priority': this.#below(2) },
    })
  }

  #settle(channel: number, open: readonly number[], name: 'basic.ack' | 'basic.nack' | 'basic.reject'): void {
    const deliveryTag = this.#pick(open)
    // Of many at once RabbitMQ gives back those of one consumer before those of another, whatever their order.
    const requeue = this.#random() < 0.7
    const multiple = this.#random() < 0.3 && (name === 'basic.ack' || (name === 'basic.nack' && !requeue))
    this.#close(channel, multiple ? open.filter((tag) => tag <= deliveryTag) : [deliveryTag])
    if (name === 'basic.ack') this.#a.say(channel, name, { deliveryTag, multiple })
    else if (name === 'basic.nack') this.#a.say(channel, name, { deliveryTag, multiple, requeue })
    else this.#a.say(channel, name, { deliveryTag, requeue })
  }

  #recover(channel: number): void {
    this.#close(channel, this.#open(channel))
    this.#a.say(channel, 'basic.recover')
  }

  #leave(channel: number): void {
    this.#settled.delete(channel)
    this.#consuming.delete(channel)
    this.#a.say(channel, 'channel.close')
  }
}

/** Random walks: `count` of them through each kind of queue. */
export const walks = (count: number, firstSeed: number) =>
  scriptGroup('walks', (script) => {
    for (const [what, args] of QUEUES) {
      for (let seed = firstSeed; seed < firstSeed + count; seed++) {
        script(`${what}, seed ${seed}`, async (stage) => {
          const a = await stage.open({ channels: CHANNELS })
          await stage.do(a, 1, 'queue.declare', { queue: 'dead', exclusive: true })
          await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: args })
          for (const channel of CHANNELS) a.say(channel, 'basic.qos', { prefetchCount: channel })
          await stage.settle()
          const walk = new Walk(stage, a, seed)
          for (let step = 0; step < STEPS; step++) await walk.step()
          await stage.do(a, 1, 'queue.declare', { queue: 'dead', passive: true })
        })
      }
    }
  })

import { randomUUID } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import type { BasicProperties } from '@hermod/amqp'
import { rabbit, type RabbitOptions } from '@hermod/driver-rabbit'
import type { JsonObject, JsonValue } from '@hermod/kernel'
import { createTransport, readEnvelope, type Transport } from '@hermod/messaging'
import {
  contentBytes,
  eventually,
  ScriptedBroker,
  type BrokerLink,
  type ReceivedPublish,
} from '@hermod/testkit'

const MIB = 1 << 20

/** How peers of oslo.messaging send. */
export const ORDINARY: BasicProperties = {
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  deliveryMode: 2,
  priority: 0,
  headers: {},
}

/** A body in its envelope. */
export function enveloped(message: unknown, version: unknown = '2.0'): string {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  return JSON.stringify({ 'oslo.version': version, 'oslo.message': text })
}

/** A zlib stream of about a megabyte that becomes a gigabyte. */
export function gigabyteBomb(): Buffer {
  const block = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([Buffer.from([0x78, 0x9c]), ...Array.from({ length: 1024 }, () => block)])
}

interface Consuming {
  readonly link: BrokerLink
  readonly channel: number
  readonly consumerTag: string
}

/** A broker between Hermod and peers of no good will: it delivers what a test wants to any queue, and keeps replies. */
export class HostileOsloBroker implements AsyncDisposable {
  readonly broker: ScriptedBroker = new ScriptedBroker()
  /** The messages that were published, by routing key. */
  readonly published: Map<string, JsonObject[]> = new Map()
  /** Queues that are there for nobody: what is published to them comes back. */
  isMissing: (queue: string) => boolean = () => false
  readonly #consuming = new Map<string, Consuming>()
  readonly #tags = new Map<string, number>()
  readonly #open: Transport[] = []

  constructor() {
    this.broker.on('basic.consume', ({ channel, args }, link) => {
      this.#consuming.set(args.queue, { link, channel, consumerTag: args.consumerTag })
    })
    this.broker.onPublish = (publish, link) => this.#take(publish, link)
  }

  /** A transport on this broker; closed with it. */
  transport(options: RabbitOptions = {}): Transport {
    const drivers = [rabbit({ options: { heartbeatMs: 0, ...options }, dial: this.broker.dial })]
    const transport = createTransport('rabbit://user:sesame@broker/', { drivers })
    this.#open.push(transport)
    return transport
  }

  /** Delivers to whoever consumes the queue. */
  deliver(queue: string, body: string | Uint8Array, properties: BasicProperties = ORDINARY): void {
    const { link, channel, consumerTag } = this.#consuming.get(queue)!
    const deliveryTag = (this.#tags.get(String(channel)) ?? 0) + 1
    this.#tags.set(String(channel), deliveryTag)
    const args = { consumerTag, deliveryTag, redelivered: false, exchange: 'openstack', routingKey: queue }
    link.raw(contentBytes(channel, 'basic.deliver', args, properties, body))
  }

  /** The queue to which the replies of calls come. */
  get replyQueue(): string {
    return [...this.#consuming.keys()].find((queue) => queue.startsWith('reply_'))!
  }

  /** What a request to this queue is answered with, from a caller of good will. */
  async ask(queue: string, request: JsonObject): Promise<JsonObject> {
    const replyQueue = `reply_of_${randomUUID()}`
    const ids = { _msg_id: randomUUID(), _reply_q: replyQueue, _unique_id: randomUUID() }
    this.deliver(queue, enveloped({ ...request, ...ids }))
    return this.reply(replyQueue)
  }

  /** The first message that was published to this queue. */
  async reply(queue: string): Promise<JsonObject> {
    await eventually(() => this.published.has(queue), { timeoutMs: 30_000, intervalMs: 1 })
    return this.published.get(queue)![0]!
  }

  /** The failure in a reply. */
  static failureOf(reply: JsonObject): JsonObject {
    return JSON.parse(reply['failure'] as string) as JsonObject
  }

  /** A request that was published. */
  async request(queue: string, count: number): Promise<JsonObject> {
    await eventually(() => (this.published.get(queue)?.length ?? 0) >= count, { intervalMs: 1 })
    return this.published.get(queue)![count - 1]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((transport) => transport.close()))
  }

  #take(publish: ReceivedPublish, link: BrokerLink): void {
    const { routingKey } = publish
    if (this.isMissing(routingKey)) {
      link.giveBack(publish)
      return
    }
    const known = this.published.get(routingKey)
    const { message } = readEnvelope(publish.body)
    if (known === undefined) this.published.set(routingKey, [message])
    else known.push(message)
  }
}

/** A value inside so many lists. */
export function nestedLists(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`
}

/** An object of so many members. */
export function manyMembers(count: number, prefix = 'k'): Record<string, JsonValue> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, at]))
}

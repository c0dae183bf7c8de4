import type { BasicProperties, FieldTable } from '@hermod/amqp'
import { ByteReader, ByteWriter, readProperties, writeProperties } from '@hermod/amqp/wire'
import { ManualClock } from '@hermod/testkit'
import { LIMITS, type Limits } from '../../src/limits.ts'
import { BrokerModel } from '../../src/model/broker-model.ts'
import { fieldsFrom } from '../../src/model/field-table.ts'
import { Message } from '../../src/model/message.ts'
import type { QueueConsumer, RoutedQueue } from '../../src/model/queue.ts'
import type { QueuedMessage } from '../../src/model/queued-message.ts'
import type { PublishOutcome, VirtualHost } from '../../src/model/virtual-host.ts'
import { PROFILES, type ProfileName } from '../../src/profile.ts'

/** The connection of a test. */
export const OWNER: object = { of: 'the test' }

/** What a content header frame carries. */
function headerPayload(bodySize: number, properties: BasicProperties = {}): Buffer {
  const writer = new ByteWriter()
  writer.uint16(60)
  writer.uint16(0)
  writer.uint64(bodySize)
  writeProperties(writer, properties)
  return Buffer.from(writer.written())
}

/** A message as a session would make it: header and body ranges of one chunk. */
export function messageOf(
  exchange: string,
  routingKey: string,
  body = '',
  properties: BasicProperties = {},
): Message {
  const content = Buffer.from(body)
  const header = headerPayload(content.length, properties)
  const chunk = Buffer.concat([Buffer.from('before'), header, Buffer.from('between'), content])
  const message = new Message(exchange, routingKey, content.length, chunk, 6, 6 + header.length)
  message.setBody(chunk, chunk.length - content.length, chunk.length, null)
  return message
}

/** The body of a message, wherever its pieces lie. */
export function bodyOf(message: Message): string {
  const first = message.body.subarray(message.bodyStart, message.bodyEnd)
  return Buffer.concat([first, ...(message.more ?? [])]).toString()
}

/** The properties of a message as a client would read them. */
export function propertiesOf({ header, headerStart, headerEnd }: Message): BasicProperties {
  const reader = new ByteReader().reset(header, headerStart + 12, headerEnd)
  const properties = readProperties(reader)
  reader.finish('the properties')
  return properties
}

export interface ConsumerTerms {
  readonly tag?: string
  readonly noAck?: boolean
  readonly exclusive?: boolean
  readonly prefetch?: number
  readonly globalPrefetch?: boolean
  readonly arguments?: FieldTable
}

/** A consumer that keeps what it gets, and has room for as many as its prefetch count says. */
export class RecordingConsumer implements QueueConsumer {
  readonly tag: string
  readonly noAck: boolean
  readonly exclusive: boolean
  readonly prefetch: number
  readonly globalPrefetch: boolean
  readonly arguments: QueueConsumer['arguments']
  readonly label = 'a test'
  /** Not settled. */
  readonly held: QueuedMessage[] = []
  /** Everything that came. */
  readonly bodies: string[] = []
  ended = false

  constructor(terms: ConsumerTerms = {}) {
    this.tag = terms.tag ?? 'c'
    this.noAck = terms.noAck ?? false
    this.exclusive = terms.exclusive ?? false
    this.prefetch = terms.prefetch ?? 0
    this.globalPrefetch = terms.globalPrefetch ?? false
    this.arguments = fieldsFrom(terms.arguments ?? {})
  }

  canTake(): boolean {
    return this.prefetch === 0 || this.held.length < this.prefetch
  }

  deliver(queued: QueuedMessage): void {
    this.bodies.push(bodyOf(queued.message))
    if (!this.noAck) this.held.push(queued)
  }

  cancelled(): void {
    this.ended = true
  }

  /** Takes the oldest message that is not settled. */
  take(): QueuedMessage {
    const queued = this.held.shift()
    if (queued === undefined) throw new Error('the consumer holds nothing')
    return queued
  }
}

/** A broker's model on a clock that the test moves. */
export class ModelFixture {
  readonly clock: ManualClock = new ManualClock()
  readonly model: BrokerModel
  readonly vhost: VirtualHost
  readonly alarms: boolean[] = []
  readonly owner: object = OWNER

  constructor(profile: ProfileName = 'rabbitmq-3.10', limits: Partial<Limits> = {}, memoryLimitBytes = 1e9) {
    this.model = new BrokerModel({
      clock: this.clock,
      profile: PROFILES[profile],
      limits: { ...LIMITS, ...limits },
      memoryLimitBytes,
      memoryAlarm: (raised) => this.alarms.push(raised),
      virtualHosts: ['/'],
    })
    this.vhost = this.model.virtualHosts.get('/') as VirtualHost
  }

  /** Declares a classic queue with these arguments. */
  queue(name: string, args: FieldTable = {}, terms: Partial<Terms> = {}): RoutedQueue {
    const declaration = { name, durable: false, exclusive: false, autoDelete: false, ...terms }
    const queue = this.vhost.declareQueue({ ...declaration, arguments: fieldsFrom(args) }, OWNER)
    return queue as RoutedQueue
  }

  /** Declares a queue of this type. */
  replicated(type: 'quorum' | 'stream', name: string, args: FieldTable = {}): RoutedQueue {
    return this.queue(name, { 'x-queue-type': type, ...args }, { durable: true })
  }

  exchange(name: string, type: string, args: FieldTable = {}, terms: Partial<ExchangeTerms> = {}): void {
    const declaration = { name, type, durable: false, autoDelete: false, internal: false, ...terms }
    this.vhost.declareExchange({ ...declaration, arguments: fieldsFrom(args) })
  }

  bind(queue: string, exchange: string, key = '', args: FieldTable = {}): void {
    this.vhost.bindQueue(queue, exchange, key, fieldsFrom(args), OWNER)
  }

  bindExchange(destination: string, source: string, key = '', args: FieldTable = {}): void {
    this.vhost.bindExchange(destination, source, key, fieldsFrom(args))
  }

  publish(exchange: string, key: string, body = '', properties: BasicProperties = {}): PublishOutcome {
    return this.send(messageOf(exchange, key, body, properties))
  }

  /** The same with a message that the test goes on looking at. */
  send(message: Message): PublishOutcome {
    this.vhost.admit(message, 'guest')
    return this.vhost.deliver(message, this.vhost.route(message))
  }

  /** Sends these bodies to a queue. */
  fill(queue: string, ...bodies: readonly string[]): void {
    for (const body of bodies) this.publish('', queue, body)
  }

  /** Consumes, and gets what waits. */
  consume(queue: RoutedQueue, terms: ConsumerTerms = {}): RecordingConsumer {
    const consumer = new RecordingConsumer(terms)
    queue.consume(consumer)
    queue.wake(consumer)
    return consumer
  }

  /** Takes out everything that is ready: the bodies. */
  drain(queue: RoutedQueue): string[] {
    const bodies: string[] = []
    for (let queued = queue.get(true); queued !== undefined; queued = queue.get(true)) {
      bodies.push(bodyOf(queued.message))
    }
    return bodies
  }

  /** What is bound to reach queues: their names. */
  reached(exchange: string, key: string, properties: BasicProperties = {}): string[] {
    const message = messageOf(exchange, key, '', properties)
    this.vhost.admit(message, 'guest')
    return this.vhost
      .route(message)
      .map(({ name }) => name)
      .toSorted()
  }
}

interface Terms {
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
}

interface ExchangeTerms {
  readonly durable: boolean
  readonly autoDelete: boolean
  readonly internal: boolean
}

/** The code and text that a call is refused with. */
export function refusal(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof Error && 'replyText' in error && 'replyCode' in error) {
      return `${String(error.replyCode)} ${String(error.replyText)}`
    }
    throw error
  }
  throw new Error('was not refused')
}

import type { JsonObject, JsonValue } from '@hermod/kernel'
import {
  createTransport,
  readEnvelope,
  type CallSendOptions,
  type Destination,
  type IncomingNotification,
  type IncomingRequest,
  type NotifyOptions,
  type OutgoingNotification,
  type OutgoingRequest,
  type Transport,
} from '@hermod/messaging'
import { ManualClock, ScriptedBroker, type BrokerLink, type ReceivedPublish } from '@hermod/testkit'
import { rabbit } from '../src/index.ts'
import type { RabbitOptions } from '../src/rabbit-settings.ts'

export const CALL: CallSendOptions = {
  signal: undefined,
  retries: undefined,
  mandatory: false,
  timeoutMs: 60_000,
  monitorTimeoutMs: undefined,
}

const NOTIFY: NotifyOptions = {
  signal: undefined,
  timeoutMs: undefined,
  retries: undefined,
  envelope: '2.0',
}

export const SOURCE = { exchange: 'nova', topic: 'notifications', priority: 'info' } as const

/** A transport on a scripted broker, with a clock that only the test moves. */
export class ScriptedRabbit implements AsyncDisposable {
  readonly broker: ScriptedBroker = new ScriptedBroker()
  readonly clock: ManualClock = new ManualClock()
  readonly transport: Transport
  readonly refused: string[] = []

  constructor(options: RabbitOptions = {}) {
    const drivers = [rabbit({ options, dial: this.broker.dial })]
    const url = 'rabbit://user:sesame@broker/'
    this.transport = createTransport(url, { drivers, clock: this.clock })
    this.transport.on('refused', ({ source, reason }) => this.refused.push(`${source}: ${reason}`))
  }

  /** The connection on which a method was seen. */
  async linkOf(name: 'basic.publish' | 'basic.consume', index = 0): Promise<BrokerLink> {
    for (let turns = 0; turns < 200; turns++) {
      const found = this.broker.links.filter((link) => link.all(name).length > 0)[index]
      if (found !== undefined) return found
      await this.clock.pass(0)
    }
    throw new Error(`no connection saw ${name}`)
  }

  /** Everything published so far on any connection. */
  get publishes(): readonly ReceivedPublish[] {
    return this.broker.links.flatMap((link) => link.publishes)
  }

  /** Lets time pass until there are so many publishes. */
  async published(count: number, stepMs = 0): Promise<readonly ReceivedPublish[]> {
    for (let turns = 0; turns < 400 && this.publishes.length < count; turns++) await this.clock.pass(stepMs)
    if (this.publishes.length < count) throw new Error(`${this.publishes.length} publishes, not ${count}`)
    return this.publishes
  }

  /** Lets time pass, step by step, until the work is done. */
  async until<T>(work: Promise<T>, stepMs: number): Promise<T> {
    const progress = { done: false }
    const end = (): void => void (progress.done = true)
    work.then(end, end)
    while (!progress.done) await this.clock.pass(stepMs)
    return work
  }

  /** Breaks a connection and lets it come back. */
  async reconnect(link: BrokerLink): Promise<BrokerLink> {
    const known = this.broker.links.length
    link.drop()
    for (let turns = 0; turns < 400; turns++) {
      await this.clock.pass(100)
      const [next] = this.broker.links.slice(known)
      if (next === undefined || next.all('connection.open').length === 0) continue
      // All that is restored, answer by answer.
      for (let more = 0; more < 10; more++) await this.clock.pass(0)
      return next
    }
    throw new Error('the connection did not come back')
  }

  /** Delivers a message to the consumer of a queue, from the link's `index`-th delivery on. */
  deliver(link: BrokerLink, queue: string, message: JsonValue | string, tag = 1): void {
    const consume = link.all('basic.consume').find(({ args }) => args.queue === queue)
    if (consume === undefined) throw new Error(`nobody consumes ${queue}`)
    const body = typeof message === 'string' ? message : JSON.stringify(message)
    link.deliver(consume.channel, consume.args.consumerTag, tag, body)
  }

  call(args: JsonObject = {}, more: Partial<CallSendOptions> = {}): ReturnType<Transport['driver']['call']> {
    return this.transport.driver.call(TO, requestOf(args), { ...CALL, ...more })
  }

  cast(args: JsonObject = {}, to: Partial<Destination> = {}): Promise<void> {
    return this.transport.driver.cast({ ...TO, ...to }, requestOf(args), CALL)
  }

  notify(message: OutgoingNotification = NOTE, more: Partial<NotifyOptions> = {}): Promise<void> {
    return this.transport.driver.notify(SOURCE, message, { ...NOTIFY, ...more })
  }

  async serve(
    signal?: AbortSignal,
  ): Promise<{ readonly requests: IncomingRequest[]; readonly close: () => Promise<void> }> {
    const requests: IncomingRequest[] = []
    const subscription = await this.transport.driver.serve(
      { exchange: 'nova', topic: 'calc', server: 'node1' },
      { backlog: 8, onRequest: (request) => requests.push(request), signal },
    )
    return { requests, close: () => subscription.close() }
  }

  async listen(): Promise<IncomingNotification[]> {
    const notifications: IncomingNotification[] = []
    await this.transport.driver.listen([SOURCE], {
      pool: undefined,
      backlog: 8,
      onNotification: (notification) => notifications.push(notification),
    })
    return notifications
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.transport.close()
    await this.until(closed, 1000)
  }
}

export const TO: Destination = { exchange: 'nova', topic: 'calc', server: undefined, fanout: false }

export const NOTE: OutgoingNotification = {
  message: { event_type: 'compute.instance.create.end', priority: 'INFO', payload: { id: 'i-1' } },
  context: {},
  headers: {},
}

export function requestOf(args: JsonObject): OutgoingRequest {
  return { message: { method: 'add', args }, context: {}, headers: {} }
}

/** The message inside what was published. */
export function innerOf({ body }: ReceivedPublish): JsonObject {
  return readEnvelope(body).message
}

/** A reply as a server sends it. */
export function replyTo(request: ReceivedPublish, members: JsonObject): JsonObject {
  const { _msg_id: msgId } = innerOf(request)
  const message = { result: null, failure: null, ending: true, _msg_id: msgId!, _unique_id: 'u', ...members }
  return { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }
}

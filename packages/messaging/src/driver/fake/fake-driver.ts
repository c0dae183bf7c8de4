import { randomUUID } from 'node:crypto'
import {
  ConnectionClosedError,
  parsePythonJson,
  stringifyJson,
  type DeadlineOptions,
  type JsonObject,
} from '@hermod/kernel'
import { readNotification } from '../../notification.ts'
import type { DriverCapabilities } from '../driver-capabilities.ts'
import type {
  CallSendOptions,
  Destination,
  Driver,
  DriverOptions,
  DriverStats,
  DriverSubscription,
  ListenOptions,
  NotificationDestination,
  NotificationSource,
  NotifyOptions,
  OutgoingNotification,
  OutgoingRequest,
  Reply,
  SendOptions,
  ServedTarget,
  ServeOptions,
} from '../driver.ts'
import { FakeCall } from './fake-call.ts'
import { createFakeCounters } from './fake-counters.ts'
import { FakeNotification } from './fake-notification.ts'
import type { FakeMessage, FakeQueue } from './fake-queue.ts'
import { FakeRequest, type RequestContent } from './fake-request.ts'
import { FakeSubscription, type FakeHandover } from './fake-subscription.ts'
import type { FakeWorld } from './fake-world.ts'

/** How a {@link FakeDriver} behaves. */
export interface FakeDriverSettings {
  /** How many messages a queue holds. */
  readonly queueLimit: number
  /** How often each message is sent. */
  readonly copies: number
}

/** Carries messages within the process. */
export class FakeDriver implements Driver {
  readonly name: string
  readonly capabilities: DriverCapabilities = {
    rpc: true,
    fanout: true,
    mandatory: true,
    callMonitoring: true,
    redelivery: true,
    notifications: true,
    pools: true,
    requeue: true,
    headers: true,
  }
  readonly #world: FakeWorld
  readonly #options: DriverOptions
  readonly #settings: FakeDriverSettings
  readonly #counters = createFakeCounters()
  readonly #calls = new Set<FakeCall>()
  readonly #subscriptions = new Set<FakeSubscription>()
  #connected = false
  #closed: ConnectionClosedError | undefined

  constructor(world: FakeWorld, options: DriverOptions, settings: FakeDriverSettings) {
    this.name = options.url.driver
    this.#world = world
    this.#options = options
    this.#settings = settings
  }

  connect(options: DeadlineOptions = {}): Promise<void> {
    return this.#begin(options.signal, () => {})
  }

  call(destination: Destination, request: OutgoingRequest, options: CallSendOptions): Promise<Reply> {
    return this.#begin(options.signal, async () => {
      const text = textOf(request)
      const queues = this.#world.queuesTo(destination, options.mandatory)
      const operation = `the call of '${request.message.method}' on topic '${destination.topic}'`
      const call = new FakeCall(operation, options, this.#options.clock, () => this.#onLateReply())
      this.#calls.add(call)
      this.#send(queues, destination.topic, text, request.headers, call)
      try {
        const reply = await call.reply
        this.#counters.received++
        return reply
      } finally {
        this.#calls.delete(call)
      }
    })
  }

  cast(destination: Destination, request: OutgoingRequest, options: SendOptions): Promise<void> {
    return this.#begin(options.signal, () => {
      const text = textOf(request)
      const queues = this.#world.queuesTo(destination, options.mandatory)
      this.#send(queues, destination.topic, text, request.headers)
    })
  }

  serve(served: ServedTarget, options: ServeOptions): Promise<DriverSubscription> {
    return this.#begin(options.signal, () => {
      const { shared, fanout } = this.#world.queuesFor(served)
      return this.#subscribe(
        [...shared, fanout],
        options.backlog,
        (content, handover) =>
          new FakeRequest(content as unknown as RequestContent, handover, this.#counters),
        options.onRequest,
        () => this.#world.endFanout(served.topic, fanout),
      )
    })
  }

  notify(
    destination: NotificationDestination,
    notification: OutgoingNotification,
    options: NotifyOptions,
  ): Promise<void> {
    return this.#begin(options.signal, () => {
      const { message, context, headers } = notification
      // fromEntries defines members, so that one called `__proto__` stays an ordinary one.
      const flat = Object.fromEntries(
        Object.entries(context).map(([key, value]) => [`_context_${key}`, value]),
      )
      const text = stringifyJson({ ...message, ...flat })
      this.#send(this.#world.queuesOf(destination), destination.topic, text, headers)
    })
  }

  listen(sources: readonly NotificationSource[], options: ListenOptions): Promise<DriverSubscription> {
    return this.#begin(options.signal, () =>
      this.#subscribe(
        this.#world.queuesOfListener(sources, options.pool),
        options.backlog,
        (content, handover) => {
          const notification = readNotification({ ...content, _unique_id: handover.message.id })
          return new FakeNotification(notification, handover, this.#counters)
        },
        options.onNotification,
      ),
    )
  }

  stats(): DriverStats {
    return { ...this.#counters }
  }

  async close(): Promise<void> {
    this.#closed ??= new ConnectionClosedError('the transport was closed')
    for (const call of this.#calls) call.fail(this.#closed)
    for (const subscription of Array.from(this.#subscriptions)) await subscription.close()
  }

  /** Does the work of one call of the driver, unless it is closed or the caller gave up. */
  async #begin<T>(signal: AbortSignal | undefined, work: () => T | Promise<T>): Promise<T> {
    if (signal?.aborted === true) throw signal.reason
    if (this.#closed !== undefined) throw this.#closed
    if (!this.#connected) {
      this.#connected = true
      this.#options.onEvent({ type: 'connected', server: this.#options.url.toString() })
    }
    return work()
  }

  #send(
    queues: readonly FakeQueue[],
    topic: string,
    text: string,
    headers: Readonly<Record<string, string>>,
    call?: FakeCall,
  ): void {
    const { queueLimit, copies } = this.#settings
    const message: FakeMessage = { id: newId(), topic, text, headers: { ...headers }, call }
    this.#counters.sent++
    for (const queue of queues) {
      for (let copy = 0; copy < copies; copy++) {
        if (!queue.put(message, queueLimit)) this.#counters.dropped++
      }
    }
  }

  #subscribe<Item>(
    queues: readonly FakeQueue[],
    backlog: number,
    read: (content: JsonObject, handover: FakeHandover) => Item,
    give: (item: Item) => void,
    onStop: () => void = () => {},
  ): FakeSubscription {
    const onMessage = (handover: FakeHandover): void => {
      let item: Item
      try {
        item = read(parsePythonJson(handover.message.text) as JsonObject, handover)
      } catch (error) {
        this.#refuse(handover, (error as Error).message)
        return
      }
      this.#counters.received++
      give(item)
    }
    const subscription = new FakeSubscription(queues, backlog, onMessage, onStop)
    this.#subscriptions.add(subscription)
    void subscription.closed.then(() => this.#subscriptions.delete(subscription))
    return subscription
  }

  #refuse(handover: FakeHandover, reason: string): void {
    handover.settle()
    this.#counters.refused++
    this.#options.onEvent({ type: 'refused', source: handover.queue.name, reason })
  }

  #onLateReply(): boolean {
    if (this.#closed !== undefined) return false
    this.#counters.unexpectedReplies++
    return true
  }
}

function textOf({ message, context }: OutgoingRequest): string {
  return stringifyJson({ message, context })
}

/** As on the wire: 32 hexadecimal digits. */
function newId(): string {
  return randomUUID().replaceAll('-', '')
}

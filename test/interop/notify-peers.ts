import { parsePythonJson, stringifyJson, type JsonObject, type JsonValue } from '@hermod/kernel'
import {
  createBatchNotificationListener,
  createNotificationListener,
  createNotifier,
  PRIORITIES,
  type NotificationListener,
  type Priority,
  type ReceivedNotification,
  type Transport,
} from '@hermod/messaging'
import { eventually, type PeerLine, type PythonPeer } from '@hermod/testkit'
import { startPeer } from '../e2e/start-peer.ts'
import { EXCHANGE, openTransport, type Side } from './rpc-peers.ts'

/** A notification to emit, in words that both sides understand. */
export interface Emission {
  readonly topics: readonly string[]
  readonly event_type: string
  readonly payload: JsonValue
  /** `messaging`: envelope 1.0, `messagingv2`: 2.0, which is the default. */
  readonly driver?: 'messaging' | 'messagingv2'
  readonly priority?: Priority
  readonly publisher_id?: string
  readonly context?: JsonObject
}

/** Emits notifications to the exchange {@link EXCHANGE}. */
export interface Emitter extends AsyncDisposable {
  /** Resolves when the broker has it. */
  emit(emission: Emission): Promise<void>
}

/** What a listener was given. */
export interface Heard {
  readonly listener: string
  readonly priority: string
  readonly publisherId: JsonValue
  readonly eventType: string
  readonly payload: JsonValue
  readonly messageId: string
  readonly timestamp: string
  readonly context: JsonObject
  /** The number of its batch. */
  readonly batch?: number
}

/** What one listener takes. */
export interface Listening {
  readonly name: string
  readonly targets: readonly { readonly exchange: string; readonly topic: string }[]
  readonly pool?: string
  /** Each notification goes back once before it is handled. */
  readonly requeue?: boolean
  /** The timeout in seconds. */
  readonly batch?: { readonly size: number; readonly timeout: number }
  /** Regular expressions that must match. */
  readonly filter?: {
    readonly event_type?: string
    readonly publisher_id?: string
    readonly context?: Readonly<Record<string, string>>
    readonly payload?: Readonly<Record<string, string>>
  }
}

/** Runs listeners. */
export interface Listeners extends AsyncDisposable {
  /** Resolves when notifications sent from now on arrive. */
  listen(listening: Listening): Promise<void>
  /** What the listener of this name has got so far. */
  heardBy(name: string): readonly Heard[]
}

export function openEmitter(side: Side, url: string): Emitter {
  return side === 'hermod' ? new HermodEmitter(url) : new PythonEmitter(url, side.python)
}

export function openListeners(side: Side, url: string): Listeners {
  return side === 'hermod' ? new HermodListeners(url) : new PythonListeners(url, side.python)
}

class HermodEmitter implements Emitter {
  readonly #transport: Transport

  constructor(url: string) {
    this.#transport = openTransport(url)
  }

  async emit(emission: Emission): Promise<void> {
    const { topics, driver = 'messagingv2', priority = 'info', publisher_id: publisherId, context } = emission
    const notifier = createNotifier(this.#transport, { topics, drivers: [driver], publisherId })
    await notifier[priority](emission.event_type, emission.payload, { context })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport.close()
  }
}

class PythonEmitter implements Emitter {
  readonly #peer: PythonPeer
  readonly #url: string

  constructor(url: string, python: string) {
    this.#peer = startPeer('oslo_notify', {}, python)
    this.#url = url
  }

  async emit(emission: Emission): Promise<void> {
    await this.#peer.ask(stringifyJson({ url: this.#url, exchange: EXCHANGE, ...emission }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]()
  }
}

class HermodListeners implements Listeners {
  readonly #transport: Transport
  readonly #listeners: NotificationListener[] = []
  readonly #heard: Heard[] = []

  constructor(url: string) {
    this.#transport = openTransport(url)
  }

  async listen(listening: Listening): Promise<void> {
    const { name, targets, pool, requeue = false, batch } = listening
    const { event_type: eventType, publisher_id: publisherId, ...members } = listening.filter ?? {}
    const filter = listening.filter === undefined ? undefined : { eventType, publisherId, ...members }
    const options = { targets, pool, allowRequeue: requeue, requeueDelayMs: 0 }
    const seen = new Set<string>()
    const hear = (priority: string, received: ReceivedNotification, number?: number): void => {
      const { publisherId: by, eventType: type, payload, messageId, timestamp, context } = received
      const heard = { listener: name, priority, publisherId: by, eventType: type, payload, context }
      const ids = { messageId: messageId ?? '', timestamp: timestamp ?? '' }
      this.#heard.push({ ...heard, ...ids, ...(number !== undefined && { batch: number }) })
    }
    const one = (priority: Priority) => (received: ReceivedNotification) => {
      hear(priority, received)
      if (!requeue || seen.has(received.messageId ?? '')) return 'handled' as const
      seen.add(received.messageId ?? '')
      return 'requeue' as const
    }
    let batches = 0
    const many = (priority: Priority) => (all: readonly ReceivedNotification[]) => {
      const number = batches++
      for (const received of all) hear(priority, received, number)
    }
    const handlers = <Handler>(make: (priority: Priority) => Handler): { [Name in Priority]?: Handler } =>
      Object.fromEntries(PRIORITIES.map((priority) => [priority, make(priority)]))
    const listener =
      batch === undefined
        ? createNotificationListener(this.#transport, {
            ...options,
            endpoints: [{ filter, ...handlers(one) }],
          })
        : createBatchNotificationListener(this.#transport, {
            ...options,
            endpoints: [{ filter, ...handlers(many) }],
            batchSize: batch.size,
            batchTimeoutMs: batch.timeout * 1000,
          })
    this.#listeners.push(listener)
    await listener.start()
  }

  heardBy(name: string): readonly Heard[] {
    return this.#heard.filter(({ listener }) => listener === name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop()))
    await this.#transport.close()
  }
}

class PythonListeners implements Listeners {
  readonly #peer: PythonPeer
  readonly #heard: Heard[] = []
  #ready = 0
  #ended = false

  constructor(url: string, python: string) {
    this.#peer = startPeer('oslo_listen', { url }, python)
    void this.#read()
  }

  async listen(listening: Listening): Promise<void> {
    const before = this.#ready
    this.#peer.send(listening)
    await eventually(() => this.#ready > before || this.#ended, { timeoutMs: 60_000 })
    if (this.#ended) throw new Error(this.#peer.stderr)
  }

  heardBy(name: string): readonly Heard[] {
    return this.#heard.filter(({ listener }) => listener === name)
  }

  async #read(): Promise<void> {
    for (;;) {
      const line = await this.#peer.next({ timeoutMs: 600_000 }).catch(() => undefined)
      if (line === undefined) break
      if ('ready' in line) this.#ready++
      else this.#heard.push(heardOf(line))
    }
    this.#ended = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]()
  }
}

function heardOf(line: PeerLine): Heard {
  // Python's listeners add a member of their own.
  const { client_timeout: _, ...context } = line['ctxt'] as JsonObject
  return {
    listener: line['listener'] as string,
    priority: line['priority'] as string,
    publisherId: line['publisher_id'] as JsonValue,
    eventType: line['event_type'] as string,
    payload: parsePythonJson((line['payload'] as { readonly json: string }).json),
    messageId: line['message_id'] as string,
    timestamp: line['timestamp'] as string,
    context,
    ...('batch' in line && { batch: line['batch'] as number }),
  }
}

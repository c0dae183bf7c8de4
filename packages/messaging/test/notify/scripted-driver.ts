import type { JsonObject } from '@hermod/kernel'
import { createDeferred, type Deferred } from '@hermod/kernel'
import { ManualClock } from '@hermod/testkit'
import {
  createTransport,
  readNotification,
  type Driver,
  type DriverCapabilities,
  type DriverSubscription,
  type IncomingNotification,
  type ListenOptions,
  type NotificationDestination,
  type NotificationSource,
  type NotifyOptions,
  type OutgoingNotification,
  type Transport,
  type TransportOptions,
} from '../../src/index.ts'

type Settlement = 'acknowledged' | 'requeued' | 'rejected'

/** A notification that a test delivers, and what became of it. */
export interface Delivered {
  readonly message: JsonObject
  settled: Settlement | undefined
}

const CAPABILITIES: DriverCapabilities = {
  rpc: false,
  fanout: false,
  mandatory: false,
  callMonitoring: false,
  redelivery: false,
  notifications: true,
  pools: true,
  requeue: true,
  headers: true,
}

/** A driver that keeps what it is to send and delivers what the test tells it to. */
export class ScriptedDriver implements Driver {
  readonly name = 'scripted'
  readonly capabilities: DriverCapabilities
  readonly sent: {
    readonly destination: NotificationDestination
    readonly notification: OutgoingNotification
    readonly options: NotifyOptions
  }[] = []
  /** What sending to a topic does instead of resolving. */
  readonly sending = new Map<string, () => Promise<void>>()
  /** What subscribing waits for. */
  subscribing: Promise<void> = Promise.resolve()
  sources: readonly NotificationSource[] = []
  listening: ListenOptions | undefined
  /** What was done to the subscription, in order. */
  readonly subscription: string[] = []
  #ended: Deferred<{ readonly error?: Error }> = createDeferred()

  constructor(capabilities: Partial<DriverCapabilities> = {}) {
    this.capabilities = { ...CAPABILITIES, ...capabilities }
  }

  notify(
    destination: NotificationDestination,
    notification: OutgoingNotification,
    options: NotifyOptions,
  ): Promise<void> {
    this.sent.push({ destination, notification, options })
    return this.sending.get(destination.topic)?.() ?? Promise.resolve()
  }

  async listen(sources: readonly NotificationSource[], options: ListenOptions): Promise<DriverSubscription> {
    this.sources = sources
    this.listening = options
    await this.subscribing
    const ended = createDeferred<{ readonly error?: Error }>()
    this.#ended = ended
    return {
      stop: async () => void this.subscription.push('stop'),
      close: async () => {
        this.subscription.push('close')
        ended.resolve({})
      },
      closed: ended.promise,
    }
  }

  /** Hands a notification over, as the peer would. */
  deliver(
    message: JsonObject,
    facts: { readonly redelivered?: boolean; readonly duplicate?: boolean; readonly topic?: string } = {},
  ): Delivered {
    const delivered: Delivered = { message, settled: undefined }
    const settle = (how: Settlement) => (): boolean => {
      if (delivered.settled !== undefined) throw new TypeError(`settled twice: ${delivered.settled}, ${how}`)
      delivered.settled = how
      return !this.subscription.includes('close')
    }
    const incoming: IncomingNotification = {
      notification: readNotification(message),
      topic: facts.topic ?? 'notifications',
      headers: {},
      redelivered: facts.redelivered ?? false,
      duplicate: facts.duplicate ?? false,
      acknowledge: settle('acknowledged'),
      requeue: settle('requeued'),
      reject: settle('rejected'),
    }
    this.listening!.onNotification(incoming)
    return delivered
  }

  /** Ends the subscription, as the peer would. */
  end(error?: Error): void {
    this.#ended.resolve(error === undefined ? {} : { error })
  }

  stats() {
    return {
      sent: this.sent.length,
      received: 0,
      duplicates: 0,
      refused: 0,
      unexpectedReplies: 0,
      lostReplies: 0,
      disconnects: 0,
    }
  }

  async connect(): Promise<void> {}
  async close(): Promise<void> {}

  call(): never {
    throw new TypeError('no calls here')
  }

  cast(): never {
    throw new TypeError('no casts here')
  }

  serve(): never {
    throw new TypeError('no servers here')
  }
}

/** A scripted driver, its transport and the clock of both. */
export function scriptedTransport(
  options: Partial<TransportOptions> = {},
  capabilities: Partial<DriverCapabilities> = {},
): { readonly driver: ScriptedDriver; readonly transport: Transport; readonly clock: ManualClock } {
  const driver = new ScriptedDriver(capabilities)
  const clock = new ManualClock()
  const transport = createTransport('scripted://', {
    drivers: [{ schemes: ['scripted'], create: () => driver }],
    clock,
    ...options,
  })
  return { driver, transport, clock }
}

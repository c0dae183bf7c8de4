import { strict as assert } from 'node:assert'
import { randomUUID } from 'node:crypto'
import { isHermodError, sleep, type ErrorCode, type JsonObject, type JsonValue } from '@hermod/kernel'
import type {
  CallSendOptions,
  Destination,
  DriverSubscription,
  IncomingNotification,
  IncomingRequest,
  NotificationSource,
  NotifyOptions,
  OutgoingNotification,
  OutgoingRequest,
  Priority,
  Reply,
  SendOptions,
  Transport,
} from '@hermod/messaging'
import { eventually } from '../eventually.ts'
import { Inbox } from './inbox.ts'

/** What the contract is tested on. */
export interface DriverContractSubject {
  /** Makes a transport with a driver of its own; all of them reach the same peer. */
  readonly open: () => Transport
  /** As `open`, but whatever it sends arrives twice under one id. Absent: nothing is known of duplicates. */
  readonly openCopying?: (() => Transport) | undefined
  /** Lets time pass for the drivers; absent: real time passes. */
  readonly elapse?: ((byMs: number) => Promise<void>) | undefined
}

/** A server or a listener of a test: what it was handed, and its end. */
export interface Taking<T> {
  readonly inbox: Inbox<T>
  readonly subscription: DriverSubscription
}

/** How a bench's server takes requests. */
export interface BenchServeOptions {
  readonly server?: string
  readonly backlog?: number
  /** Called for each request instead of keeping it. */
  readonly onRequest?: (request: IncomingRequest) => void
  readonly signal?: AbortSignal
}

/** What one test of the contract works with: transports, and a topic that nobody else uses. */
export class ContractBench {
  readonly topic: string = `contract-${randomUUID()}`
  readonly exchange: string = 'hermod-contract'
  readonly #subject: DriverContractSubject
  readonly #transports: Transport[] = []
  /** The client's side of most tests. */
  readonly client: Transport
  /** The server's side of most tests. */
  readonly peer: Transport

  constructor(subject: DriverContractSubject) {
    this.#subject = subject
    this.client = this.open()
    this.peer = this.open()
  }

  open(): Transport {
    const transport = this.#subject.open()
    this.#transports.push(transport)
    return transport
  }

  /** A transport whose messages arrive twice, where the subject has one. */
  openCopying(): Transport | undefined {
    const transport = this.#subject.openCopying?.()
    if (transport !== undefined) this.#transports.push(transport)
    return transport
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()))
  }

  /** Lets time pass for the drivers. */
  async elapse(byMs: number): Promise<void> {
    await (this.#subject.elapse === undefined ? sleep(byMs) : this.#subject.elapse(byMs))
  }

  /** Lets time pass in steps until the work is done. */
  async elapseUntilSettled(work: Promise<unknown>, stepMs: number): Promise<void> {
    let settled = false
    const watching = work.catch(() => {}).finally(() => (settled = true))
    await eventually(async () => {
      if (!settled) await this.elapse(stepMs)
      return settled
    })
    await watching
  }

  to(parts: Partial<Destination> = {}): Destination {
    const { exchange, topic } = this
    return { exchange, topic, server: undefined, fanout: false, ...parts }
  }

  source(priority: Priority, topic: string = this.topic): NotificationSource {
    return { exchange: this.exchange, topic, priority }
  }

  async serve(transport: Transport, options: BenchServeOptions = {}): Promise<Taking<IncomingRequest>> {
    const inbox = new Inbox<IncomingRequest>()
    const { server = 'one', backlog = 1000, onRequest = (request) => inbox.put(request), signal } = options
    const served = { exchange: this.exchange, topic: this.topic, server }
    const subscription = await transport.driver.serve(served, { backlog, onRequest, signal })
    return { inbox, subscription }
  }

  /** A server that answers every call with what `answer` makes of its arguments. */
  serveAnswers(
    transport: Transport,
    answer: (args: JsonObject) => JsonValue,
  ): Promise<Taking<IncomingRequest>> {
    return this.serve(transport, {
      onRequest: (request) => {
        request.accept()
        void request.reply({ result: answer(request.message['args'] as JsonObject) })
      },
    })
  }

  async listen(
    transport: Transport,
    sources: readonly NotificationSource[],
    options: { readonly pool?: string; readonly backlog?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Taking<IncomingNotification>> {
    const inbox = new Inbox<IncomingNotification>()
    const subscription = await transport.driver.listen(sources, {
      pool: options.pool,
      backlog: options.backlog ?? 1000,
      onNotification: (notification) => inbox.put(notification),
      signal: options.signal,
    })
    return { inbox, subscription }
  }

  call(
    args: JsonObject = {},
    options: Partial<CallSendOptions> = {},
    to: Partial<Destination> = {},
  ): Promise<Reply> {
    return this.client.driver.call(this.to(to), requestOf(args), {
      signal: undefined,
      retries: undefined,
      mandatory: false,
      timeoutMs: 30_000,
      monitorTimeoutMs: undefined,
      ...options,
    })
  }

  cast(
    args: JsonObject = {},
    to: Partial<Destination> = {},
    options: Partial<SendOptions> = {},
  ): Promise<void> {
    const settings = { signal: undefined, retries: undefined, mandatory: false, ...options }
    return this.client.driver.cast(this.to(to), requestOf(args), settings)
  }

  notify(
    eventType: string,
    priority: Priority = 'info',
    more: Partial<OutgoingNotification> & Partial<NotifyOptions> = {},
  ): Promise<void> {
    const { context = {}, headers = {}, message = notificationOf(eventType, priority), ...options } = more
    return this.client.driver.notify(
      this.source(priority),
      { message, context, headers },
      {
        signal: undefined,
        timeoutMs: undefined,
        retries: undefined,
        envelope: '2.0',
        ...options,
      },
    )
  }
}

/** A request for the method `test`. */
export function requestOf(args: JsonObject, more: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { message: { method: 'test', args }, context: {}, headers: {}, ...more }
}

/** A notification as a notifier makes it. */
export function notificationOf(eventType: string, priority: Priority): JsonObject {
  return {
    message_id: randomUUID(),
    publisher_id: 'contract.host',
    event_type: eventType,
    priority: priority.toUpperCase(),
    payload: { of: eventType },
    timestamp: '2026-01-02 03:04:05.678901',
  }
}

/** The argument `n` of a request. */
export function numberOf(request: IncomingRequest): number {
  return (request.message['args'] as { readonly n: number }).n
}

/** Fails unless the work is rejected with an error of this code. */
export async function rejectsWith(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isHermodError(error), `rejected with something else: ${String(error)}`)
    assert.equal(error.code, code, error.message)
    return true
  })
}

/** The members of an object that another one has too: drivers may add some of their own. */
export function sharedMembers(value: object, expected: object): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(expected, key)))
}

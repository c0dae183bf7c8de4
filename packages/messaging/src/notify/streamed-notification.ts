import { MessageStateError, type JsonObject, type JsonValue } from '@hermod/kernel'
import type { IncomingNotification } from '../driver/driver.ts'
import type { Notification } from '../notification.ts'

/** Whether a notification still has to be settled. */
export type StreamedNotificationState = 'received' | 'acked' | 'rejected' | 'requeued'

/**
 * A notification of a stream; whoever takes it settles it, once. Settling it after the peer has taken it back (the
 * connection broke, the stream was closed) changes nothing and returns false: it is delivered again.
 */
export class StreamedNotification implements Notification {
  readonly #incoming: IncomingNotification
  readonly #onSettled: (inTime: boolean) => void
  #state: StreamedNotificationState = 'received'

  constructor(incoming: IncomingNotification, onSettled: (inTime: boolean) => void) {
    this.#incoming = incoming
    this.#onSettled = onSettled
  }

  get messageId(): string | null {
    return this.#incoming.notification.messageId
  }

  get publisherId(): string | null {
    return this.#incoming.notification.publisherId
  }

  get eventType(): string {
    return this.#incoming.notification.eventType
  }

  get priority(): string {
    return this.#incoming.notification.priority
  }

  get payload(): JsonValue {
    return this.#incoming.notification.payload
  }

  get timestamp(): string | null {
    return this.#incoming.notification.timestamp
  }

  get uniqueId(): string | null {
    return this.#incoming.notification.uniqueId
  }

  get context(): JsonObject {
    return this.#incoming.notification.context
  }

  /** The topic that it was sent to, without the priority. */
  get topic(): string {
    return this.#incoming.topic
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#incoming.headers
  }

  /** Whether it was delivered before, to anybody. */
  get redelivered(): boolean {
    return this.#incoming.redelivered
  }

  /** Whether and how it was settled. */
  get state(): StreamedNotificationState {
    return this.#state
  }

  /**
   * It is done with; the peer forgets it.
   * @returns false when the peer has taken it back.
   * @throws {MessageStateError} E_MESSAGE_STATE when it was settled before.
   */
  ack(): boolean {
    return this.#settle('acked', () => this.#incoming.acknowledge())
  }

  /** Gives it back, to be delivered again to anybody, at once. See {@link ack}. */
  requeue(): boolean {
    return this.#settle('requeued', () => this.#incoming.requeue())
  }

  /** Refuses it for good: to the dead-letter exchange, or where there is none, it is lost. See {@link ack}. */
  reject(): boolean {
    return this.#settle('rejected', () => this.#incoming.reject())
  }

  #settle(state: StreamedNotificationState, settle: () => boolean): boolean {
    if (this.#state !== 'received') throw new MessageStateError(`this notification was ${this.#state} before`)
    this.#state = state
    const inTime = settle()
    this.#onSettled(inTime)
    return inTime
  }
}

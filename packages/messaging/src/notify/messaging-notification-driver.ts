import { requireCapabilities } from '../driver/driver-capabilities.ts'
import { observeSend } from '../observe-send.ts'
import type { Transport } from '../transport.ts'
import { deliverToAll } from './deliver-to-all.ts'
import type {
  NotificationDriver,
  NotificationDriverOptions,
  NotificationEmission,
} from './notification-driver.ts'

/**
 * Sends notifications to each topic through the transport, where listeners get them.
 *
 * `messaging` writes the bare message (version 1.0), for readers that know no envelope; `messagingv2` the enveloped one.
 * The copies of several topics have the same message id, and each has an id of its sending of its own.
 *
 * @source oslo.messaging notify/messaging.py MessagingDriver, MessagingV2Driver
 */
export class MessagingNotificationDriver implements NotificationDriver {
  readonly name: 'messaging' | 'messagingv2'
  readonly #transport: Transport
  readonly #topics: readonly string[]

  /** @throws {UnsupportedFeatureError} E_UNSUPPORTED when the driver of the transport has no notifications. */
  constructor(name: 'messaging' | 'messagingv2', { transport, topics }: NotificationDriverOptions) {
    requireCapabilities(transport.driver.name, transport.capabilities, ['notifications'])
    this.name = name
    this.#transport = transport
    this.#topics = topics
  }

  notify(emission: NotificationEmission): Promise<void> {
    const [topic] = this.#topics
    if (topic !== undefined && this.#topics.length === 1) return this.#send(topic, emission)
    return deliverToAll(
      this.#topics.map((each) => ({ place: `topic '${each}'`, send: () => this.#send(each, emission) })),
      emission.signal,
    )
  }

  #send(topic: string, emission: NotificationEmission): Promise<void> {
    const { driver, controlExchange: exchange } = this.#transport
    return observeSend(
      () => ({
        kind: 'notify',
        driver: driver.name,
        exchange,
        topic,
        server: undefined,
        fanout: false,
        method: undefined,
        eventType: emission.message.event_type,
        priority: emission.priority,
        headers: {},
      }),
      (headers) => this.#hand(topic, emission, headers),
    )
  }

  #hand(
    topic: string,
    { message, context, priority, retries, signal, timeoutMs }: NotificationEmission,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { driver, controlExchange: exchange } = this.#transport
    const envelope = this.name === 'messaging' ? '1.0' : '2.0'
    return driver.notify(
      { exchange, topic, priority },
      { message, context, headers },
      { signal, timeoutMs, retries, envelope },
    )
  }
}

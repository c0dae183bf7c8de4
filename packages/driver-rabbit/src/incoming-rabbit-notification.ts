import type { Message } from '@hermod/amqp'
import type { IncomingNotification, Notification } from '@hermod/messaging'
import type { DriverCounters } from './driver-counters.ts'
import { textHeaders } from './decoded-message.ts'
import type { DuplicateWindow } from './duplicate-window.ts'

/** A notification that was delivered. */
export class IncomingRabbitNotification implements IncomingNotification {
  readonly notification: Notification
  readonly #delivery: Message
  readonly #taken: DuplicateWindow
  readonly #counters: DriverCounters
  /** Once it is acknowledged, its id is known because of itself. */
  #wasDuplicate: boolean | undefined

  constructor(
    delivery: Message,
    notification: Notification,
    taken: DuplicateWindow,
    counters: DriverCounters,
  ) {
    this.notification = notification
    this.#delivery = delivery
    this.#taken = taken
    this.#counters = counters
  }

  get topic(): string {
    const { routingKey } = this.#delivery
    const end = routingKey.lastIndexOf('.')
    return end < 0 ? routingKey : routingKey.slice(0, end)
  }

  get headers(): Readonly<Record<string, string>> {
    return textHeaders(this.#delivery)
  }

  get redelivered(): boolean {
    return this.#delivery.redelivered
  }

  /** Looked up when asked: two copies may have been handed over before the first one was acknowledged. */
  get duplicate(): boolean {
    const { uniqueId } = this.notification
    return this.#wasDuplicate ?? (uniqueId !== null && this.#taken.has(uniqueId))
  }

  acknowledge(): boolean {
    if (this.#settled) return false
    const { uniqueId } = this.notification
    this.#wasDuplicate = this.duplicate
    if (this.#wasDuplicate) this.#counters.duplicates++
    const inTime = this.#delivery.ack()
    // Also when the broker takes it back: it was worked on, and what comes again is a copy.
    if (uniqueId !== null) this.#taken.add(uniqueId)
    return inTime
  }

  requeue(): boolean {
    return !this.#settled && this.#delivery.requeue()
  }

  reject(): boolean {
    return !this.#settled && this.#delivery.reject()
  }

  get #settled(): boolean {
    return this.#delivery.state !== 'received'
  }
}

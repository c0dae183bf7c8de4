import type { IncomingNotification } from '../driver.ts'
import type { Notification } from '../../notification.ts'
import type { FakeCounters } from './fake-counters.ts'
import type { FakeHandover } from './fake-subscription.ts'

/** A notification in the hands of a listener. */
export class FakeNotification implements IncomingNotification {
  readonly notification: Notification
  readonly #handover: FakeHandover
  readonly #counters: FakeCounters

  constructor(notification: Notification, handover: FakeHandover, counters: FakeCounters) {
    this.notification = notification
    this.#handover = handover
    this.#counters = counters
  }

  get topic(): string {
    return this.#handover.message.topic
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#handover.message.headers
  }

  get duplicate(): boolean {
    return this.#handover.queue.hasAccepted(this.#handover.message.id)
  }

  get redelivered(): boolean {
    return this.#handover.redelivered
  }

  acknowledge(): boolean {
    const isCopy = this.duplicate
    if (!this.#handover.settle()) return false
    if (isCopy) this.#counters.duplicates++
    this.#handover.queue.accept(this.#handover.message.id)
    return true
  }

  requeue(): boolean {
    return this.#handover.giveBack()
  }

  reject(): boolean {
    if (!this.#handover.settle()) return false
    this.#counters.rejected++
    return true
  }
}

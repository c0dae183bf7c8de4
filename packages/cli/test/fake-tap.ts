import type { Tap, TapStats, TapStatus } from '@hermod/events'
import { AsyncQueue } from '@hermod/kernel'
import type { NotificationEvent } from '@hermod/openstack'

const STATS: TapStats = {
  received: 0,
  delivered: 0,
  ringDropped: 0,
  unreadable: 0,
  gaps: 0,
  brokerMayHaveDropped: false,
  bindings: [
    { exchange: 'nova', topics: ['notifications', 'versioned_notifications'] },
    { exchange: 'neutron', topics: ['notifications'] },
  ],
  missingExchanges: ['cinder'],
  server: 'broker:5672',
  queue: 'hermod.tap.0a1b2c3d',
}

/** A tap on nothing: a test emits events and statuses and decides when it closes. */
export class FakeTap implements Tap {
  readonly #queue = new AsyncQueue<NotificationEvent>()
  readonly #listeners = new Set<(status: TapStatus) => void>()
  /** How often `close` was called. */
  closes = 0
  /** Whether closing comes to an end. */
  closeHangs = false
  facts: TapStats = STATS
  readonly closed: Tap['closed'] = new Promise<never>(() => {})

  emit(...events: readonly NotificationEvent[]): void {
    this.facts = { ...this.facts, received: this.facts.received + events.length }
    for (const event of events) this.#queue.put(event)
  }

  say(status: TapStatus): void {
    for (const listener of this.#listeners) listener(status)
  }

  /** The end that nobody here asked for. */
  breakWith(error?: unknown): void {
    this.#queue.end(error)
  }

  on(): () => void {
    throw new Error('the command iterates')
  }

  onStatus(listener: (status: TapStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stats(): TapStats {
    return this.facts
  }

  async close(): Promise<void> {
    this.closes++
    if (this.closeHangs) await new Promise(() => {})
    this.facts = { ...this.facts, bindings: [], missingExchanges: [], queue: '' }
    this.#queue.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<NotificationEvent> {
    return this.#queue
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import type { ObservedDispatch, ObservedSend } from './observed-work.ts'
import { DURATION_BUCKETS } from './semantic-conventions.ts'
import { callAttributes } from './work-attributes.ts'

/** How a piece of work ended. */
export interface Outcome {
  readonly durationMs: number
  /** What its metrics say of it, without its failure. */
  readonly attributes: Attributes
  /** What its failure adds. */
  readonly failure: Attributes | undefined
}

/**
 * Counts and durations of requests and notifications.
 * @source OpenTelemetry semantic conventions 1.44.0, docs/messaging/messaging-metrics.md, docs/rpc/rpc-metrics.md
 */
export class WorkMetrics {
  readonly #sent: Counter
  readonly #consumed: Counter
  readonly #operation: Histogram
  readonly #process: Histogram
  readonly #clientCall: Histogram
  readonly #serverCall: Histogram

  constructor(meter: Meter) {
    const duration = (name: string, description: string): Histogram =>
      meter.createHistogram(name, {
        description,
        unit: 's',
        advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] },
      })
    const messages = (name: string, description: string): Counter =>
      meter.createCounter(name, { description, unit: '{message}' })
    this.#sent = messages('messaging.client.sent.messages', 'requests and notifications sent')
    this.#consumed = messages('messaging.client.consumed.messages', 'requests and notifications dispatched')
    this.#operation = duration(
      'messaging.client.operation.duration',
      'sending a request or a notification; a call with its reply',
    )
    this.#process = duration('messaging.process.duration', 'dispatching a request or a notification')
    this.#clientCall = duration('rpc.client.call.duration', 'calls with their reply')
    this.#serverCall = duration('rpc.server.call.duration', 'dispatching calls, until the reply was sent')
  }

  sent({ kind }: ObservedSend, { durationMs, attributes, failure }: Outcome): void {
    const ended = { ...attributes, ...failure }
    // A call mostly fails in its method, or for want of a reply: its message was sent all the same.
    this.#sent.add(1, kind === 'call' ? attributes : ended)
    this.#operation.record(durationMs / 1000, ended)
    if (kind === 'call') this.#clientCall.record(durationMs / 1000, callAttributes(ended))
  }

  dispatched({ kind }: ObservedDispatch, { durationMs, attributes, failure }: Outcome): void {
    const ended = { ...attributes, ...failure }
    this.#consumed.add(1, ended)
    this.#process.record(durationMs / 1000, ended)
    if (kind === 'call') this.#serverCall.record(durationMs / 1000, callAttributes(ended))
  }
}

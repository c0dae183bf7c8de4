import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import type { ObservedConnection, ObservedTransport } from './observed-connections.ts'
import { ATTRIBUTE, DURATION_BUCKETS } from './semantic-conventions.ts'
import { failureOf, systemOf } from './work-attributes.ts'

/** How often connections come and go, and what was dropped: of transports, and of AMQP connections by themselves. */
export class ConnectionMetrics {
  readonly #transport: Readonly<Record<ObservedTransport['event']['type'], Counter | undefined>>
  readonly #reconnects: Counter
  readonly #away: Histogram
  readonly #failures: Readonly<Record<'lost' | 'retry' | 'channel-error' | 'publish-failed', Counter>>

  constructor(meter: Meter) {
    const counter = (name: string, unit: string, description: string): Counter =>
      meter.createCounter(name, { description, unit })
    this.#transport = {
      connected: counter('hermod.transport.connects', '{connection}', 'connections of transports made'),
      disconnected: counter('hermod.transport.disconnects', '{connection}', 'connections of transports lost'),
      blocked: counter('hermod.transport.blocks', '{block}', 'times that a peer took no messages'),
      unblocked: undefined,
      refused: counter(
        'hermod.transport.refused.messages',
        '{message}',
        'messages that could not be read or handed over',
      ),
    }
    this.#reconnects = counter('hermod.amqp.reconnects', '{connection}', 'AMQP connections that came back')
    this.#away = meter.createHistogram('hermod.amqp.away.duration', {
      description: 'how long AMQP connections were away',
      unit: 's',
      advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] },
    })
    this.#failures = {
      lost: counter('hermod.amqp.disconnects', '{connection}', 'AMQP connections that broke'),
      retry: counter('hermod.amqp.connect.failures', '{attempt}', 'attempts to come back that failed'),
      'channel-error': counter('hermod.amqp.channel.errors', '{channel}', 'channels that the broker closed'),
      'publish-failed': counter('hermod.amqp.publish.failures', '{message}', 'publishes that failed'),
    }
  }

  transport({ driver, event }: ObservedTransport): void {
    this.#transport[event.type]?.add(1, { [ATTRIBUTE.system]: systemOf(driver) })
  }

  connection({ status }: ObservedConnection): void {
    switch (status.type) {
      case 'restored':
        this.#reconnects.add(1)
        this.#away.record(status.awayMs / 1000)
        break
      case 'lost':
      case 'retry':
      case 'channel-error':
      case 'publish-failed':
        this.#failures[status.type].add(1, failureOf(status.error))
        break
      default:
    }
  }
}

import { channel, type Channel } from 'node:diagnostics_channel'
import type { ConnectionStatus } from './connection-events.ts'
import type { Settlement } from './message.ts'
import type { BasicProperties } from '../wire/basic-properties.ts'

/** On `hermod.amqp.connection`: what a connection reports, see {@link ConnectionStatus}. */
export interface ConnectionDiagnostics {
  /** The `name` of the connection. */
  readonly connection: string
  readonly status: ConnectionStatus
}

/** On `hermod.amqp.publish`: a message was handed in. */
export interface PublishDiagnostics {
  readonly connection: string
  readonly exchange: string
  readonly routingKey: string
  readonly properties: BasicProperties
  readonly bodyBytes: number
}

/** On `hermod.amqp.publish.settled`: a publish was confirmed, or rejected with `error`; `publish` is the object of then. */
export interface PublishSettledDiagnostics {
  readonly publish: PublishDiagnostics
  readonly error?: unknown
}

/** On `hermod.amqp.deliver`: a message is handed over. */
export interface DeliverDiagnostics {
  readonly connection: string
  readonly consumerTag: string
  readonly deliveryTag: number
  readonly exchange: string
  readonly routingKey: string
  readonly redelivered: boolean
}

/** On `hermod.amqp.settle`: a message was settled; `stale`: too late, the broker delivers it again. */
export interface SettleDiagnostics {
  readonly connection: string
  readonly deliveryTag: number
  readonly how: Settlement
  readonly multiple: boolean
  readonly stale: boolean
}

/** The channels of `node:diagnostics_channel` that this package publishes on; without a subscriber nothing is made for them. */
export const DIAGNOSTICS: {
  readonly connection: Channel
  readonly publish: Channel
  readonly publishSettled: Channel
  readonly deliver: Channel
  readonly settle: Channel
} = {
  connection: channel('hermod.amqp.connection'),
  publish: channel('hermod.amqp.publish'),
  publishSettled: channel('hermod.amqp.publish.settled'),
  deliver: channel('hermod.amqp.deliver'),
  settle: channel('hermod.amqp.settle'),
}

/** Whether anybody wants to hear of publishes. */
export function isPublishObserved(): boolean {
  return DIAGNOSTICS.publish.hasSubscribers || DIAGNOSTICS.publishSettled.hasSubscribers
}

/** Tells of a publish and, later, of how it ended. */
export function observePublish(publish: PublishDiagnostics, settled: Promise<void>): void {
  DIAGNOSTICS.publish.publish(publish)
  settled.then(
    () => DIAGNOSTICS.publishSettled.publish({ publish }),
    (error: unknown) => DIAGNOSTICS.publishSettled.publish({ publish, error }),
  )
}

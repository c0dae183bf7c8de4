import type { ChannelError, Clock, DeadlineOptions, HermodError } from '@hermod/kernel'
import type { Topology } from './topology.ts'
import type { Traffic } from './traffic.ts'

/** What the broker says of a queue. */
export interface QueueStatus {
  readonly queue: string
  /** Messages that wait for delivery. */
  readonly messageCount: number
  readonly consumerCount: number
}

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly connectionName: string
  readonly clock: Clock
  readonly topology: Topology
  readonly traffic: Traffic
  readonly operationTimeoutMs: number
  readonly maxBodyBytes: number
  channelFailed(channelNumber: number, error: ChannelError): void
  channelClosed(channel: object): void
  /** What the broker calls itself. */
  brokerProduct(): string
  consumerCancelled(queue: string): void
  publishFailed(error: HermodError): void
  /** A passive declare on a channel of its own. */
  queueStatus(queue: string): Promise<QueueStatus | undefined>
  /** A passive declare of an exchange, on a channel of its own. */
  exchangeExists(exchange: string, deadline: DeadlineOptions): Promise<boolean>
  /**
   * Declares a queue of the topology again, with its bindings; what the broker refuses is reported.
   * @returns the refusal of the queue itself.
   */
  redeclareQueue(queue: string): Promise<ChannelError | undefined>
}

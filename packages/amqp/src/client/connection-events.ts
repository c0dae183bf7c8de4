import type { ChannelError, HermodError } from '@hermod/kernel'
import type { BrokerIdentity } from './broker-identity.ts'
import type { Traffic } from './traffic.ts'

/** What a connection is doing. */
export type ConnectionState = 'connecting' | 'open' | 'blocked' | 'reconnecting' | 'closing' | 'closed'

/** What a connection reports while it lives. None of these needs a listener. */
export interface ConnectionEvents {
  /** The state changed. */
  state: { readonly state: ConnectionState; readonly previous: ConnectionState }
  /** The connection broke; it is made again unless `reconnect` is false. */
  lost: { readonly error: HermodError; readonly at: Date }
  /** An attempt failed; the next one follows after `delayMs`. */
  retry: { readonly attempt: number; readonly delayMs: number; readonly error: HermodError }
  /** The connection is back, with its channels, declarations and consumers. */
  restored: { readonly server: BrokerIdentity; readonly awayMs: number }
  /** The broker takes no publishes for now, for this reason; they wait here. */
  blocked: { readonly reason: string }
  unblocked: object
  /** It has been blocked for `blockedTimeoutMs`: what waited was rejected, and publishing fails until `unblocked`. */
  'blocked-too-long': { readonly error: HermodError }
  /** The broker closed a channel over one operation; unless it was opened with `recover: false` it heals. */
  'channel-error': { readonly channelNumber: number; readonly error: ChannelError }
  /** The broker cancelled a consumer, because its queue is gone. */
  'consumer-cancelled': { readonly queue: string }
  /** Something could not be declared again, after a reconnect or because the queue of a consumer was deleted. */
  'topology-error': { readonly what: string; readonly error: HermodError }
  /** A publish failed, awaited or not; `total` counts them since the connection was made. */
  'publish-failed': { readonly error: HermodError; readonly total: number }
  /** The broker took new credentials (`connection.update-secret`). */
  'secret-updated': object
  /** Credentials could not be renewed; this is tried again after `delayMs`. */
  'secret-error': { readonly error: HermodError; readonly delayMs: number }
}

/** An event of a connection with its name in `type`. */
export type ConnectionStatus = {
  readonly [Name in keyof ConnectionEvents]: { readonly type: Name } & ConnectionEvents[Name]
}[keyof ConnectionEvents]

/** Figures of a connection: some of now, most of them counted since it was made, over all of its sessions. */
export interface ConnectionStats extends Readonly<Traffic> {
  readonly state: ConnectionState
  /** Channels that are in use now. */
  readonly channels: number
  /** Messages that are written and not confirmed now. */
  readonly unconfirmed: number
  /** Messages that wait now to be written. */
  readonly waiting: number
  /** Messages that are delivered and not settled now. */
  readonly unsettled: number
  readonly reconnects: number
  /** Publishes that failed, for whatever reason. */
  readonly publishesFailed: number
  readonly channelErrors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** How long the broker has blocked the connection, milliseconds. */
  readonly blockedMs: number
}

/** Why a connection ended; without an error it was closed here. */
export interface ConnectionEnd {
  readonly error?: HermodError | undefined
}

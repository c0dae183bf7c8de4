import type { HermodError } from '@hermod/kernel'

/** What is read of the connection of a transport, on `hermod.messaging.transport`. */
export interface ObservedTransport {
  readonly driver: string
  readonly event: { readonly type: 'connected' | 'disconnected' | 'blocked' | 'unblocked' | 'refused' }
}

/** What is read of an AMQP connection, on `hermod.amqp.connection`. */
export interface ObservedConnection {
  readonly status:
    | { readonly type: 'restored'; readonly awayMs: number }
    | { readonly type: 'lost' | 'retry' | 'channel-error' | 'publish-failed'; readonly error: HermodError }
    | {
        readonly type:
          | 'state'
          | 'blocked'
          | 'unblocked'
          | 'blocked-too-long'
          | 'consumer-cancelled'
          | 'topology-error'
          | 'secret-updated'
          | 'secret-error'
      }
}

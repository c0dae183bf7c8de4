/*
 * The names of OpenTelemetry's semantic conventions that are used here. Those for messaging are in development and those
 * for remote calls a release candidate, so no package exports them as stable; they are spelled out once.
 */

/** The version of the conventions that spans and metrics keep to. */
export const SEMANTIC_CONVENTIONS_VERSION = '1.44.0'

/** Where that version is described, for whoever translates between versions. */
export const SCHEMA_URL: string = `https://opentelemetry.io/schemas/${SEMANTIC_CONVENTIONS_VERSION}`

/** What a value is called that would be of unbounded variety. */
export const OTHER = '_OTHER'

/**
 * Keys of attributes; those of Hermod's own are for what the conventions have no name for.
 * @source OpenTelemetry semantic conventions 1.44.0, docs/messaging/messaging-spans.md, docs/rpc/rpc-spans.md
 */
export const ATTRIBUTE = {
  errorType: 'error.type',
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destinationName: 'messaging.destination.name',
  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  rpcMethodOriginal: 'rpc.method_original',
  eventType: 'hermod.event_type',
  exchange: 'hermod.exchange',
  server: 'hermod.server',
  fanout: 'hermod.fanout',
  remoteClass: 'hermod.remote_class',
} as const

/**
 * Bounds of the buckets of every duration, seconds.
 * @source OpenTelemetry semantic conventions 1.44.0, docs/messaging/messaging-metrics.md, docs/rpc/rpc-metrics.md
 */
export const DURATION_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

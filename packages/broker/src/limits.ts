/** Every bound that the broker holds clients to, besides what a profile says. */
export interface Limits {
  /** For protocol header, SASL, tune and open together. */
  readonly handshakeTimeoutMs: number
  /** For the eight bytes of the protocol header. */
  readonly protocolHeaderTimeoutMs: number
  /** The largest frame before the connection is open. */
  readonly initialFrameMax: number
  /** All bytes that are read before the connection is open. */
  readonly maxHandshakeBytes: number
  /** How deep the table of a client may be nested before it is known. */
  readonly maxHandshakeTableDepth: number
  /** How many values that table may hold. */
  readonly maxHandshakeTableFields: number
  /** Sockets that have not opened their connection yet, in all and of one address. */
  readonly maxUnauthenticated: number
  readonly maxUnauthenticatedPerAddress: number
  /** How long refused credentials wait for their answer: from this machine, and from elsewhere. */
  readonly refusalDelayLoopbackMs: number
  readonly refusalDelayMs: number
  /** What the broker offers in connection.tune. */
  readonly frameMax: number
  readonly channelMax: number
  /** Connections in all. */
  readonly maxConnections: number
  readonly maxConsumersPerChannel: number
  /** Messages that one channel may leave unsettled. */
  readonly maxUnsettledPerChannel: number
  /** How deep tables may be nested, and how many values one may hold. */
  readonly maxTableDepth: number
  readonly maxTableFields: number
  readonly maxQueuesPerVirtualHost: number
  readonly maxExchangesPerVirtualHost: number
  readonly maxBindingsPerVirtualHost: number
  /** What exchanges, queues, bindings and consumers of all virtual hosts may take together, arguments and all. */
  readonly maxDeclaredBytes: number
  /** What may wait in one socket before deliveries to it stop. */
  readonly maxOutputBytes: number
  /** What one socket may bring in one turn before the others have theirs. */
  readonly readBytesPerTurn: number
}

/** No limit lets tables in that are nested deeper: they are read by functions that call themselves. */
export const DEEPEST_TABLE = 255

export const LIMITS: Limits = Object.freeze({
  handshakeTimeoutMs: 10_000,
  protocolHeaderTimeoutMs: 5_000,
  initialFrameMax: 8192,
  maxHandshakeBytes: 32_768,
  maxHandshakeTableDepth: 8,
  maxHandshakeTableFields: 256,
  maxUnauthenticated: 256,
  maxUnauthenticatedPerAddress: 128,
  refusalDelayLoopbackMs: 250,
  refusalDelayMs: 3_000,
  frameMax: 131_072,
  channelMax: 2047,
  maxConnections: 10_000,
  maxConsumersPerChannel: 10_000,
  maxUnsettledPerChannel: 1_000_000,
  maxTableDepth: 32,
  maxTableFields: 4096,
  maxQueuesPerVirtualHost: 100_000,
  maxExchangesPerVirtualHost: 100_000,
  maxBindingsPerVirtualHost: 1_000_000,
  maxDeclaredBytes: 268_435_456,
  maxOutputBytes: 1_048_576,
  readBytesPerTurn: 131_072,
})

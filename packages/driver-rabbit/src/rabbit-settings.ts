/** Every option of the driver with a value, in our names and units; {@link RABBIT_OPTIONS} says what each is in oslo.messaging. */
export interface RabbitSettings {
  /** Exchanges and queues of requests and notifications survive a restart of the broker. */
  readonly durableQueues: boolean
  /** They vanish with their last consumer. */
  readonly autoDeleteQueues: boolean
  /** They are quorum queues, and durable. */
  readonly quorumQueues: boolean
  /** Reply and fanout queues are durable quorum queues. */
  readonly transientQuorumQueues: boolean
  /** All servers of a topic read one stream instead of a fanout queue each. */
  readonly streamFanout: boolean
  /** Queues carry `x-ha-policy: all`, which RabbitMQ heeded before 3.0. */
  readonly haQueues: boolean
  /** How often a quorum queue delivers a message before it drops it; 0: as the broker has it. */
  readonly quorumDeliveryLimit: number
  /** Messages that a quorum queue keeps in memory; 0: as the broker has it. */
  readonly quorumMaxMemoryLength: number
  /** Bytes that a quorum queue keeps in memory; 0: as the broker has it. */
  readonly quorumMaxMemoryBytes: number
  /** Unused reply and fanout queues vanish after this long, and streams keep messages for so long, milliseconds; 0: for ever. */
  readonly transientQueuesTtlMs: number
  /** Messages that a listener may hold unacknowledged; 0: as many as the pattern asks for. */
  readonly prefetchCount: number
  /** Consumers are told when their queue fails over. */
  readonly cancelOnFailover: boolean
  /** Reply and fanout queues are called after host, process and a counter, so that a restarted service finds them again. */
  readonly useQueueManager: boolean
  /** The host in the names of the queue manager. */
  readonly hostname: string
  /** The process in the names of the queue manager. */
  readonly processName: string
  /** A reply that no queue takes comes back. */
  readonly mandatoryReplies: boolean
  /** How long a reply is tried again whose queue is gone, milliseconds. */
  readonly missingConsumerTimeoutMs: number
  /** How bodies are compressed; undefined: not at all. */
  readonly compression: string | undefined
  /** TLS to the broker. */
  readonly tls: boolean
  /** The path of the authorities to trust instead of Node's own, PEM. */
  readonly tlsCaFile: string | undefined
  /** The path of the client's certificate, PEM. */
  readonly tlsCertFile: string | undefined
  /** The path of the client's key, PEM. */
  readonly tlsKeyFile: string | undefined
  /** How we prove who we are. */
  readonly loginMethod: 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL' | 'RABBIT-CR-DEMO'
  /** What is proposed for heartbeats, milliseconds; 0: none. */
  readonly heartbeatMs: number
  /** The first wait between attempts to reconnect, milliseconds. */
  readonly retryIntervalMs: number
  /** By how much the wait grows; here only 0 matters: the wait stays as it is. */
  readonly retryBackoffMs: number
  /** The longest wait, milliseconds. */
  readonly retryIntervalMaxMs: number
}

/** What a program sets itself; what it leaves out is the conf file's or the default. */
export type RabbitOptions = { readonly [Field in keyof RabbitSettings]?: RabbitSettings[Field] | undefined }

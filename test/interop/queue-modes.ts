/** A way in which oslo.messaging declares its queues. */
export interface QueueMode {
  readonly name: string
  /** The options, as the query of a transport URL. */
  readonly query: string
  /** Whether 14.0.3 knows the mode too. */
  readonly old: boolean
}

const QUORUM_LIMITS =
  'rabbit_quorum_delivery_limit=5&rabbit_quorum_max_memory_length=100&rabbit_quorum_max_memory_bytes=4096'
const STREAMS =
  'rabbit_quorum_queue=1&rabbit_transient_quorum_queue=1&rabbit_stream_fanout=1&rabbit_qos_prefetch_count=10'

export const QUEUE_MODES: readonly QueueMode[] = [
  { name: 'default', query: '', old: true },
  { name: 'durable', query: 'amqp_durable_queues=true', old: true },
  { name: 'auto-delete', query: 'amqp_auto_delete=true', old: true },
  { name: 'durable and auto-delete', query: 'amqp_durable_queues=1&amqp_auto_delete=1', old: true },
  { name: 'mirrored', query: 'rabbit_ha_queues=true', old: true },
  { name: 'quorum', query: 'rabbit_quorum_queue=true', old: true },
  { name: 'another time to live', query: 'rabbit_transient_queues_ttl=60', old: true },
  {
    name: 'prefetch and cancel on failover',
    query: 'rabbit_qos_prefetch_count=7&enable_cancel_on_failover=1',
    old: true,
  },
  { name: 'quorum with limits', query: `rabbit_quorum_queue=true&${QUORUM_LIMITS}`, old: false },
  { name: 'no time to live', query: 'rabbit_transient_queues_ttl=0', old: false },
  { name: 'transient quorum', query: 'rabbit_transient_quorum_queue=true', old: false },
  {
    name: 'quorum and transient quorum',
    query: `rabbit_quorum_queue=true&rabbit_transient_quorum_queue=true&${QUORUM_LIMITS}`,
    old: false,
  },
  { name: 'streams', query: STREAMS, old: false },
  { name: 'streams without a limit of time', query: `${STREAMS}&rabbit_transient_queues_ttl=0`, old: false },
]

import { hostname } from 'node:os'
import { basename } from 'node:path'
import type { RabbitSettings } from './rabbit-settings.ts'

/** The group of the options in conf files. */
export const RABBIT_GROUP = 'oslo_messaging_rabbit'

/** What an option is in oslo.messaging. */
export interface RabbitOptionRule {
  /** As in the conf file and in the query of the URL. */
  readonly name: string
  readonly type: 'boolean' | 'integer' | 'number' | 'text'
  /** In its own unit; undefined: not set. */
  readonly defaultValue: boolean | number | string | undefined
  /** What the default is where it differs from host to host. */
  readonly defaultIs?: string
  /** The unit of the option; in our names it is milliseconds. */
  readonly unit?: 'seconds'
  /** In its own unit. */
  readonly min?: number
  /** In its own unit. */
  readonly max?: number
  readonly choices?: readonly string[]
  readonly formerNames?: readonly string[]
  /** What it does here otherwise than in oslo.messaging. */
  readonly note?: string
}

/** An option, and what it is called here: `undefined` for one that is understood and does nothing. */
export interface RabbitOption extends RabbitOptionRule {
  readonly field: keyof RabbitSettings | undefined
}

const flag = (name: string, more: Partial<RabbitOptionRule> = {}): RabbitOptionRule => ({
  name,
  type: 'boolean',
  defaultValue: false,
  ...more,
})

const whole = (
  name: string,
  defaultValue: number,
  more: Partial<RabbitOptionRule> = {},
): RabbitOptionRule => ({ name, type: 'integer', defaultValue, ...more })

const text = (name: string, more: Partial<RabbitOptionRule> = {}): RabbitOptionRule => ({
  name,
  type: 'text',
  defaultValue: undefined,
  ...more,
})

/** The longest interval that the protocol can say. */
const HEARTBEAT_MAX_S = 0xffff

/** @source oslo.messaging _drivers/impl_rabbit.py rabbit_opts, _drivers/amqp.py amqp_opts */
const USED: { readonly [Field in keyof RabbitSettings]: RabbitOptionRule } = {
  durableQueues: flag('amqp_durable_queues'),
  autoDeleteQueues: flag('amqp_auto_delete'),
  quorumQueues: flag('rabbit_quorum_queue'),
  transientQuorumQueues: flag('rabbit_transient_quorum_queue'),
  streamFanout: flag('rabbit_stream_fanout'),
  haQueues: flag('rabbit_ha_queues'),
  quorumDeliveryLimit: whole('rabbit_quorum_delivery_limit', 0, { min: -1 }),
  quorumMaxMemoryLength: whole('rabbit_quorum_max_memory_length', 0, {
    min: 0,
    formerNames: ['rabbit_quroum_max_memory_length'],
  }),
  quorumMaxMemoryBytes: whole('rabbit_quorum_max_memory_bytes', 0, {
    min: 0,
    formerNames: ['rabbit_quroum_max_memory_bytes'],
  }),
  transientQueuesTtlMs: whole('rabbit_transient_queues_ttl', 1800, { unit: 'seconds', min: 0 }),
  prefetchCount: whole('rabbit_qos_prefetch_count', 0, {
    min: 0,
    max: 0xffff,
    note: '0 is not without a limit: the concurrency of a server or the backlog of a listener counts',
  }),
  cancelOnFailover: flag('enable_cancel_on_failover'),
  useQueueManager: flag('use_queue_manager'),
  hostname: text('hostname', { defaultValue: hostname(), defaultIs: 'name of the host' }),
  processName: text('processname', {
    defaultValue: basename(process.argv[1] ?? process.execPath),
    defaultIs: 'name of the program',
  }),
  mandatoryReplies: flag('direct_mandatory_flag', { defaultValue: true }),
  missingConsumerTimeoutMs: whole('kombu_missing_consumer_retry_timeout', 60, {
    unit: 'seconds',
    min: 0,
    formerNames: ['kombu_reconnect_timeout'],
  }),
  compression: text('kombu_compression'),
  tls: flag('ssl', {
    formerNames: ['rabbit_use_ssl'],
    note: 'the certificate and the name in it are always verified, by the authorities of Node where no file names others',
  }),
  tlsCaFile: text('ssl_ca_file', { formerNames: ['kombu_ssl_ca_certs'] }),
  tlsCertFile: text('ssl_cert_file', { formerNames: ['kombu_ssl_certfile'] }),
  tlsKeyFile: text('ssl_key_file', { formerNames: ['kombu_ssl_keyfile'] }),
  loginMethod: text('rabbit_login_method', {
    defaultValue: 'AMQPLAIN',
    choices: ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'RABBIT-CR-DEMO'],
    note: 'RABBIT-CR-DEMO is refused, as py-amqp refuses it',
  }),
  heartbeatMs: whole('heartbeat_timeout_threshold', 60, { unit: 'seconds', min: 0, max: HEARTBEAT_MAX_S }),
  retryIntervalMs: whole('rabbit_retry_interval', 1, { unit: 'seconds', min: 1 }),
  retryBackoffMs: whole('rabbit_retry_backoff', 2, {
    unit: 'seconds',
    min: 0,
    note: 'above 0 each wait is twice the one before it, half of it left to chance; 0: it stays as it is',
  }),
  retryIntervalMaxMs: whole('rabbit_interval_max', 30, { unit: 'seconds', min: 1 }),
}

const NO_POOL = 'one connection publishes and another one consumes; there is no pool'

const UNUSED: readonly RabbitOptionRule[] = [
  whole('rpc_conn_pool_size', 30, { min: 1, note: NO_POOL }),
  whole('conn_pool_min_size', 2, { note: NO_POOL }),
  whole('conn_pool_ttl', 1200, { unit: 'seconds', note: NO_POOL }),
  text('ssl_version', {
    formerNames: ['kombu_ssl_version'],
    note: 'both sides agree on the newest version that they have, at least TLS 1.2',
  }),
  flag('ssl_enforce_hostname_verification', {
    defaultValue: true,
    note: 'the name in the certificate is always verified',
  }),
  flag('ssl_enforce_fips_mode', { note: 'no longer has an effect in oslo.messaging either' }),
  flag('heartbeat_in_pthread', { note: 'there are no threads that a heartbeat could starve in' }),
  whole('heartbeat_rate', 3, { note: 'heartbeats are sent in time for every broker' }),
  {
    name: 'kombu_reconnect_delay',
    type: 'number',
    defaultValue: 1,
    unit: 'seconds',
    min: 0,
    max: 4.5,
    note: 'the first wait is that of rabbit_retry_interval',
  },
  {
    name: 'kombu_reconnect_splay',
    type: 'number',
    defaultValue: 0,
    unit: 'seconds',
    min: 0,
    note: 'half of each wait is left to chance anyway',
  },
  text('kombu_failover_strategy', {
    defaultValue: 'round-robin',
    choices: ['round-robin', 'shuffle'],
    note: 'the servers are tried in another random order each time, all of them before a wait',
  }),
]

/**
 * Every option of `[oslo_messaging_rabbit]`, former ones too.
 * @source oslo.messaging 14.0.3 to 18.3.1
 */
export const RABBIT_OPTIONS: readonly RabbitOption[] = Object.freeze([
  ...Object.entries(USED).map(([field, rule]) => ({ ...rule, field: field as keyof RabbitSettings })),
  ...UNUSED.map((rule) => ({ ...rule, field: undefined })),
])

import type { FieldTable } from '../wire/field-table.ts'
import type { DefinitionCheck } from './definition-check.ts'

/** RabbitMQ's queue arguments as typed fields. The broker refuses those that do not fit the type of the queue. */
export interface QueueArguments {
  /** The queue vanishes after this long without consumers, declarations and gets, milliseconds (`x-expires`). */
  readonly expiresMs?: number | undefined
  /** Messages vanish (or are dead-lettered) after this long, milliseconds (`x-message-ttl`). */
  readonly messageTtlMs?: number | undefined
  /** So many waiting messages at the most (`x-max-length`). */
  readonly maxLength?: number | undefined
  /** So many bytes of waiting bodies at the most (`x-max-length-bytes`). */
  readonly maxLengthBytes?: number | undefined
  /** What happens at the limit (`x-overflow`); RabbitMQ's default is `drop-head`. */
  readonly overflow?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx' | undefined
  /** Where refused and expired messages go (`x-dead-letter-exchange`). */
  readonly deadLetterExchange?: string | undefined
  /** Under which routing key (`x-dead-letter-routing-key`). */
  readonly deadLetterRoutingKey?: string | undefined
  /** Whether dead-lettering may lose messages (`x-dead-letter-strategy`, quorum queues); `at-most-once` where absent. */
  readonly deadLetterStrategy?: 'at-most-once' | 'at-least-once' | undefined
  /** Priorities from 0 to this (`x-max-priority`). */
  readonly maxPriority?: number | undefined
  /** `classic`, `quorum` or `stream` (`x-queue-type`). */
  readonly queueType?: 'classic' | 'quorum' | 'stream' | undefined
  /** Whether messages are kept on disk (`x-queue-mode`, classic queues before RabbitMQ 3.12). */
  readonly queueMode?: 'default' | 'lazy' | undefined
  /** The layout on disk, 1 or 2 (`x-queue-version`, classic queues). */
  readonly queueVersion?: 1 | 2 | undefined
  /** Which node leads a new queue (`x-queue-leader-locator`). */
  readonly queueLeaderLocator?: 'client-local' | 'balanced' | undefined
  /** A message that came back so often is dropped or dead-lettered (`x-delivery-limit`, quorum queues); -1: no limit. */
  readonly deliveryLimit?: number | undefined
  /** One consumer at a time gets everything (`x-single-active-consumer`). */
  readonly singleActiveConsumer?: boolean | undefined
  /** How long a consumer may hold a message, milliseconds (`x-consumer-timeout`, from RabbitMQ 3.12 on). */
  readonly consumerTimeoutMs?: number | undefined
  /** Replicas of a new quorum queue (`x-quorum-initial-group-size`). */
  readonly quorumInitialGroupSize?: number | undefined
  /** Replicas that the broker grows a quorum queue to (`x-quorum-target-group-size`). */
  readonly quorumTargetGroupSize?: number | undefined
  /** Messages that a quorum queue keeps in memory (`x-max-in-memory-length`, before RabbitMQ 3.10). */
  readonly maxInMemoryLength?: number | undefined
  /** Bytes that a quorum queue keeps in memory (`x-max-in-memory-bytes`, before RabbitMQ 3.10). */
  readonly maxInMemoryBytes?: number | undefined
  /** How long a stream keeps its segments, milliseconds in whole seconds (`x-max-age`, written as `60s`). */
  readonly maxAgeMs?: number | undefined
  /** The size of a stream's segments, bytes (`x-stream-max-segment-size-bytes`). */
  readonly streamMaxSegmentSizeBytes?: number | undefined
  /** The size of a stream's filters, bytes (`x-stream-filter-size-bytes`, from RabbitMQ 3.13 on). */
  readonly streamFilterSizeBytes?: number | undefined
  /** Replicas of a new stream (`x-initial-cluster-size`). */
  readonly initialClusterSize?: number | undefined
}

interface WholeNumber {
  readonly wireName: string
  readonly least: number
  readonly most: number
}
interface Choice {
  readonly wireName: string
  readonly choices: readonly string[]
}
interface Plain {
  readonly wireName: string
  readonly type: 'text' | 'flag' | 'seconds'
}
type ArgumentRule = WholeNumber | Choice | Plain

const MOST = Number.MAX_SAFE_INTEGER
/** What an Erlang timer can wait. */
const LONGEST_MS = 0xffff_ffff

const from = (least: number, wireName: string, most = MOST): WholeNumber => ({ wireName, least, most })
const oneOf = (wireName: string, ...choices: string[]): Choice => ({ wireName, choices })

/** @source RabbitMQ `rabbit_amqqueue`, `rabbit_quorum_queue` and `rabbit_stream_queue`: declare arguments */
const RULES: { readonly [Name in keyof Required<QueueArguments>]: ArgumentRule } = {
  expiresMs: from(1, 'x-expires', LONGEST_MS),
  messageTtlMs: from(0, 'x-message-ttl', LONGEST_MS),
  maxLength: from(0, 'x-max-length'),
  maxLengthBytes: from(0, 'x-max-length-bytes'),
  overflow: oneOf('x-overflow', 'drop-head', 'reject-publish', 'reject-publish-dlx'),
  deadLetterExchange: { wireName: 'x-dead-letter-exchange', type: 'text' },
  deadLetterRoutingKey: { wireName: 'x-dead-letter-routing-key', type: 'text' },
  deadLetterStrategy: oneOf('x-dead-letter-strategy', 'at-most-once', 'at-least-once'),
  maxPriority: from(0, 'x-max-priority', 255),
  queueType: oneOf('x-queue-type', 'classic', 'quorum', 'stream'),
  queueMode: oneOf('x-queue-mode', 'default', 'lazy'),
  queueVersion: from(1, 'x-queue-version', 2),
  queueLeaderLocator: oneOf('x-queue-leader-locator', 'client-local', 'balanced'),
  deliveryLimit: from(-1, 'x-delivery-limit'),
  singleActiveConsumer: { wireName: 'x-single-active-consumer', type: 'flag' },
  consumerTimeoutMs: from(1, 'x-consumer-timeout', LONGEST_MS),
  quorumInitialGroupSize: from(1, 'x-quorum-initial-group-size'),
  quorumTargetGroupSize: from(1, 'x-quorum-target-group-size'),
  maxInMemoryLength: from(0, 'x-max-in-memory-length'),
  maxInMemoryBytes: from(0, 'x-max-in-memory-bytes'),
  maxAgeMs: { wireName: 'x-max-age', type: 'seconds' },
  streamMaxSegmentSizeBytes: from(1, 'x-stream-max-segment-size-bytes'),
  streamFilterSizeBytes: from(16, 'x-stream-filter-size-bytes', 255),
  initialClusterSize: from(1, 'x-initial-cluster-size'),
}

/** The names of the fields. */
export const QUEUE_ARGUMENT_FIELDS: readonly string[] = Object.keys(RULES)

/** The arguments as they are on the wire; what is wrong with them is said to `check`. */
export function queueArgumentTable(
  definition: QueueArguments & { readonly arguments?: FieldTable | undefined },
  check: DefinitionCheck,
): FieldTable {
  const table: Record<string, string | number | boolean> = {}
  for (const [field, rule] of Object.entries(RULES)) {
    const value: string | number | boolean | undefined = definition[field as keyof QueueArguments]
    if (value === undefined) continue
    check.clash(field, rule.wireName, definition.arguments)
    table[rule.wireName] = wireValue(field, rule, value, check)
  }
  return table
}

function wireValue(
  field: string,
  rule: ArgumentRule,
  value: string | number | boolean,
  check: DefinitionCheck,
): string | number | boolean {
  if ('least' in rule) check.wholeNumber(field, value, rule.least, rule.most)
  else if ('choices' in rule) check.choice(field, value, rule.choices)
  else if (rule.type === 'text') check.text(field, value)
  else if (rule.type === 'flag') check.flags({ [field]: value }, [field])
  else if (!Number.isInteger(value) || (value as number) < 1000 || (value as number) % 1000 !== 0)
    check.problem(`${field} is no whole number of seconds, in milliseconds`)
  else return `${(value as number) / 1000}s`
  return value
}

import type { Binding } from './binding.ts'
import type { ExchangeIdentity } from './exchange.ts'
import type { Field, Fields } from './field.ts'
import type { QueueSettings } from './queue-arguments.ts'
import type { QueueConsumer } from './queue.ts'

/*
 * What is declared costs memory as well. All figures are of the heap of Node 20, measured with a hundred thousand of
 * each and rounded up.
 */
const QUEUE_BYTES = 1800
const LEASE_BYTES = 500
/** A queue keeps room for each priority that was ever used. */
const PRIORITY_BYTES = 500
const EXCHANGE_BYTES = 1200
const BINDING_BYTES = 560
/** A node of the trie, mostly with one child. */
const WORD_BYTES = 280
const CONSUMER_BYTES = 1000
/** A channel that does nothing yet. */
export const CHANNEL_BYTES = 2500

const ENTRY_BYTES = 56
const FIELD_BYTES = 48
const STRING_BYTES = 16
const ARRAY_BYTES = 32
const SLOT_BYTES = 8
const TABLE_BYTES = 184

/** What a table costs beside its first object. */
function fieldsBytes(fields: Fields): number {
  let bytes = 0
  for (const [name, field] of fields) bytes += ENTRY_BYTES + name.length + fieldBytes(field)
  return bytes
}

function fieldBytes({ value }: Field): number {
  if (typeof value === 'string') return FIELD_BYTES + STRING_BYTES + value.length
  if (value instanceof Map) return FIELD_BYTES + TABLE_BYTES + fieldsBytes(value as Fields)
  if (!Array.isArray(value)) return FIELD_BYTES
  let bytes = FIELD_BYTES + ARRAY_BYTES
  for (const item of value as readonly Field[]) bytes += SLOT_BYTES + fieldBytes(item)
  return bytes
}

export function queueBytes(name: string, args: Fields, settings: QueueSettings): number {
  const lease = settings.expiresMs === undefined ? 0 : LEASE_BYTES
  return QUEUE_BYTES + name.length + lease + settings.maxPriority * PRIORITY_BYTES + fieldsBytes(args)
}

export function exchangeBytes(exchange: ExchangeIdentity): number {
  return EXCHANGE_BYTES + exchange.name.length + fieldsBytes(exchange.arguments)
}

export function bindingBytes({ source, key, identity, arguments: args }: Binding): number {
  const words = source.type === 'topic' ? key.split('.').length : 0
  return BINDING_BYTES + key.length + identity.length + words * WORD_BYTES + fieldsBytes(args)
}

export function consumerBytes({ tag, arguments: args }: QueueConsumer): number {
  return CONSUMER_BYTES + tag.length + fieldsBytes(args)
}

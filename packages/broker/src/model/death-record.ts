import type { Field, Fields } from './field.ts'
import type { Message } from './message.ts'
import type { DeathReason } from './queue.ts'

/*
 * x-death := array of table, newest first, one for each pair of queue and reason
 * (rabbit_dead_letter:update_x_death_header)
 */

const longstr = (value: string): Field => ({ type: 'longstr', value })

/** What is written down of one death. */
export interface Death {
  readonly reason: DeathReason
  readonly queue: string
  readonly timeSeconds: number
  /** The `expiration` that the message had. */
  readonly expiration: string | undefined
}

/** Headers with a death added to the history that they hold. */
export function withDeath(headers: Fields, message: Message, death: Death, keys: readonly string[]): Fields {
  const changed = new Map(headers)
  const known = onePerKind(deathsIn(headers) ?? [])
  // What is there and no history is replaced, but this does not count as the first death.
  if (!headers.has('x-death')) {
    changed.set('x-first-death-reason', longstr(death.reason))
    changed.set('x-first-death-queue', longstr(death.queue))
    changed.set('x-first-death-exchange', longstr(message.exchange))
  }
  const same = known.find((entry) => isOf(entry, death.queue, death.reason))
  const entry = same === undefined ? newEntry(message, death, keys) : onceMore(same)
  const others = known.filter((other) => other !== same)
  const history = [entry, ...others].map((value): Field => ({ type: 'table', value }))
  changed.set('x-death', { type: 'array', value: history })
  // RabbitMQ sorts a table that it changes.
  return new Map([...changed].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes into headers what RabbitMQ says beside the history, from 3.13 on. */
export function nameLastDeath(headers: Map<string, Field>, message: Message, death: Death): void {
  headers.set('x-last-death-reason', longstr(death.reason))
  headers.set('x-last-death-queue', longstr(death.queue))
  headers.set('x-last-death-exchange', longstr(message.exchange))
}

const isOf = (entry: Fields, queue: string, reason: string): boolean =>
  entry.get('queue')?.value === queue && entry.get('reason')?.value === reason

/**
 * Entries of the same queue and reason, which only a publisher writes, are one: the first, which counts them all where it
 * has no count.
 * @source rabbit_dead_letter:group_by_queue_and_reason
 */
function onePerKind(deaths: readonly Fields[]): readonly Fields[] {
  if (deaths.length < 2) return deaths
  const kinds = new Map<string | Fields, { readonly first: Fields; number: number }>()
  for (const entry of deaths) {
    const kind = kindOf(entry)
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, { first: entry, number: 1 })
    else known.number++
  }
  return [...kinds.values()].map(({ first, number }) =>
    first.has('count')
      ? first
      : new Map<string, Field>([['count', { type: 'long', value: number }], ...first]),
  )
}

/** The same for entries of one queue and reason; an entry that does not name them is like no other. */
function kindOf(entry: Fields): string | Fields {
  const [queue, reason] = [entry.get('queue')?.value, entry.get('reason')?.value]
  return typeof queue === 'string' && typeof reason === 'string' ? JSON.stringify([queue, reason]) : entry
}

function newEntry(message: Message, death: Death, keys: readonly string[]): Fields {
  const entry = new Map<string, Field>([
    ['count', { type: 'long', value: 1 }],
    ['reason', longstr(death.reason)],
    ['queue', longstr(death.queue)],
    ['time', { type: 'timestamp', value: death.timeSeconds }],
    ['exchange', longstr(message.exchange)],
    ['routing-keys', { type: 'array', value: keys.map(longstr) }],
  ])
  if (death.expiration !== undefined) entry.set('original-expiration', longstr(death.expiration))
  return entry
}

/** A publisher may have written whatever it likes into a count: what is no whole number begins anew. */
function onceMore(entry: Fields): Fields {
  const known = entry.get('count')?.value
  const isWhole = typeof known === 'bigint' || Number.isInteger(known)
  const value = BigInt.asIntN(64, (isWhole ? BigInt(known as number | bigint) : 0n) + 1n)
  const counted = new Map(entry).set('count', { type: 'long', value })
  return new Map([...counted].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The history in the headers; `undefined` for none. */
export function deathsIn(headers: Fields): readonly Fields[] | undefined {
  const field = headers.get('x-death')
  if (field?.type !== 'array') return undefined
  return (field.value as readonly Field[])
    .filter((entry) => entry.type === 'table')
    .map((entry) => entry.value as Fields)
}

/**
 * Whether a message that died of `reason` would go round: it was in this queue before, and no client has refused it
 * since.
 * @source rabbit_dead_letter:is_cycle
 */
export function goesRound(queue: string, reason: DeathReason, deaths: readonly Fields[]): boolean {
  if (reason === 'rejected') return false
  const last = deaths.findIndex((entry) => entry.get('queue')?.value === queue)
  return last !== -1 && deaths.slice(0, last + 1).every((entry) => entry.get('reason')?.value !== 'rejected')
}

import type { Frame } from '../../packages/broker/test/frame-client.ts'

/** One entry of `x-death`. */
interface Death {
  readonly queue: string
  readonly reason: string
  readonly exchange: string
  readonly keys: readonly string[]
  readonly count: number
  readonly atSeconds: number
  readonly expiration: string | undefined
}

/** A message, as it was published or sent on by a dead-letter exchange. */
export interface Letter {
  /** No two publishes have the same. */
  readonly id: number
  readonly exchange: string
  readonly key: string
  /** The header CC. */
  readonly copies: readonly string[]
  readonly priority: number | undefined
  readonly ttlMs: number | undefined
  readonly body: string
  /** Newest first. */
  readonly deaths: readonly Death[]
  readonly first: Death | undefined
  /** Where versions say this as well. */
  readonly last: (Omit<Cause, 'atSeconds'> & { readonly exchange: string }) | undefined
}

/** Where and why a message died. */
export interface Cause {
  readonly queue: string
  readonly reason: 'expired' | 'rejected' | 'maxlen' | 'delivery_limit'
  readonly atSeconds: number
}

/** What a queue sends on in place of a message that died there. */
export function sentOn(
  letter: Letter,
  { queue, reason, atSeconds }: Cause,
  dead: { readonly exchange: string; readonly key: string | undefined },
  namesLast: boolean,
): Letter {
  const { exchange, key, copies, ttlMs, deaths } = letter
  const known = deaths.find((death) => death.queue === queue && death.reason === reason)
  const expiration = ttlMs === undefined ? undefined : String(ttlMs)
  const death = known
    ? { ...known, count: known.count + 1 }
    : { queue, reason, exchange, keys: [key, ...copies], count: 1, atSeconds, expiration }
  return {
    ...letter,
    exchange: dead.exchange,
    key: dead.key ?? key,
    copies: dead.key === undefined ? copies : [],
    ttlMs: undefined,
    deaths: [death, ...deaths.filter((other) => other !== known)],
    first: letter.first ?? death,
    last: namesLast ? { queue, reason, exchange } : undefined,
  }
}

/** Whether a message would go round without any client's doing. */
export function goesRound({ deaths }: Letter, queue: string): boolean {
  if (deaths[0]?.reason === 'rejected') return false
  const last = deaths.findIndex((death) => death.queue === queue)
  return last !== -1 && deaths.slice(0, last + 1).every((death) => death.reason !== 'rejected')
}

/** The same text for the same value, whatever the order of members. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) && !(member instanceof Date)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )

function headersOf({ id, copies, deaths, first, last }: Letter): Record<string, unknown> {
  const headers: Record<string, unknown> = { id }
  if (copies.length > 0) headers['CC'] = copies
  if (first === undefined) return headers
  headers['x-first-death-queue'] = first.queue
  headers['x-first-death-reason'] = first.reason
  headers['x-first-death-exchange'] = first.exchange
  if (last !== undefined) {
    headers['x-last-death-queue'] = last.queue
    headers['x-last-death-reason'] = last.reason
    headers['x-last-death-exchange'] = last.exchange
  }
  headers['x-death'] = deaths.map(({ keys, atSeconds, expiration, ...death }) => ({
    ...death,
    'routing-keys': keys,
    time: new Date(atSeconds * 1000),
    ...(expiration === undefined ? {} : { 'original-expiration': expiration }),
  }))
  return headers
}

/** Everything that a client is to see of a message, as text; `returns` where a quorum queue says them. */
export function letterText(letter: Letter, redelivered: boolean | undefined, returns?: number): string {
  const { exchange, key, priority, ttlMs, body } = letter
  const headers = { ...headersOf(letter), ...(returns === undefined ? {} : { 'x-delivery-count': returns }) }
  const expiration = ttlMs === undefined ? undefined : String(ttlMs)
  return canonical({ exchange, key, redelivered, priority, expiration, headers, body })
}

/** The same of what a client saw. */
export function frameText({ args, properties = {}, body }: Frame): string {
  const { exchange, routingKey, redelivered } = args
  const { priority, expiration, headers } = properties
  return canonical({ exchange, key: routingKey, redelivered, priority, expiration, headers, body })
}

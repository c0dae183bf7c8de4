import { parseAge } from './age.ts'
import type { Field } from './field.ts'

/** Where a consumer begins to read: at an offset, or with what came at a time or later (ms since 1970). */
export type StreamStart =
  | { readonly kind: 'first' | 'last' | 'next' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number }

/**
 * What `x-stream-offset` says; it was checked.
 * @source rabbit_stream_queue:parse_offset_arg
 */
export function streamStart(field: Field | undefined, nowMs: number): StreamStart {
  if (field === undefined) return { kind: 'next' }
  const { type, value } = field
  if (value === 'first' || value === 'last' || value === 'next') return { kind: value }
  if (type === 'timestamp') return { kind: 'time', timeMs: Number(value) * 1000 }
  if (type === 'longstr') return { kind: 'time', timeMs: nowMs - (parseAge(value as string) ?? 0) }
  return { kind: 'offset', offset: Number(value) }
}

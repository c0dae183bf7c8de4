import type { TableLimits } from './field-table.ts'

/** How many bytes a value of each type has; -1 where it says so itself. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [0x53, -1],
  [0x78, -1],
  [0x46, -1],
  [0x41, -1],
  [0x49, 4],
  [0x69, 4],
  [0x66, 4],
  [0x44, 5],
  [0x54, 8],
  [0x64, 8],
  [0x6c, 8],
  [0x4c, 8],
  [0x73, 2],
  [0x75, 2],
  [0x62, 1],
  [0x42, 1],
  [0x74, 1],
  [0x56, 0],
])

const TABLE = 0x46
const ARRAY = 0x41

/** How many fields may still come. */
let left = 0

/**
 * Whether what begins at `at` is a table that ends before `end`, within the limits. Makes nothing of it: this is done
 * for every message with headers.
 */
export function isTable(buffer: Buffer, at: number, end: number, limits: TableLimits): boolean {
  left = limits.maxFields
  return skipList(buffer, at, end, limits.maxDepth, true) !== -1
}

/** Where a table or an array ends; -1 for none. */
function skipList(buffer: Buffer, at: number, end: number, depth: number, named: boolean): number {
  if (depth < 0 || end - at < 4) return -1
  let next = at + 4
  const listEnd = next + buffer.readUInt32BE(at)
  if (listEnd > end) return -1
  while (next < listEnd) {
    if (--left < 0) return -1
    if (named) next += 1 + (buffer[next] as number)
    next = skipValue(buffer, next, listEnd, depth)
    if (next === -1) return -1
  }
  return next === listEnd ? next : -1
}

function skipValue(buffer: Buffer, at: number, end: number, depth: number): number {
  if (at >= end) return -1
  const type = buffer[at] as number
  const size = SIZES.get(type)
  if (size === undefined) return -1
  const value = at + 1
  if (type === TABLE || type === ARRAY) return skipList(buffer, value, end, depth - 1, type === TABLE)
  if (size >= 0) return value + size > end ? -1 : value + size
  if (end - value < 4) return -1
  const next = value + 4 + buffer.readUInt32BE(value)
  return next > end ? -1 : next
}

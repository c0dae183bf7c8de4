import type { JsonValue } from '@hermod/kernel'

/** A text with its secrets masked, and how many they were. */
export interface MaskedText {
  readonly text: string
  readonly masked: number
}

const MASK = String.raw`\*\*\*[a-z0-9_]{1,40}:\d{1,16} (?:chars|digits|items|members)\*\*\*`
const ONLY_MASK = new RegExp(`^(?:${MASK}|\\*+)$`)
const MASK_HERE = new RegExp(MASK, 'y')

/** Parts of key names, without separators, and the kind of secret that they mean; the first that fits counts. */
const KINDS: readonly (readonly [part: string, kind: string])[] = [
  ['token', 'token'],
  ['catalog', 'service_catalog'],
  ['userdata', 'user_data'],
  ['pass', 'password'],
  ['cookie', 'cookie'],
  ['authorization', 'authorization'],
  ['trustid', 'trust'],
  ['credential', 'credential'],
  ['key', 'key'],
]

/** What a secret under this key is called in its mask. */
export function secretKind(key: string): string {
  const name = key.toLowerCase().replaceAll(/[^a-z]/g, '')
  return KINDS.find(([part]) => name.includes(part))?.[1] ?? 'secret'
}

/** What stands in the place of a secret text: its kind and its length, no part of it. */
export function maskText(kind: string, text: string): string {
  return `***${kind}:${text.length} chars***`
}

/** Whether a text is nothing but a mask: ours, or the asterisks that ironic and others send. */
export function isMask(text: string): boolean {
  return ONLY_MASK.test(text)
}

/** Where the mask that begins at `index` ends, or -1. */
export function endOfMask(text: string, index: number): number {
  MASK_HERE.lastIndex = index
  return MASK_HERE.test(text) ? MASK_HERE.lastIndex : -1
}

/**
 * What stands in the place of the value of a secret key; the value itself where it holds nothing to hide: null,
 * true and false, empty texts, lists and objects, and masks.
 */
export function maskValue(key: string, value: JsonValue): JsonValue {
  switch (typeof value) {
    case 'string':
      return value === '' || isMask(value) ? value : maskText(secretKind(key), value)
    case 'number':
    case 'bigint':
      return `***${secretKind(key)}:${String(value).length} digits***`
    case 'boolean':
      return value
  }
  if (value === null) return value
  const count = Array.isArray(value) ? value.length : Object.keys(value).length
  if (count === 0) return value
  return `***${secretKind(key)}:${count} ${Array.isArray(value) ? 'items' : 'members'}***`
}

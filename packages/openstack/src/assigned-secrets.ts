import { isSecretMember } from './secret-key.ts'
import { endOfMask, isMask, maskText, secretKind, type MaskedText } from './secret-mask.ts'

/** How far before a separator its name may begin; longer names are looked at by their end. */
const MAX_NAME = 80
const MAX_BLANKS = 16

/** Names whose values hold blanks, as headers write them: all of the line is theirs. */
const WHOLE_LINE = /^(?:proxy-)?authorization$|^(?:set-)?cookie$/i

/** Values that hide nothing. */
const NOTHING = /^(?:|null|none|true|false|\[\]|\{\}|\(\))$/i

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')' }

/**
 * Masks the values of secret names in a text that is JSON, Python's repr, a header, a command line or a query
 * itself: `"password": "…"`, `'auth_token': '…'`, `X-Auth-Token: …`, `password=…`. Quotes may be escaped, as in JSON
 * inside JSON. What follows a secret name in brackets is masked whole.
 */
export function maskAssignedSecrets(text: string): MaskedText {
  let result = ''
  let taken = 0
  let masked = 0
  let from = 0
  for (;;) {
    const separator = nextSeparator(text, from)
    if (separator < 0) break
    const after = separator + (text[separator] === '%' ? ENCODED_EQUALS.length : 1)
    from = after
    const name = nameBefore(text, separator, taken)
    if (name === '' || !isSecretMember(name)) continue
    // The colon of a mask that is already there separates no name.
    const maskEnd = endOfMask(text, separator - name.length - 3)
    if (maskEnd > separator) {
      from = maskEnd
      continue
    }
    const [start, end] = valueAfter(text, after, name)
    from = Math.max(from, end)
    const value = text.slice(start, end)
    if (isMask(value) || NOTHING.test(value)) continue
    result += text.slice(taken, start) + maskText(secretKind(name), value)
    taken = end
    masked++
  }
  return { text: result + text.slice(taken), masked }
}

/** `=` in a query inside a query, as in the URLs of nova's consoles. */
const ENCODED_EQUALS = '%3D'

function nextSeparator(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit === 0x3a || unit === 0x3d) return index
    if (unit === 0x25 && text.slice(index, index + 3).toUpperCase() === ENCODED_EQUALS) return index
  }
  return -1
}

/** The name that ends before the separator, without its quote; empty when there is none. */
function nameBefore(text: string, separator: number, floor: number): string {
  let end = separator
  while (end > floor && separator - end < MAX_BLANKS && isBlank(text.charCodeAt(end - 1))) end--
  if (end > floor && (text[end - 1] === '"' || text[end - 1] === "'")) end--
  while (end > floor && separator - end < MAX_BLANKS && text[end - 1] === '\\') end--
  let start = end
  while (start > floor && end - start < MAX_NAME && isNameUnit(text.charCodeAt(start - 1))) start--
  return text.slice(start, end)
}

/** Where the value begins and ends, without its quotes. */
function valueAfter(text: string, after: number, name: string): readonly [start: number, end: number] {
  let start = after
  while (isBlank(text.charCodeAt(start))) start++
  // Python marks texts of bytes and, formerly, of unicode.
  const marked = /^[bu]["']/.test(text.slice(start, start + 2)) ? start + 1 : start
  let quote = marked
  while (text[quote] === '\\') quote++
  if (text[quote] === '"' || text[quote] === "'") {
    return [quote + 1, endOfQuoted(text, quote + 1, text.slice(marked, quote + 1))]
  }
  const isWholeLine = WHOLE_LINE.test(name)
  if (CLOSING[text[start] ?? ''] !== undefined) {
    return [start, endOfBare(text, endOfBracket(text, start), isWholeLine)]
  }
  const mask = endOfMask(text, start)
  const end = endOfBare(text, mask < 0 ? start : mask, isWholeLine)
  if (!SCHEME.test(text.slice(start, Math.min(end, start + 8)))) return [start, end]
  let credential = end
  while (isBlank(text.charCodeAt(credential))) credential++
  return [start, endOfBare(text, credential, isWholeLine)]
}

/** Words that stand before the credential itself. */
const SCHEME = /^(?:bearer|basic|digest|token)$/i

/** The index of the quote that closes, or of the backslashes before it when they belong to it. */
function endOfQuoted(text: string, start: number, quote: string): number {
  let end = text.indexOf(quote, start)
  if (quote.length === 1) while (end > start && isEscaped(text, end)) end = text.indexOf(quote, end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** The end of what opens at `start`, counting brackets outside of quotes; the end of the text if none closes. */
function endOfBracket(text: string, start: number): number {
  let depth = 0
  for (let index = start; index < text.length; index++) {
    const unit = text[index]!
    if (unit === '"' || unit === "'") index = endOfQuoted(text, index + 1, unit)
    else if (CLOSING[unit] !== undefined) depth++
    else if ((unit === ']' || unit === '}' || unit === ')') && --depth === 0) return index + 1
  }
  return text.length
}

const END_OF_BARE = /[\s,;&"'\\)\]}]/g
const END_OF_LINE = /[\r\n"\\]/g

function endOfBare(text: string, start: number, isWholeLine: boolean): number {
  const end = isWholeLine ? END_OF_LINE : END_OF_BARE
  end.lastIndex = start
  return end.exec(text)?.index ?? text.length
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
}

/** Letters, digits, `_` and `-`. */
function isNameUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x5f ||
    unit === 0x2d
  )
}

import { maskUrlCredentials } from '@hermod/kernel'
import { maskAssignedSecrets } from './assigned-secrets.ts'
import { isMask, maskText, type MaskedText } from './secret-mask.ts'

/** Nearly no text holds any of these, and then there is nothing to look for. */
const SUSPECT = /gAAAA|eyJ|PKIZ_|-----BEGIN|[=:]|%3D|bearer/i

/** A text that was searched for secrets. */
export interface SearchedText extends MaskedText {
  /** The characters that had to be searched; 0 where a glance was enough. */
  readonly searched: number
}

/** What a secret begins with, and where it ends. */
interface Shape {
  readonly kind: string
  readonly prefix: string
  readonly endOf: (text: string, start: number) => End
}

/** Where the search goes on, and whether what lies before is a secret. */
type End = readonly [end: number, isSecret: boolean]

const SHAPES: readonly Shape[] = [
  { kind: 'pem', prefix: '-----BEGIN ', endOf: endOfPem },
  // Keystone's tokens, and whatever else Python's cryptography.fernet made: version 128, then the time.
  { kind: 'token', prefix: 'gAAAA', endOf: endOfWord },
  { kind: 'token', prefix: 'PKIZ_', endOf: endOfWord },
  { kind: 'token', prefix: 'eyJ', endOf: endOfJwt },
]

const BEARER = /\bbearer[ \t]{1,4}(?=[\w.~+/-]{8})/gi

/** After which nothing has ever been left to mask. */
const MAX_PASSES = 5

/** A text of one word of base64 that long is a key, a certificate or user data. */
const BLOB_LENGTH = 256

/**
 * Masks what looks like a secret inside a text: tokens (Fernet, JWT, PKIZ), PEM blocks, bearer credentials,
 * passwords in URLs, values of secret names in texts that are JSON, Python's repr, headers or queries themselves,
 * and texts that are one long word of base64.
 *
 * @param longest a text with more characters that may hold a secret is masked whole instead of being searched.
 *
 * Takes time linear in the text; loops stand where a regular expression over tenants' text would overflow the
 * engine's stack or backtrack.
 */
export function maskSecretShapes(given: string, longest: number): SearchedText {
  if (given.length >= BLOB_LENGTH && isBlob(given))
    return { text: maskText('base64', given), masked: 1, searched: 0 }
  if (!SUSPECT.test(given)) return { text: given, masked: 0, searched: 0 }
  if (given.length > longest && !isMask(given))
    return { text: maskText('text', given), masked: 1, searched: 0 }
  const first = maskOnce(given)
  let { text } = first
  // A mask inside of what another rule masks (a token for a user name in a URL) reads differently afterwards.
  for (let pass = 1; first.masked > 0 && pass < MAX_PASSES; pass++) {
    const again = maskOnce(text)
    if (again.text === text) break
    text = again.text
  }
  return { text, masked: first.masked, searched: given.length }
}

function maskOnce(given: string): MaskedText {
  let text = given
  let masked = 0
  for (const shape of SHAPES) {
    const found = maskShape(text, shape)
    text = found.text
    masked += found.masked
  }
  const assigned = maskAssignedSecrets(text)
  const bearer = maskBearer(assigned.text)
  masked += assigned.masked + bearer.masked
  text = bearer.text.includes('://') ? maskUrlCredentials(bearer.text) : bearer.text
  return { text, masked: text === bearer.text ? masked : masked + 1 }
}

function maskShape(text: string, { kind, prefix, endOf }: Shape): MaskedText {
  let start = text.indexOf(prefix)
  if (start < 0) return { text, masked: 0 }
  let result = ''
  let taken = 0
  let masked = 0
  while (start >= 0) {
    const [end, isSecret] = endOf(text, start)
    if (isSecret) {
      result += text.slice(taken, start) + maskText(kind, text.slice(start, end))
      taken = end
      masked++
    }
    start = text.indexOf(prefix, end)
  }
  return { text: result + text.slice(taken), masked }
}

function maskBearer(text: string): MaskedText {
  let result = ''
  let taken = 0
  let masked = 0
  for (const match of text.matchAll(BEARER)) {
    const start = match.index + match[0].length
    if (start < taken) continue
    const end = endOfRun(text, start, isTokenUnit)
    result += text.slice(taken, start) + maskText('token', text.slice(start, end))
    taken = end
    masked++
  }
  return { text: result + text.slice(taken), masked }
}

function endOfPem(text: string, start: number): End {
  const footer = text.indexOf('-----END ', start)
  if (footer < 0) return [text.length, true]
  const end = text.indexOf('-----', footer + '-----END '.length)
  return [end < 0 ? text.length : end + '-----'.length, true]
}

const MIN_TOKEN = 20

function endOfWord(text: string, start: number): End {
  let end = endOfRun(text, start, isBase64UrlUnit)
  while (text[end] === '=') end++
  return [end, end - start >= MIN_TOKEN]
}

const MIN_JWT_PART = 6

/** The end of header, claims and signature. */
function endOfJwt(text: string, start: number): End {
  const header = endOfRun(text, start, isBase64UrlUnit)
  if (text[header] !== '.' || header - start < MIN_JWT_PART) return [header, false]
  const claims = endOfRun(text, header + 1, isBase64UrlUnit)
  if (claims - header <= MIN_JWT_PART) return [header, false]
  return [text[claims] === '.' ? endOfRun(text, claims + 1, isBase64UrlUnit) : claims, true]
}

function isBlob(text: string): boolean {
  let upper = false
  let lower = false
  let digit = false
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x61 && unit <= 0x7a) lower = true
    else if (unit >= 0x41 && unit <= 0x5a) upper = true
    else if (unit >= 0x30 && unit <= 0x39) digit = true
    else if (!isBlobMark(unit)) return false
  }
  return upper && lower && digit
}

function endOfRun(text: string, start: number, isPart: (unit: number) => boolean): number {
  let end = start
  while (end < text.length && isPart(text.charCodeAt(end))) end++
  return end
}

function isAlphanumeric(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39)
}

const BASE64URL_MARKS = '-_'
const TOKEN_MARKS = '-_.~+/='
const BLOB_MARKS = '-_+/=\r\n'

function isBase64UrlUnit(unit: number): boolean {
  return isAlphanumeric(unit) || BASE64URL_MARKS.includes(String.fromCharCode(unit))
}

function isTokenUnit(unit: number): boolean {
  return isAlphanumeric(unit) || TOKEN_MARKS.includes(String.fromCharCode(unit))
}

function isBlobMark(unit: number): boolean {
  return BLOB_MARKS.includes(String.fromCharCode(unit))
}

import { isAscii, isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { DecodeError, EncodeError } from '@hermod/kernel'

/** What a `contentEncoding` names that is no character set: the body is bytes. */
const BINARY: ReadonlySet<string> = new Set(['binary', 'ascii-8bit', 'identity', '8bit', '7bit', ''])

/** The spellings of Python's codecs for character sets that are read and written here by themselves. */
const SPELLINGS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  ascii: 'us-ascii',
  '646': 'us-ascii',
  latin1: 'latin-1',
  'iso-8859-1': 'latin-1',
  'iso8859-1': 'latin-1',
  l1: 'latin-1',
  utf16: 'utf-16',
  'utf-16-le': 'utf-16le',
  'utf-16-be': 'utf-16be',
}

/** Half a character, which no Unicode encoding can write. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether a `contentEncoding` says that the body is bytes and not text; a missing one says nothing. */
export function isBinaryEncoding(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && BINARY.has(contentEncoding.toLowerCase())
}

/**
 * Reads text in a character set, as Python's codecs do: what does not belong into it is an error and never replaced,
 * and a byte order mark stays where it is, except the one that UTF-16 begins with.
 *
 * @param contentEncoding the character set; where it is absent or no character set, UTF-8.
 * @throws {DecodeError} E_DECODE for an unknown character set, or bytes that are no text in it.
 * @source kombu serialization.py: `contentEncoding` is a character set, and utf-8 where absent
 */
export function decodeText(body: Uint8Array, contentEncoding: string | undefined): string {
  const charset = charsetOf(contentEncoding)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  switch (charset) {
    case 'utf-8':
      if (!isUtf8(bytes)) throw notInCharset(charset)
      return bytes.toString('utf8')
    case 'us-ascii':
      if (!isAscii(bytes)) throw notInCharset(charset)
      return bytes.toString('latin1')
    case 'latin-1':
      // TextDecoder takes latin-1 for windows-1252, as browsers do and Python does not.
      return bytes.toString('latin1')
    case 'utf-16':
      return bytes[0] === 0xfe && bytes[1] === 0xff
        ? decodeOther(bytes.subarray(2), 'utf-16be')
        : decodeOther(bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.subarray(2) : bytes, 'utf-16le')
    default:
      return decodeOther(bytes, charset)
  }
}

/**
 * Writes text in a character set: UTF-8, US-ASCII, Latin-1 or UTF-16, under any name that Python knows them by.
 * @throws {EncodeError} E_ENCODE for another character set, or text that it lacks characters for.
 */
export function encodeText(text: string, contentEncoding: string | undefined): Uint8Array {
  const charset = charsetOf(contentEncoding)
  switch (charset) {
    case 'utf-8':
      if (LONE_SURROGATE.test(text)) throw notEncodable(charset)
      return Buffer.from(text, 'utf8')
    case 'us-ascii':
    case 'latin-1': {
      const highest = charset === 'latin-1' ? 0xff : 0x7f
      for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > highest) throw notEncodable(charset)
      return Buffer.from(text, 'latin1')
    }
    case 'utf-16':
      return encodeText(`\ufeff${text}`, 'utf-16le')
    case 'utf-16le':
      if (LONE_SURROGATE.test(text)) throw notEncodable(charset)
      return Buffer.from(text, 'utf16le')
    default:
      throw new EncodeError(`text cannot be written as '${charset.slice(0, 64)}'; give the bytes instead`)
  }
}

function charsetOf(contentEncoding: string | undefined): string {
  if (contentEncoding === undefined || isBinaryEncoding(contentEncoding)) return 'utf-8'
  const name = contentEncoding.toLowerCase().replaceAll('_', '-')
  return Object.hasOwn(SPELLINGS, name) ? (SPELLINGS[name] as string) : name
}

function decodeOther(bytes: Buffer, charset: string): string {
  let decoder: TextDecoder
  try {
    decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true })
  } catch (cause) {
    throw new DecodeError(
      `a body is in the character set '${charset.slice(0, 64)}', which cannot be read here`,
      {
        cause,
      },
    )
  }
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw notInCharset(charset, cause)
  }
}

function notInCharset(charset: string, cause?: unknown): DecodeError {
  return new DecodeError(`a body is no text in ${charset}`, cause === undefined ? {} : { cause })
}

function notEncodable(charset: string): EncodeError {
  return new EncodeError(`the text has characters that ${charset} lacks`)
}

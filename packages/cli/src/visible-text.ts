/**
 * Characters that steer a terminal or reorder what stands around them: C0, DEL, C1, line and paragraph
 * separators, marks and overrides of writing direction, zero-width space and joiner-like blanks, tags.
 */
const STEERING =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu

const STEERING_RUN = new RegExp(`(?:${STEERING.source})+`, 'gu')

const SHORT_FORMS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * The text with every steering character written out (`\x1b`, `\u202e`), so that a name chosen by a stranger
 * can neither move the cursor nor hide or reorder anything. All other text stays as it is.
 */
export function visibleText(text: string): string {
  return text.replaceAll(STEERING, (character) => {
    const code = character.codePointAt(0) as number
    return SHORT_FORMS[character] ?? (code > 0xff ? unicodeEscape(character) : `\\x${hex(code, 2)}`)
  })
}

/** The same for a text that is JSON: written as JSON escapes, so that a reader gets the characters back. */
export function visibleJson(json: string): string {
  return json.replaceAll(STEERING_RUN, unicodeEscape)
}

const HEX_DIGITS = Buffer.from('0123456789abcdef')

/** By way of bytes: a text of sixteen million such characters would otherwise take seconds. */
function unicodeEscape(characters: string): string {
  const escaped = Buffer.allocUnsafe(characters.length * 6)
  let at = 0
  for (let index = 0; index < characters.length; index++) {
    const unit = characters.charCodeAt(index)
    escaped[at++] = 0x5c // backslash
    escaped[at++] = 0x75 // u
    for (let shift = 12; shift >= 0; shift -= 4) escaped[at++] = HEX_DIGITS[(unit >> shift) & 0xf] as number
  }
  return escaped.toString('latin1')
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

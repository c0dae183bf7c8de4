/**
 * Characters that steer a terminal or reorder what stands around them: C0, DEL, C1, line and paragraph
 * separators, marks and overrides of writing direction, zero-width space and joiner-like blanks, tags.
 */
const STEERING =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu

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
  return json.replaceAll(STEERING, unicodeEscape)
}

function unicodeEscape(character: string): string {
  let escaped = ''
  for (let at = 0; at < character.length; at++) escaped += `\\u${hex(character.charCodeAt(at), 4)}`
  return escaped
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}

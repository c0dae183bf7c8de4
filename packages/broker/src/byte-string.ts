/*
 * Names, routing keys and texts are bytes on the wire, and a broker must hand them on as they came, UTF-8 or not.
 * Within this package they are *byte strings*: one character for each byte (latin1). ASCII is the same in both
 * worlds; only what a person reads or writes is converted.
 */

const ASCII = /^[\0-\x7f]*$/

/** The byte string of a text: its UTF-8. */
export function toByteString(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** The text of a byte string; bytes that are no UTF-8 become replacement characters. */
export function fromByteString(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8')
}

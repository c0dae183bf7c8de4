import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visibleJson, visibleText } from '../src/visible-text.ts'

const STEERING_NUMBERS: readonly (readonly [number, number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
  [0xe0000, 0xe007f],
]

const steers = (text: string): boolean =>
  [...text.matchAll(/./gsu)].some(([character]) =>
    STEERING_NUMBERS.some(([first, last]) => {
      const code = character.codePointAt(0) as number
      return code >= first && code <= last
    }),
  )

/** Texts in which steering characters are frequent. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...STEERING_NUMBERS.flat().map((code) => String.fromCodePoint(code))),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
})

describe('visibleText', () => {
  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['\u009b31m', '\\x9b31m'],
    ['a\u007fb', 'a\\x7fb'],
    ['two\nlines\tand\rback', 'two\\nlines\\tand\\rback'],
    ['evil\u202egpj.exe', 'evil\\u202egpj.exe'],
    ['\u2066x\u2069', '\\u2066x\\u2069'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['Zürich 東京 👩‍💻 naïve', 'Zürich 東京 👩‍💻 naïve'],
  ])('%j becomes %s', (text, visible) => {
    expect(visibleText(text)).toBe(visible)
  })

  it('leaves nothing that steers', () => {
    fc.assert(fc.property(hostile, (text) => !steers(visibleText(text))))
  })
})

describe('visibleJson', () => {
  it('leaves nothing that steers, and a reader gets the very same text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = visibleJson(JSON.stringify({ text }))
        expect(steers(line)).toBe(false)
        expect(JSON.parse(line)).toEqual({ text })
      }),
    )
  })
})

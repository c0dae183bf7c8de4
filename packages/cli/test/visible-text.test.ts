import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visibleJson, visibleText } from '../src/visible-text.ts'
import { hostileText, steers } from './hostile-text.ts'

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
    fc.assert(fc.property(hostileText, (text) => !steers(visibleText(text))))
  })
})

describe('visibleJson', () => {
  it('writes runs and pairs out unit by unit', () => {
    expect(visibleJson('"a\u007f\u0085\u{e0041}b\u202ec"')).toBe(
      String.raw`"a\u007f\u0085\udb40\udc41b\u202ec"`,
    )
  })

  it('leaves nothing that steers, and a reader gets the very same text', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const line = visibleJson(JSON.stringify({ text }))
        expect(steers(line)).toBe(false)
        expect(JSON.parse(line)).toEqual({ text })
      }),
    )
  })
})

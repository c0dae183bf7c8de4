import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutToWidth, displayWidth } from '../../src/output/display-width.ts'

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['web-1', 5],
    ['Zürich', 6],
    ['e\u0301', 1],
    ['東京', 4],
    ['한글', 4],
    ['😀', 2],
  ])('%s takes %d', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })
})

describe('cutToWidth', () => {
  it.each([
    ['web-1', 5, 'web-1'],
    ['web-10', 5, 'web-…'],
    ['東京都', 5, '東京…'],
    ['東京都', 4, '東…'],
    ['東京都', 6, '東京都'],
    ['e\u0301e\u0301', 2, 'e\u0301e\u0301'],
    ['x', 0, ''],
  ])('%s to %d is %s', (text, width, cut) => {
    expect(cutToWidth(text, width)).toBe(cut)
  })

  it('never takes more columns than allowed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, width) => {
        const cut = cutToWidth(text, width)
        expect(displayWidth(cut)).toBeLessThanOrEqual(width)
        expect(cut === text).toBe(displayWidth(text) <= width)
      }),
    )
  })
})

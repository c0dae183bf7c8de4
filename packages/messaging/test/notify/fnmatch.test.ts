import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFnmatch } from '../../src/notify/fnmatch.ts'

const TEXTS = 'foo.|foo.1|foo|Foo.1|ax|dx|]x|[x|abc|a\nc||-|b|e|B|a.b.end|a.end|a\\b|é😀|x'.split('|')

/** Which of the texts Python's fnmatch takes for each pattern. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  'foo.*': ['foo.', 'foo.1'],
  '[a-c]x': ['ax'],
  '[!a-c]x': ['dx', ']x', '[x'],
  '[]]x': [']x'],
  '[!]]x': ['ax', 'dx', '[x'],
  '[x': ['[x'],
  'a?c': ['abc', 'a\nc'],
  '*': TEXTS,
  '': [''],
  '[a-c-e]': ['-', 'b', 'e'],
  '[--a]': ['-', 'B'],
  '[c-a]x': [],
  '*.*.end': ['a.b.end'],
  'a\\*': ['a\\b'],
  '[!-]': ['b', 'e', 'B', 'x'],
  'é?': ['é😀'],
}

describe('compileFnmatch', () => {
  it.each(Object.entries(TAKEN))('takes for %j what Python takes', (pattern, taken) => {
    expect(TEXTS.filter(compileFnmatch(pattern))).toEqual(taken)
  })

  it('takes every text as its own pattern when it has no special character', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll(/[*?[]/g, '')
        expect(compileFnmatch(plain)(plain)).toBe(true)
      }),
    )
  })

  it('stays quick on a pattern that would send a regular expression astray', () => {
    const matches = compileFnmatch(`${'*a'.repeat(30)}b`)
    const before = process.cpuUsage()
    expect(matches('a'.repeat(5000))).toBe(false)
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000)
  })
})

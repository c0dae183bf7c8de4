import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesTopic } from '../../src/index.ts'

describe('matchesTopic', () => {
  it.each([
    ['*.muzixing.#', 'hello.muzixing.info', true],
    ['*.muzixing.#', 'hello.muzixing', true],
    ['*.muzixing.#', 'muzixing.info', false],
    ['#', '', true],
    ['*', '', false],
    ['', '', true],
    ['', 'a', false],
    ['a.#', 'a', true],
    ['#.a', 'a', true],
    ['#.a.#', 'b.a.a.c', true],
    ['#.a.#.b', 'a.x.a.b.c', false],
    ['#.*', 'a', true],
    ['*.#.*', 'a', false],
    ['a.*.c', 'a..c', true],
    ['a.b', 'A.b', false],
    ['*', 'a*b', true],
    ['a*', 'ab', false],
  ])('%j takes %j: %s', (bindingKey, routingKey, taken) => {
    expect(matchesTopic(bindingKey, routingKey)).toBe(taken)
  })

  it('agrees with trying every way', () => {
    const every = (pattern: readonly string[], words: readonly string[]): boolean => {
      const [first, ...rest] = pattern
      if (first === undefined) return words.length === 0
      if (first === '#') return every(rest, words) || (words.length > 0 && every(pattern, words.slice(1)))
      return words.length > 0 && (first === '*' || first === words[0]) && every(rest, words.slice(1))
    }
    const key = (words: readonly string[]): string => words.join('.')
    const word = fc.constantFrom('a', 'b')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 8 }),
        fc.array(word, { minLength: 1, maxLength: 8 }),
        (pattern, words) => {
          expect(matchesTopic(key(pattern), key(words))).toBe(every(pattern, words))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('does not take for ever over many hashes', () => {
    expect(matchesTopic('#.a.'.repeat(60) + 'b', 'a.'.repeat(120) + 'c')).toBe(false)
  })
})

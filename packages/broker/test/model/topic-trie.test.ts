import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countHashes, TopicTrie } from '../../src/model/topic-trie.ts'

/** What the specification says, word by word, without a thought for cost. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return words.length === 0
  if (first === '#') return matches(rest, words) || (words.length > 0 && matches(pattern, words.slice(1)))
  if (words.length === 0) return false
  return (first === '*' || first === words[0]) && matches(rest, words.slice(1))
}

const split = (key: string): string[] => (key === '' ? [] : key.split('.'))

const found = (trie: TopicTrie<string>, key: string): string[] => {
  const values = new Set<string>()
  trie.match(key, (value) => values.add(value))
  return [...values].toSorted()
}

const word = fc.constantFrom('a', 'b', '')
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { maxLength: 6 })
  .map((words) => words.join('.'))
const key = fc.array(word, { maxLength: 7 }).map((words) => words.join('.'))

describe('a topic trie', () => {
  test('finds what a matcher finds that knows no trie', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), key, (patterns, asked) => {
        const trie = new TopicTrie<string>()
        for (const one of patterns) trie.add(one, one)
        const expected = new Set(patterns.filter((one) => matches(split(one), split(asked))))
        expect(found(trie, asked)).toEqual([...expected].toSorted())
      }),
      { numRuns: 2000 },
    )
  })

  test('is after removals as if what was removed had never been there', () => {
    const change = fc.record({ pattern, keep: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), key, (changes, asked) => {
        const trie = new TopicTrie<string>()
        const kept = new TopicTrie<string>()
        for (const [at, one] of changes.entries()) trie.add(one.pattern, String(at))
        for (const [at, one] of changes.entries()) {
          if (one.keep) kept.add(one.pattern, String(at))
          else trie.remove(one.pattern, String(at))
        }
        expect(found(trie, asked)).toEqual(found(kept, asked))
      }),
      { numRuns: 1000 },
    )
  })

  test('a value that was added twice stays when it is removed once', () => {
    const trie = new TopicTrie<string>()
    trie.add('a.#', 'v')
    trie.add('a.#', 'v')
    trie.remove('a.#', 'v')
    expect(found(trie, 'a.b')).toEqual(['v'])
    trie.remove('a.#', 'v')
    expect(found(trie, 'a.b')).toEqual([])
    trie.remove('a.#', 'v')
    trie.remove('never.there', 'v')
  })

  test('many wildcards do not multiply', () => {
    const trie = new TopicTrie<string>()
    const hashes = Array.from({ length: 20 }, (_, i) => `#.${i % 2 === 0 ? 'a' : 'b'}`).join('.')
    trie.add(`${hashes}.never`, 'v')
    const long = Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? 'a' : 'b')).join('.')
    const before = process.cpuUsage()
    expect(found(trie, long)).toEqual([])
    // Without a memo these are more steps than there are atoms in a stone.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000)
  })

  test('nor do many patterns that are full of them', () => {
    const trie = new TopicTrie<number>()
    for (let i = 0; i < 2000; i++)
      trie.add(Array.from({ length: 30 }, (_, at) => `#.${(i >> (at % 11)) & 1 ? 'a' : 'b'}`).join('.'), i)
    const long = Array.from({ length: 101 }, (_, i) => (i % 3 === 0 ? 'a' : 'b')).join('.')
    const values: number[] = []
    const before = process.cpuUsage()
    trie.match(long, (value) => values.push(value))
    // Place by place these were seconds.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000)
    expect(values.length).toBeGreaterThan(0)
    expect(new Set(values).size).toBe(values.length)
  })

  test.each([
    ['#', 1],
    ['a.#.b.#', 2],
    ['a#.b', 0],
  ])('counts the hashes of %s', (asked, count) => expect(countHashes(asked)).toBe(count))
})

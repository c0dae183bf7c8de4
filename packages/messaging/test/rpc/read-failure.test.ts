import type { JsonValue } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFailure } from '../../src/index.ts'

const WHOLE = {
  class: 'ValueError',
  module: 'builtins',
  message: "ival can't go negative!",
  tb: ['Traceback (most recent call last):\n', "ValueError: ival can't go negative!\n"],
  args: ["ival can't go negative!"],
  kwargs: { who: 'test' },
}

const NOTHING = { class: 'UnnamedError', module: '', message: '', tb: [], args: [], kwargs: {} }

describe('readFailure', () => {
  it('reads what Python writes', () => {
    const text =
      '{"class": "ValueError", "module": "builtins", "message": "ival can\'t go negative!", "tb": ["Traceback (most ' +
      'recent call last):\\n", "ValueError: ival can\'t go negative!\\n"], "args": ["ival can\'t go negative!"], ' +
      '"kwargs": {"who": "test"}}'
    expect(readFailure(text)).toEqual(WHOLE)
  })

  it('takes an object as it is', () => {
    expect(readFailure(WHOLE)).toEqual(WHOLE)
  })

  it.each<[string, JsonValue, object]>([
    ['nothing', {}, NOTHING],
    [
      'members that are null',
      { class: null, module: null, message: null, tb: null, args: null, kwargs: null },
      NOTHING,
    ],
    ['a traceback that is one text', { tb: 'Traceback\n' }, { ...NOTHING, tb: ['Traceback\n'] }],
    [
      'a traceback with other things in it',
      { tb: ['one', 2, null, 'three'] },
      { ...NOTHING, tb: ['one', 'three'] },
    ],
    ["lists and objects in each other's place", { args: { a: 1 }, kwargs: ['a'] }, NOTHING],
    ['numbers in the place of names', { class: 7, module: 8, message: 9 }, NOTHING],
  ])('reads a failure of %s', (_, failure, expected) => {
    expect(readFailure(JSON.stringify(failure))).toEqual(expected)
  })

  it('looks nothing up on the prototype of objects', () => {
    const failure = readFailure(
      '{"__proto__": {"class": "Forged"}, "kwargs": {"__proto__": {"forged": true}}}',
    )
    expect(failure.class).toBe('UnnamedError')
    expect(Object.keys(failure.kwargs)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(failure.kwargs)).toBe(Object.prototype)
  })

  it.each(['', 'ValueError', '{"class": "Cut', '"text"', '[1]', '7', 'null'])(
    'says that %j cannot be read',
    (text) => {
      const failure = readFailure(text)
      expect(failure).toMatchObject({ class: 'UnreadableFailure', module: 'hermod' })
      expect(failure.message).toContain('cannot be read')
      expect(failure.message).not.toContain('Cut')
    },
  )

  it('never throws, and always gives a whole failure', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"class": ${json}, "tb": ${json}}`),
    )
    fc.assert(
      fc.property(anything, (text) => {
        const failure = readFailure(text)
        expect(Object.keys(failure).toSorted()).toEqual(Object.keys(WHOLE).toSorted())
        expect(failure.tb.every((line) => typeof line === 'string')).toBe(true)
      }),
    )
  })
})

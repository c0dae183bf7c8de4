import type { FieldTable } from '@hermod/amqp'
import { TypedField } from '@hermod/amqp'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldsFrom } from '../../src/model/field-table.ts'
import { headersMatch } from '../../src/model/headers-matcher.ts'
import { ModelFixture, refusal } from './model-fixture.ts'

const matches = (args: FieldTable, headers: FieldTable): boolean =>
  headersMatch(fieldsFrom(args), fieldsFrom(headers))

describe('headers meet a binding', () => {
  test.each<[string, FieldTable, FieldTable, boolean]>([
    ['all of it', { a: 1, b: 'x' }, { a: 1, b: 'x', c: 2 }, true],
    ['not all of it', { a: 1, b: 'x' }, { a: 1 }, false],
    ['any of it', { 'x-match': 'any', a: 1, b: 'x' }, { b: 'x' }, true],
    ['none of it', { 'x-match': 'any', a: 1, b: 'x' }, { a: 2 }, false],
    ['nothing asked for, all', {}, { a: 1 }, true],
    ['nothing asked for, any', { 'x-match': 'any' }, { a: 1 }, false],
    ['another type', { a: '1' }, { a: 1 }, false],
    ['another width', { a: TypedField.int8(1) }, { a: TypedField.int64(1) }, true],
    ['bytes that are the text', { a: Buffer.from('x') }, { a: 'x' }, true],
    ['a name alone', { a: null }, { a: 'whatever' }, true],
    ['a name alone that is not there', { a: null }, { b: 1 }, false],
    ['fields named x- are passed over', { 'x-a': 1, b: 1 }, { b: 1 }, true],
    ['unless asked for, all', { 'x-match': 'all-with-x', 'x-a': 1, b: 1 }, { b: 1 }, false],
    ['unless asked for, any', { 'x-match': 'any-with-x', 'x-a': 1, b: 1 }, { 'x-a': 1 }, true],
    ['an array', { a: [1, 'x'] }, { a: [1, 'x'] }, true],
    ['another array', { a: [1, 'x'] }, { a: ['x', 1] }, false],
    ['a table', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 2 } }, true],
    ['a table in another order', { a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, false],
    ['a name that objects have', { constructor: 'x' }, {}, false],
  ])('%s', (_title, args, headers, expected) => expect(matches(args, headers)).toBe(expected))

  test('by the definition', () => {
    const value = fc.constantFrom(1, 2, 'x', null)
    const table = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'x-d'), value, { maxKeys: 4 })
    const modes = fc.constantFrom('all', 'any', 'all-with-x', 'any-with-x')
    fc.assert(
      fc.property(modes, table, table, (mode, args, headers) => {
        const asked = Object.entries(args).filter(
          ([name]) => mode.endsWith('-with-x') || !name.startsWith('x-'),
        )
        const met = asked.map(
          ([name, one]) => Object.hasOwn(headers, name) && (one === null || headers[name] === one),
        )
        const expected = mode.startsWith('any') ? met.includes(true) : !met.includes(false)
        expect(matches({ ...args, 'x-match': mode }, headers)).toBe(expected)
      }),
    )
  })
})

test.each<[FieldTable, string]>([
  [
    { 'x-match': 'some' },
    'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x',
  ],
  [{ 'x-match': 1 }, 'Invalid x-match field type signedint (value 1); expected longstr'],
])('a binding with %j is refused', (args, text) => {
  const fixture = new ModelFixture()
  fixture.queue('q')
  expect(refusal(() => fixture.bind('q', 'amq.headers', '', args))).toBe(`406 PRECONDITION_FAILED - ${text}`)
})

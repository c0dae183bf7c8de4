import { TypedField, type FieldTable, type FieldValue } from '@hermod/amqp'
import { ByteReader, ByteWriter } from '@hermod/amqp/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erlangTerm } from '../../src/model/erlang-text.ts'
import { fieldsFrom, readFields, writeFields } from '../../src/model/field-table.ts'
import { sameData } from '../../src/model/field-equality.ts'
import type { Field, FieldType, Fields } from '../../src/model/field.ts'
import { isTable } from '../../src/model/table-check.ts'

const LIMITS = { maxDepth: 32, maxFields: 4096 }

const bytesOf = (fields: Fields): Buffer => {
  const writer = new ByteWriter()
  writeFields(writer, fields)
  return Buffer.from(writer.written())
}

const read = (bytes: Buffer, limits: typeof LIMITS = LIMITS): Fields =>
  readFields(new ByteReader().reset(bytes), limits)

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((one) => Buffer.from(one).toString('latin1'))
const plain: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ type: fc.constantFrom<FieldType>('longstr', 'binary'), value: text }),
  fc.record({ type: fc.constant<FieldType>('bool'), value: fc.boolean() }),
  fc.record({ type: fc.constant<FieldType>('void'), value: fc.constant(null) }),
  fc.record({ type: fc.constant<FieldType>('byte'), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant<FieldType>('unsignedbyte'), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ type: fc.constant<FieldType>('short'), value: fc.integer({ min: -32768, max: 32767 }) }),
  fc.record({ type: fc.constant<FieldType>('unsignedshort'), value: fc.integer({ min: 0, max: 65535 }) }),
  fc.record({ type: fc.constant<FieldType>('signedint'), value: fc.integer() }),
  fc.record({ type: fc.constant<FieldType>('unsignedint'), value: fc.nat() }),
  fc.record({ type: fc.constant<FieldType>('long'), value: fc.maxSafeInteger() }),
  fc.record({ type: fc.constant<FieldType>('timestamp'), value: fc.nat() }),
  fc.record({ type: fc.constant<FieldType>('double'), value: fc.double() }),
  fc.record({ type: fc.constant<FieldType>('float'), value: fc.float() }),
  fc.record({
    type: fc.constant<FieldType>('decimal'),
    value: fc.record({ scale: fc.nat(255), digits: fc.nat() }),
  }),
)
const { fields } = fc.letrec<{ field: Field; fields: Fields }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    plain,
    fc.record({ type: fc.constant<FieldType>('table'), value: tie('fields') }),
    fc.record({ type: fc.constant<FieldType>('array'), value: fc.array(tie('field'), { maxLength: 4 }) }),
  ),
  fields: fc.array(fc.tuple(text, tie('field')), { maxLength: 5 }).map((entries) => new Map(entries)),
}))

describe('a table', () => {
  test('comes back as it was written, every type kept', () => {
    fc.assert(
      fc.property(fields, (one) => {
        const bytes = bytesOf(one)
        expect(bytesOf(read(bytes))).toEqual(bytes)
        expect(isTable(bytes, 0, bytes.length, LIMITS)).toBe(true)
      }),
    )
  })

  test('is told from what is none, without being made', () => {
    fc.assert(
      fc.property(fields, fc.nat(), fc.nat(255), (one, at, byte) => {
        const bytes = bytesOf(one)
        bytes[at % bytes.length] = byte
        const readable = (): boolean => {
          const reader = new ByteReader().reset(bytes)
          readFields(reader, LIMITS)
          return true
        }
        let whole = false
        try {
          whole = readable()
        } catch {
          whole = false
        }
        expect(isTable(bytes, 0, bytes.length, LIMITS)).toBe(whole)
      }),
      { numRuns: 2000 },
    )
  })

  test('is refused when it is nested too deep, or holds too much', () => {
    let deep: Fields = new Map()
    for (let i = 0; i < 10; i++) deep = new Map([['t', { type: 'table', value: deep }]])
    const many = new Map(
      Array.from({ length: 10 }, (_, i) => [String(i), { type: 'void', value: null } as const]),
    )
    for (const [one, limits] of [
      [deep, { maxDepth: 9, maxFields: 100 }],
      [many, { maxDepth: 9, maxFields: 9 }],
    ] as const) {
      const bytes = bytesOf(one)
      expect(() => read(bytes, limits)).toThrow(
        `nested deeper than 9 levels or holds more than ${limits.maxFields} values`,
      )
      expect(isTable(bytes, 0, bytes.length, limits)).toBe(false)
      const enough = { maxDepth: 10, maxFields: 100 }
      expect(sameData(read(bytes, enough), one)).toBe(true)
      expect(isTable(bytes, 0, bytes.length, enough)).toBe(true)
    }
  })

  test('of a program has the types that the codec would choose', () => {
    const table: FieldTable = {
      a: 1,
      b: 2 ** 40,
      c: 1.5,
      d: 'é',
      e: null,
      f: new Date(1000),
      g: [true, 2n ** 60n],
      h: { i: TypedField.decimal(2, 5), j: TypedField.uint16(7) },
      k: Buffer.from([255]),
      l: undefined,
    }
    expect(fieldsFrom(table)).toEqual(
      new Map<string, unknown>([
        ['a', { type: 'signedint', value: 1 }],
        ['b', { type: 'long', value: 2 ** 40 }],
        ['c', { type: 'double', value: 1.5 }],
        ['d', { type: 'longstr', value: '\u00c3\u00a9' }],
        ['e', { type: 'void', value: null }],
        ['f', { type: 'timestamp', value: 1 }],
        [
          'g',
          {
            type: 'array',
            value: [
              { type: 'bool', value: true },
              { type: 'long', value: 2n ** 60n },
            ],
          },
        ],
        [
          'h',
          {
            type: 'table',
            value: new Map<string, unknown>([
              ['i', { type: 'decimal', value: { scale: 2, digits: 5 } }],
              ['j', { type: 'unsignedshort', value: 7 }],
            ]),
          },
        ],
        ['k', { type: 'binary', value: '\u00ff' }],
      ]),
    )
  })
})

test.each<[FieldValue, string]>([
  ['text', '<<"text">>'],
  ['a "word"', String.raw`<<"a \"word\"">>`],
  ['', '<<>>'],
  ['\u0001', '<<1>>'],
  [7, '7'],
  [1.5, '1.5'],
  [TypedField.double(2), '2.0'],
  [true, 'true'],
  [[1, 'a'], '[{signedint,1},{longstr,<<"a">>}]'],
  [{ a: 1 }, '[{<<"a">>,signedint,1}]'],
])('Erlang shows %j as %s', (value, shown) => {
  expect(erlangTerm(fieldsFrom({ value }).get('value') as Field)).toBe(shown)
})

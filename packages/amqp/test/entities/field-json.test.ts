import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TypedField, type FieldTable, type FieldValue } from '../../src/index.ts'
import { tableFromJson, tableToJson } from '../../src/entities/field-json.ts'
import { writeTable } from '../../src/wire/field-table.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'

const bytesOf = (table: FieldTable): Buffer => {
  const writer = new ByteWriter()
  writeTable(writer, table)
  return writer.written()
}

const name = fc.string({ maxLength: 20 }).filter((text) => text !== '__proto__' && text !== '$amqp')
const { table } = fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
  table: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.string(),
    fc.uint8Array(),
    fc.date({ min: new Date(0), max: new Date(8.64e15), noInvalidDate: true }),
    fc.integer({ min: 0, max: 255 }).map((value) => TypedField.uint8(value)),
    fc.tuple(fc.nat(255), fc.integer()).map(([scale, value]) => TypedField.decimal(scale, value)),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => new TypedField('float', value)),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('table'),
  ),
}))

describe('tables in JSON', () => {
  it('are the same on the wire when they come back', () => {
    fc.assert(
      fc.property(table, (value) => {
        const again = tableFromJson(JSON.parse(JSON.stringify(tableToJson(value))) as Record<string, unknown>)
        expect(bytesOf(again).toString('hex')).toBe(bytesOf(value).toString('hex'))
      }),
    )
  })

  it('cannot hold a table that looks like a tagged value', () => {
    expect(() => tableToJson({ a: { $amqp: 'int8' } })).toThrow(expect.objectContaining({ code: 'E_ENCODE' }))
  })

  it.each([
    { $amqp: 'int8', value: '300' },
    { $amqp: 'int64', value: 'x' },
    { $amqp: 'int64', value: 5 },
    { $amqp: 'bytes', value: 5 },
    { $amqp: 'nothing', value: '5' },
    { $amqp: 'decimal', value: '5', scale: 'x' },
  ])('are refused with %j in them', (value) => {
    expect(() => tableFromJson({ value })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
  })
})

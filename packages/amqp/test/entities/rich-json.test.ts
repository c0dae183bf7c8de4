import { describe, expect, it } from 'vitest'
import { richJsonSerializer } from '../../src/entities/rich-json.ts'
import { RichJsonValue } from '../../src/entities/rich-json-value.ts'
import { DEFAULT_SERIALIZERS } from '../../src/entities/serializer-registry.ts'

const encode = (value: unknown): string => Buffer.from(richJsonSerializer.encode(value)).toString()
const decode = (text: string): unknown => richJsonSerializer.decode(Buffer.from(text), 'utf-8')
const tag = (type: string, value: unknown): string => JSON.stringify({ __type__: type, __value__: value })
const uuid = '6ba7b810-9dad-41d1-80b4-00c04fd430c8'

describe('richJsonSerializer', () => {
  it('takes the place of json in a registry', () => {
    const serializers = DEFAULT_SERIALIZERS.with(richJsonSerializer)
    expect(serializers.find('application/json')).toBe(richJsonSerializer)
    expect(serializers.names.toSorted()).toEqual(['json', 'raw', 'text'])
  })

  it.each<[string, unknown, string]>([
    [
      'a moment',
      new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 7)),
      tag('datetime', '2026-02-03T04:05:06.007+00:00'),
    ],
    ['text as bytes', Buffer.from('π'), tag('bytes', 'π')],
    ['bytes that are no text', Buffer.from([0xff]), tag('base64', '/w==')],
    ['a date', RichJsonValue.date('2026-02-03'), tag('date', '2026-02-03')],
    ['a time', RichJsonValue.time('04:05:06.000007'), tag('time', '04:05:06.000007')],
    ['a decimal', RichJsonValue.decimal('-1.50E+3'), tag('decimal', '-1.50E+3')],
    ['a UUID', RichJsonValue.uuid(uuid), tag('uuid', { hex: uuid.replaceAll('-', '') })],
  ])('writes %s as kombu does, and reads it again', (_, value, text) => {
    expect(encode(value)).toBe(text)
    expect(decode(text)).toEqual(value)
    expect(decode(`{"in": [${text}]}`)).toEqual({ in: [value] })
  })

  it('reads a UUID with its version beside it, as older versions of kombu write it', () => {
    const fields = { hex: uuid.replaceAll('-', ''), version: 4 }
    expect(decode(tag('uuid', fields))).toEqual(RichJsonValue.uuid(uuid))
  })

  it.each<[string, string]>([
    ['2026-02-03T04:05:06.789012', '2026-02-03T04:05:06.789Z'],
    ['2026-02-03T04:05', '2026-02-03T04:05:00.000Z'],
    ['2026-02-03', '2026-02-03T00:00:00.000Z'],
    ['2026-02-03T04:05:06-02:30', '2026-02-03T06:35:06.000Z'],
    ['0001-01-01T00:00:00+00:00', '0001-01-01T00:00:00.000Z'],
    ['2026-02-03 04:05:06Z', '2026-02-03T04:05:06.000Z'],
  ])('reads the moment %s', (text, expected) => {
    expect((decode(tag('datetime', text)) as Date).toISOString()).toBe(expected)
  })

  it.each<[string, unknown]>([
    ['a type that nobody knows', { __type__: 'set', __value__: [] }],
    ['no type', { __type__: null, __value__: '' }],
    ['a day that no month has', { __type__: 'datetime', __value__: '2026-02-30T00:00:00' }],
    ['an hour that no day has', { __type__: 'datetime', __value__: '2026-02-03T24:00:00' }],
    ['a number for a moment', { __type__: 'datetime', __value__: 7 }],
    ['broken base64', { __type__: 'base64', __value__: '§§' }],
    ['a date with a time', { __type__: 'date', __value__: '2026-02-03T00:00' }],
    ['a time of another clock', { __type__: 'time', __value__: '25:00' }],
    ['a word for a decimal', { __type__: 'decimal', __value__: 'seven' }],
    ['a UUID of other digits', { __type__: 'uuid', __value__: { hex: 'x'.repeat(32), version: 4 } }],
    ['a UUID as text', { __type__: 'uuid', __value__: uuid }],
    ['a tag within a tag', { __type__: 'bytes', __value__: { __type__: 'bytes', __value__: '' } }],
  ])('refuses %s', (_, value) => {
    expect(() => decode(JSON.stringify([value]))).toThrow(expect.objectContaining({ code: 'E_DECODE' }))
  })

  it('leaves objects with other members alone', () => {
    const objects = [
      { __type__: 'datetime' },
      { __type__: 'set', __value__: 1, more: 2 },
      { __proto__: null },
    ]
    expect(decode(encode(objects))).toEqual(objects)
    expect(encode({ made: { toJSON: () => new Date(0) } })).toBe(
      `{"made":${tag('datetime', '1970-01-01T00:00:00.000+00:00')}}`,
    )
  })

  it('refuses to write what would be read as something else, or by nobody', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    const values = [
      { __type__: 'datetime', __value__: 'soon' },
      new Date(Number.NaN),
      new Date(Date.UTC(10_000, 0)),
      cycle,
      undefined,
    ]
    for (const value of values)
      expect(() => encode(value)).toThrow(expect.objectContaining({ code: 'E_ENCODE' }))
  })
})

describe('RichJsonValue', () => {
  it('is text to whoever knows nothing of kinds', () => {
    const value = RichJsonValue.uuid(uuid.toUpperCase())
    expect(String(value)).toBe(uuid)
    expect(JSON.stringify([value])).toBe(`["${uuid}"]`)
    expect(() => Object.assign(value, { text: '' })).toThrow(TypeError)
  })

  it('refuses a text of another kind, without repeating it', () => {
    expect(() => RichJsonValue.date('secret')).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.not.stringContaining('secret') }),
    )
  })
})

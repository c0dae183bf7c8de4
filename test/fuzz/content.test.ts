import { isDeepStrictEqual } from 'node:util'
import {
  DEFAULT_COMPRESSIONS,
  DEFAULT_SERIALIZERS,
  jsonSerializer,
  richJsonSerializer,
  RichJsonValue,
  type Serializer,
} from '@hermod/amqp'
import { isHermodError } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const runs = { numRuns: 3000 }

const text = fc.string({ unit: 'binary', maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
/** Minus zero is written as zero, as JSON.stringify does. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value))
const digits = fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n })

const two = (value: number): string => String(value).padStart(2, '0')
const date = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((value) => new Date(value))
const rich = fc.oneof(
  date,
  bytes,
  date.map((value) => RichJsonValue.date(value.toISOString().slice(0, 10))),
  fc
    .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999))
    .map(([h, m, s, u]) => RichJsonValue.time(`${two(h)}:${two(m)}:${two(s)}.${String(u).padStart(6, '0')}`)),
  fc.bigInt().map((value) => RichJsonValue.decimal(`${value}.50`)),
  fc.uuid().map((value) => RichJsonValue.uuid(value)),
)

function valueOf(leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const key = fc.oneof(text, fc.constantFrom('__proto__', '__type__', '__value__', 'constructor'))
  return fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      number,
      digits,
      text,
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc
        .array(fc.tuple(key, tie('value')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries))
        .filter((value) => !('__type__' in value && '__value__' in value)),
    ),
  })).value
}

const VALUES: readonly (readonly [string, Serializer, fc.Arbitrary<unknown>])[] = [
  ['json', jsonSerializer, valueOf(fc.constant(null))],
  ['json with rich values', richJsonSerializer, valueOf(rich)],
  ['text', DEFAULT_SERIALIZERS.require('text'), text],
  ['raw', DEFAULT_SERIALIZERS.require('raw'), bytes],
]

const ENCODINGS = [
  undefined,
  'binary',
  'utf-8',
  'us-ascii',
  'latin-1',
  'utf-16',
  'utf-16be',
  'shift_jis',
  'x',
]

/** What came of reading: a value, or the code of the error. */
function fate(read: () => unknown): string {
  try {
    read()
    return 'a value'
  } catch (error) {
    return isHermodError(error) ? error.code : String(error)
  }
}

describe.each(VALUES)('serializer %s', (_, serializer, values) => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(values, (value) => {
        const body = Buffer.from(serializer.encode(value))
        expect(isDeepStrictEqual(serializer.decode(body, serializer.contentEncoding), value)).toBe(true)
      }),
      runs,
    )
  })

  it('makes a value or a DecodeError of any bytes, in any character set', () => {
    const jsonLike = fc
      .array(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ':',
          ',',
          '"__type__"',
          '"__value__"',
          '"date"',
          '"uuid"',
          '"base64"',
          '1',
          '""',
        ),
        { maxLength: 12 },
      )
      .map((parts) => Buffer.from(parts.join('')))
    fc.assert(
      fc.property(fc.oneof(bytes, jsonLike), fc.constantFrom(...ENCODINGS), (body, contentEncoding) => {
        expect(['a value', 'E_DECODE']).toContain(fate(() => serializer.decode(body, contentEncoding)))
      }),
      runs,
    )
  })
})

describe('compression', () => {
  const labels = [...DEFAULT_COMPRESSIONS].map(({ contentType }) => contentType)

  it('gives back what it compressed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...labels), fc.uint8Array({ maxLength: 2000 }), (label, body) => {
        const compressed = Buffer.from(DEFAULT_COMPRESSIONS.require(label).compress(body))
        expect(DEFAULT_COMPRESSIONS.decompress(compressed, label, 2000).equals(body)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('makes at most so many bytes, or a DecodeError, of any bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...labels, 'other'), bytes, (label, body) => {
        let length = 0
        const decompress = (): void =>
          void (length = DEFAULT_COMPRESSIONS.decompress(body, label, 100).length)
        expect(['a value', 'E_DECODE']).toContain(fate(decompress))
        expect(length).toBeLessThanOrEqual(100)
      }),
      runs,
    )
  })
})

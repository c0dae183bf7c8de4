import { FieldEncodeError, ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import {
  MAX_TABLE_DEPTH,
  readTable,
  writeTable,
  type FieldTable,
  type FieldValue,
} from '../../src/wire/field-table.ts'
import { TypedField } from '../../src/wire/typed-field.ts'
import { hex } from './hex.ts'
import { reading } from './reading.ts'
import { written } from './written.ts'

const encode = (table: FieldTable): Buffer => written((writer) => writeTable(writer, table))

const decode = (bytes: Uint8Array): FieldTable => {
  const reader = reading(bytes)
  const table = readTable(reader)
  reader.finish('the table')
  return table
}

/** A table with the one member `k`, whose type letter and data are `value`. */
const single = (value: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(2 + value.length)
  return hex`${length} 01 6b ${value}`
}

const both = (title: string, value: FieldValue, bytes: Buffer): [string, FieldValue, Buffer] => [
  title,
  value,
  bytes,
]

describe('plain values choose their type, and come back as they were', () => {
  test.each([
    both('true', true, hex`74 01`),
    both('false', false, hex`74 00`),
    both('zero', 0, hex`49 00 00 00 00`),
    both('minus one', -1, hex`49 ff ff ff ff`),
    both('the largest of 32 bits', 2 ** 31 - 1, hex`49 7f ff ff ff`),
    both('the smallest of 32 bits', -(2 ** 31), hex`49 80 00 00 00`),
    both('one larger', 2 ** 31, hex`6c 00 00 00 00 80 00 00 00`),
    both('one smaller', -(2 ** 31) - 1, hex`6c ff ff ff ff 7f ff ff ff`),
    both('the largest safe integer', 2 ** 53 - 1, hex`6c 00 1f ff ff ff ff ff ff`),
    both('a bigint', 2n ** 53n, hex`6c 00 20 00 00 00 00 00 00`),
    both('the largest of 64 bits', 2n ** 63n - 1n, hex`6c 7f ff ff ff ff ff ff ff`),
    both('the smallest of 64 bits', -(2n ** 63n), hex`6c 80 00 00 00 00 00 00 00`),
    both('a fraction', 0.5, hex`64 3f e0 00 00 00 00 00 00`),
    both('minus zero', -0, hex`64 80 00 00 00 00 00 00 00`),
    both('beyond the safe integers', 2 ** 53, hex`64 43 40 00 00 00 00 00 00`),
    both('no text', '', hex`53 00 00 00 00`),
    both('text', 'é\u{feff}\0', hex`53 00 00 00 06 c3 a9 ef bb bf 00`),
    both('bytes', hex`00 ff`, hex`78 00 00 00 02 00 ff`),
    both('nothing', null, hex`56`),
    both('a moment', new Date(1000), hex`54 00 00 00 00 00 00 00 01`),
    both('the last moment', new Date(8.64e15), hex`54 00 00 07 db a8 21 80 00`),
    both('an empty array', [], hex`41 00 00 00 00`),
    both(
      'an array',
      [1, 'a', null, [true]],
      hex`41 00 00 00 13 49 00 00 00 01 53 00 00 00 01 61 56 41 00 00 00 02 74 01`,
    ),
    both('an empty table', {}, hex`46 00 00 00 00`),
    both('a table', { a: { b: null } }, hex`46 00 00 00 0a 01 61 46 00 00 00 03 01 62 56`),
    both('a decimal', TypedField.decimal(2, -5), hex`44 02 ff ff ff fb`),
    both('a moment beyond Date', TypedField.timestamp(8.64e12 + 1), hex`54 00 00 07 db a8 21 80 01`),
    both('a moment of 64 bits', TypedField.timestamp(2n ** 64n - 1n), hex`54 ff ff ff ff ff ff ff ff`),
  ])('%s', (_, value, bytes) => {
    expect(encode({ k: value })).toEqual(single(bytes))
    expect(decode(single(bytes))).toStrictEqual({ k: value })
  })

  test('wide integers that fit a number come back as one', () => {
    expect(decode(encode({ k: 5n }))).toStrictEqual({ k: 5 })
    expect(encode({ k: 5n })).toEqual(single(hex`6c 00 00 00 00 00 00 00 05`))
  })

  test('a moment loses what is less than a second', () => {
    expect(decode(encode({ k: new Date(1999) }))).toStrictEqual({ k: new Date(1000) })
  })

  test('a lone surrogate becomes a replacement character, in names too', () => {
    expect(decode(encode({ '\u{d800}': 'a\u{dfff}' }))).toStrictEqual({ '\u{fffd}': 'a\u{fffd}' })
  })
})

describe('every other letter is read', () => {
  test.each([
    ['b', hex`62 ff`, -1],
    ['B', hex`42 ff`, 255],
    ['s', hex`73 ff fe`, -2],
    ['u', hex`75 ff fe`, 65_534],
    ['i', hex`69 ff ff ff ff`, 4_294_967_295],
    ["L, two's complement like l", hex`4c ff ff ff fe ff ff ff ff`, -4_294_967_297],
    ['L, wide', hex`4c 80 00 00 00 00 00 00 00`, -(2n ** 63n)],
    ['f', hex`66 3f c0 00 00`, 1.5],
    ['d', hex`64 3f f8 00 00 00 00 00 00`, 1.5],
    ['d, no number', hex`64 7f f8 00 00 00 00 00 00`, Number.NaN],
    ['d, infinity', hex`64 ff f0 00 00 00 00 00 00`, -Infinity],
    ['t, any octet but zero', hex`74 02`, true],
    ['S that is no UTF-8', hex`53 00 00 00 02 c0 af`, hex`c0 af`],
  ])('%s', (_, bytes, value) => {
    expect(decode(single(bytes))).toStrictEqual({ k: value })
  })

  test('and no letter beyond those', () => {
    const known = new Set(Buffer.from('SIltFATxVbBsuiLdfD'))
    for (let letter = 0; letter < 256; letter++) {
      if (known.has(letter)) continue
      expect(() => decode(single(Buffer.concat([Buffer.of(letter), Buffer.alloc(16)])))).toThrow(
        `unknown field type 0x${letter.toString(16).padStart(2, '0')}`,
      )
    }
    expect(known.size).toBe(18)
  })
})

describe('names', () => {
  test('__proto__ and its like are names like any other', () => {
    const table = decode(
      hex`00 00 00 34
        09 5f 5f 70 72 6f 74 6f 5f 5f 46 00 00 00 07 01 78 49 00 00 00 01
        0b 63 6f 6e 73 74 72 75 63 74 6f 72 56
        0e 68 61 73 4f 77 6e 50 72 6f 70 65 72 74 79 74 01`,
    )
    expect(Object.keys(table)).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
    expect(Object.getPrototypeOf(table)).toBe(Object.prototype)
    expect('x' in table).toBe(false)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    expect(decode(encode(table))).toStrictEqual(table)
  })

  test('the last of several values under one name wins', () => {
    expect(decode(hex`00 00 00 08 01 6b 74 00 01 6b 74 01`)).toStrictEqual({ k: true })
  })

  test('255 bytes are the longest, and none is a name as well', () => {
    const table = { '': 1, ['é'.repeat(127) + 'a']: 2 }
    expect(decode(encode(table))).toStrictEqual(table)
    expect(() => encode({ ['é'.repeat(128)]: 2 })).toThrow(FieldEncodeError)
  })
})

describe('what is left out', () => {
  test('members that are undefined, and only those', () => {
    expect(encode({ a: undefined, k: null, b: undefined })).toEqual(single(hex`56`))
  })

  test('an undefined item or a hole of an array is a void: the others keep their places', () => {
    // oxlint-disable-next-line no-sparse-arrays
    const items = [1, undefined, , 2] as unknown as FieldValue[]
    expect(decode(encode({ k: items }))).toStrictEqual({ k: [1, null, null, 2] })
  })
})

describe('what cannot be written', () => {
  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['no number', Number.NaN],
    ['infinity', -Infinity],
    ['a date before 1970', new Date(-1)],
    ['an invalid date', new Date(Number.NaN)],
    ['an integer beyond 64 bits', 2n ** 63n],
    ['an integer below 64 bits', -(2n ** 63n) - 1n],
  ])('%s', (_, value) => {
    expect(() => encode({ retries: value as FieldValue })).toThrow(FieldEncodeError)
    expect(() => encode({ retries: value as FieldValue })).toThrow("field 'retries'")
    expect(() => encode({ retries: [value as FieldValue] })).toThrow("field 'retries'")
  })

  test('a table that contains itself', () => {
    const table: Record<string, FieldValue> = {}
    table['self'] = table
    expect(() => encode(table)).toThrow(FieldEncodeError)
    const items: FieldValue[] = []
    items.push(items)
    expect(() => encode({ items })).toThrow(FieldEncodeError)
  })
})

const nest = (depth: number, wrap: (inner: FieldValue) => FieldValue): FieldTable => {
  let value: FieldValue = 1
  for (let level = 0; level < depth; level++) value = wrap(value)
  return { k: value }
}

describe('depth', () => {
  const WRAPS: readonly (readonly [string, (inner: FieldValue) => FieldValue])[] = [
    ['tables', (inner) => ({ k: inner })],
    ['arrays', (inner) => [inner]],
    ['tables in arrays', (inner) => [{ k: inner }]],
  ]

  test.each(WRAPS)(
    '%s as deep as is allowed pass both ways, one level more passes neither',
    (title, wrap) => {
      const levels = title === 'tables in arrays' ? MAX_TABLE_DEPTH / 2 : MAX_TABLE_DEPTH
      const deepest = nest(levels, wrap)
      expect(decode(encode(deepest))).toStrictEqual(deepest)
      expect(() => encode(nest(levels + 1, wrap))).toThrow(FieldEncodeError)
    },
  )

  test.each([
    ['tables', 0x46, 7],
    ['arrays', 0x41, 5],
  ])('a bomb of 18 000 nested %s ends with an error, not with the stack', (_, letter, step) => {
    const levels = 18_000
    const bomb = Buffer.alloc(4 + levels * step + 2)
    let at = 0
    let left = bomb.length - 4
    at = bomb.writeUInt32BE(left, at)
    // Each level: a name where tables have one, the letter, the length of what is inside.
    bomb[at++] = 1
    bomb[at++] = 0x6b
    left -= 2
    for (let level = 0; level < levels && left >= 5; level++) {
      bomb[at++] = letter
      left -= 5
      at = bomb.writeUInt32BE(left, at)
      if (letter === 0x46 && left >= 2) {
        bomb[at++] = 1
        bomb[at++] = 0x6b
        left -= 2
      }
    }
    expect(() => decode(bomb)).toThrow(`nested deeper than ${MAX_TABLE_DEPTH} levels`)
  })

  test('one level beyond the limit is refused when read', () => {
    const inner = encode(nest(MAX_TABLE_DEPTH, (value) => ({ k: value })))
    expect(() => decode(single(hex`46 ${inner}`))).toThrow(ProtocolError)
    const arrays = encode(nest(MAX_TABLE_DEPTH, (value) => [value]))
    expect(() => decode(single(hex`46 ${arrays}`))).toThrow(ProtocolError)
  })
})

describe('lying lengths', () => {
  test.each([
    ['a table longer than the frame', hex`00 00 00 05 01 6b 74 01`],
    ['a table of 4 GiB', hex`ff ff ff ff 01 6b 74 01`],
    ['no room for a length', hex`00 00 00`],
    ['an inner table longer than the outer', hex`00 00 00 0b 01 6b 46 00 00 00 05 01 6b 74 01 01 6b 74 01`],
    ['an inner table that claims what follows the outer', hex`00 00 00 07 01 6b 46 00 00 00 04 01 6b 74 01`],
    ['an array that claims what follows the table', hex`00 00 00 07 01 6b 41 00 00 00 02 74 01`],
    ['an inner table of 4 GiB', single(hex`46 ff ff ff ff`)],
    ['an array longer than the table', single(hex`41 00 00 00 03 74 01`)],
    ['an array of 2 GiB', single(hex`41 80 00 00 00`)],
    ['a string longer than the table', single(hex`53 00 00 00 02 61`)],
    ['bytes of 4 GiB', single(hex`78 ff ff ff ff`)],
    ['a name longer than the table', hex`00 00 00 03 05 6b 74`],
    ['a name and no value', hex`00 00 00 02 01 6b`],
    [
      'a value that reaches over the end of the inner table',
      hex`00 00 00 0b 01 6b 46 00 00 00 03 01 6b 74 01`,
    ],
    ['a cut integer', single(hex`49 00 00 00`)],
    ['a cut decimal', single(hex`44 00 00 00`)],
  ])('%s', (_, bytes) => {
    const before = process.memoryUsage().arrayBuffers
    expect(() => decode(bytes)).toThrow(ProtocolError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  test('a table cut anywhere is an error, whatever follows it in memory', () => {
    const whole = encode({
      a: [1, { b: 'text' }, hex`00 01`],
      c: { d: null, e: [TypedField.decimal(1, 2), new Date(0)] },
      f: 2n ** 60n,
      g: 0.5,
    })
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(whole.subarray(0, length))).toThrow(ProtocolError)
    }
  })
})

test('what was read does not change with the buffer that it was read from', () => {
  const bytes = single(hex`41 00 00 00 0e 78 00 00 00 02 aa bb 53 00 00 00 02 ff fe`)
  const reader = reading(bytes)
  const table = readTable(reader)
  reader.buffer.fill(0)
  expect(table).toStrictEqual({ k: [hex`aa bb`, hex`ff fe`] })
})

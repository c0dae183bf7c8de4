import { FieldEncodeError, ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { readProperties, writeProperties, type BasicProperties } from '../../src/wire/basic-properties.ts'
import { hex } from './hex.ts'
import { reading } from './reading.ts'
import { written } from './written.ts'

const encode = (properties: BasicProperties): Buffer =>
  written((writer) => writeProperties(writer, properties))

const decode = (bytes: Uint8Array): BasicProperties => {
  const reader = reading(bytes)
  const properties = readProperties(reader)
  reader.finish('the property list')
  return properties
}

const ALONE: readonly (readonly [BasicProperties, Buffer])[] = [
  [{ contentType: 'ct' }, hex`80 00 02 63 74`],
  [{ contentEncoding: 'ce' }, hex`40 00 02 63 65`],
  [{ headers: { k: null } }, hex`20 00 00 00 00 03 01 6b 56`],
  [{ deliveryMode: 2 }, hex`10 00 02`],
  [{ priority: 9 }, hex`08 00 09`],
  [{ correlationId: 'ci' }, hex`04 00 02 63 69`],
  [{ replyTo: 'rt' }, hex`02 00 02 72 74`],
  [{ expiration: '10' }, hex`01 00 02 31 30`],
  [{ messageId: 'mi' }, hex`00 80 02 6d 69`],
  [{ timestamp: new Date(1000) }, hex`00 40 00 00 00 00 00 00 00 01`],
  [{ type: 'ty' }, hex`00 20 02 74 79`],
  [{ userId: 'ui' }, hex`00 10 02 75 69`],
  [{ appId: 'ai' }, hex`00 08 02 61 69`],
  [{ clusterId: 'cl' }, hex`00 04 02 63 6c`],
]

describe('each property', () => {
  test.each(ALONE)('alone: %o', (properties, bytes) => {
    expect(encode(properties)).toEqual(bytes)
    expect(decode(bytes)).toStrictEqual(properties)
  })

  test('all fourteen together, in the order of their flags', () => {
    const all: BasicProperties = Object.assign({}, ...ALONE.map(([properties]) => properties))
    const bytes = Buffer.concat([hex`ff fc`, ...ALONE.map(([, alone]) => alone.subarray(2))])
    expect(encode(all)).toEqual(bytes)
    expect(decode(bytes)).toStrictEqual(all)
  })

  test('any two, and any but one', () => {
    for (const [one, first] of ALONE) {
      for (const [other, second] of ALONE) {
        const both = { ...one, ...other }
        const bytes = encode(both)
        expect(bytes.readUInt16BE(0)).toBe(first.readUInt16BE(0) | second.readUInt16BE(0))
        expect(decode(bytes)).toStrictEqual(both)
      }
      const rest: BasicProperties = Object.assign(
        {},
        ...ALONE.filter(([alone]) => alone !== one).map(([alone]) => alone),
      )
      expect(decode(encode(rest))).toStrictEqual(rest)
    }
  })

  test('none', () => {
    expect(encode({})).toEqual(hex`00 00`)
    expect(decode(hex`00 00`)).toStrictEqual({})
    expect(encode({ contentType: undefined, timestamp: undefined, headers: undefined })).toEqual(hex`00 00`)
  })

  test('empty texts and zeros are values, not absence', () => {
    const properties: BasicProperties = {
      contentType: '',
      headers: {},
      deliveryMode: 0,
      priority: 0,
      timestamp: new Date(0),
      clusterId: '',
    }
    expect(decode(encode(properties))).toStrictEqual(properties)
  })
})

describe('timestamps', () => {
  test.each([
    [8_640_000_000_000n, new Date(8.64e15)],
    [8_640_000_000_001n, 8_640_000_000_001n],
    [2n ** 53n, 2n ** 53n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
  ])('%d seconds are a Date while Date can hold them', (seconds, value) => {
    const bytes = encode({ timestamp: seconds })
    expect(bytes.readBigUInt64BE(2)).toBe(seconds)
    expect(decode(bytes)).toStrictEqual({ timestamp: value })
  })

  test('milliseconds are cut off', () => {
    expect(decode(encode({ timestamp: new Date(1_999) }))).toStrictEqual({ timestamp: new Date(1_000) })
  })

  test.each([new Date(-1), new Date(Number.NaN), -1n, 2n ** 64n])(
    '%s is no moment AMQP knows',
    (timestamp) => {
      expect(() => encode({ timestamp })).toThrow(FieldEncodeError)
    },
  )
})

test('the two flags without a property are ignored, as RabbitMQ ignores them', () => {
  expect(decode(hex`00 01`)).toStrictEqual({})
  expect(decode(hex`10 03 02`)).toStrictEqual({ deliveryMode: 2 })
})

describe('what cannot be written', () => {
  test.each([
    [{ priority: 256 }],
    [{ priority: -1 }],
    [{ priority: 1.5 }],
    [{ deliveryMode: Number.NaN }],
    [{ contentType: 'k'.repeat(256) }],
    [{ correlationId: 'é'.repeat(128) }],
    [{ headers: { k: 2n ** 63n } }],
  ] satisfies [BasicProperties][])('%o', (properties) => {
    expect(() => encode(properties)).toThrow(FieldEncodeError)
  })
})

describe('what is no property list', () => {
  test('more flags than the first sixteen', () => {
    expect(() => decode(hex`00 01 00 00`)).toThrow(ProtocolError)
    expect(() => decode(hex`10 01 00 00 02`)).toThrow(ProtocolError)
  })

  test('a list cut anywhere', () => {
    const whole = encode(Object.assign({}, ...ALONE.map(([properties]) => properties)))
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(whole.subarray(0, length))).toThrow(ProtocolError)
    }
  })

  test('a list that is longer than its flags say', () => {
    expect(() => decode(hex`10 00 02 00`)).toThrow(ProtocolError)
  })
})

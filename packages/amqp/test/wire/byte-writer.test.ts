import { FieldEncodeError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../src/wire/byte-writer.ts'
import { hex } from './hex.ts'
import { written } from './written.ts'

describe('integers', () => {
  test.each([
    ['uint8', 255, hex`ff`],
    ['uint16', 0x0102, hex`01 02`],
    ['uint16', 65_535, hex`ff ff`],
    ['uint32', 0x01020304, hex`01 02 03 04`],
    ['uint32', 0xffff_ffff, hex`ff ff ff ff`],
  ] as const)('%s of %d', (kind, value, bytes) => {
    expect(written((writer) => writer[kind](value))).toEqual(bytes)
  })

  test.each([
    [0, hex`00 00 00 00 00 00 00 00`],
    [1, hex`00 00 00 00 00 00 00 01`],
    [-1, hex`ff ff ff ff ff ff ff ff`],
    [0x1_0000_0000, hex`00 00 00 01 00 00 00 00`],
    [-0x1_0000_0001, hex`ff ff ff fe ff ff ff ff`],
    [Number.MAX_SAFE_INTEGER, hex`00 1f ff ff ff ff ff ff`],
    [Number.MIN_SAFE_INTEGER, hex`ff e0 00 00 00 00 00 01`],
    [2n ** 53n, hex`00 20 00 00 00 00 00 00`],
    [2n ** 63n - 1n, hex`7f ff ff ff ff ff ff ff`],
    [-(2n ** 63n), hex`80 00 00 00 00 00 00 00`],
    [2n ** 64n - 1n, hex`ff ff ff ff ff ff ff ff`],
  ])('64 bits: %d', (value, bytes) => {
    expect(written((writer) => writer.uint64(value))).toEqual(bytes)
  })

  test.each([
    ['uint8', [-1, 256, 1.5, Number.NaN, Infinity]],
    ['uint16', [-1, 65_536, 0.1, Number.NaN]],
    ['uint32', [-1, 2 ** 32, 2 ** 53, 0.5, Number.NaN, -Infinity]],
    ['uint64', [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Infinity]],
  ] as const)('%s refuses what it would have to cut: %j', (kind, values) => {
    const writer = new ByteWriter()
    for (const value of values) expect(() => writer[kind](value)).toThrow(FieldEncodeError)
    expect(() => writer[kind](values[0])).toThrow(`${values[0]} does not fit into an integer of`)
    expect(writer.offset).toBe(0)
  })

  test('64 bits hold no more than 64 bits', () => {
    const writer = new ByteWriter()
    expect(() => writer.uint64(2n ** 64n)).toThrow(FieldEncodeError)
    expect(() => writer.uint64(-(2n ** 63n) - 1n)).toThrow(FieldEncodeError)
  })

  test('fractions', () => {
    expect(written((writer) => writer.float32(1.5))).toEqual(hex`3f c0 00 00`)
    expect(written((writer) => writer.float64(-1.5))).toEqual(hex`bf f8 00 00 00 00 00 00`)
  })
})

const short = (text: string): Buffer => written((writer) => writer.shortString(text))

describe('short strings', () => {
  test.each([
    ['empty', ''],
    ['as long as is copied by hand', 'a'.repeat(48)],
    ['one longer', 'a'.repeat(49)],
    ['other letters at the very end of what is copied by hand', `${'a'.repeat(47)}é`],
    ['NUL and DEL', '\0\u{7f}'],
    ['the first code point of two bytes', '\u{80}'],
    ['beyond the basic plane', '🦊'],
    ['255 bytes of ASCII', 'k'.repeat(255)],
    ['255 bytes of three each', '€'.repeat(85)],
    ['254 bytes, two of them one letter', `${'k'.repeat(252)}é`],
  ])('%s', (_, text) => {
    const utf8 = Buffer.from(text, 'utf8')
    expect(short(text)).toEqual(Buffer.concat([Buffer.of(utf8.length), utf8]))
  })

  test.each([
    ['256 bytes of ASCII', 'k'.repeat(256)],
    ['256 bytes, but only 255 characters', `${'k'.repeat(254)}é`],
    ['258 bytes of three each', '€'.repeat(86)],
    ['128 pairs of surrogates', '🦊'.repeat(64)],
    ['a megabyte', 'k'.repeat(1 << 20)],
  ])('refuses %s', (_, text) => {
    const writer = new ByteWriter()
    expect(() => writer.shortString(text)).toThrow(FieldEncodeError)
    expect(() => writer.shortString(text)).toThrow(`has ${Buffer.byteLength(text)}`)
    expect(writer.offset).toBe(0)
  })

  test('a lone surrogate becomes a replacement character', () => {
    expect(short('a\u{d800}b')).toEqual(hex`05 61 ef bf bd 62`)
    expect(short(`${'a'.repeat(60)}\u{dc00}`)).toEqual(hex`3f ${'61'.repeat(60)} ef bf bd`)
  })
})

test('long strings are UTF-8 or the bytes they are', () => {
  expect(written((writer) => writer.longString(''))).toEqual(hex`00 00 00 00`)
  expect(written((writer) => writer.longString('€'))).toEqual(hex`00 00 00 03 e2 82 ac`)
  expect(written((writer) => writer.longString('\u{d800}'))).toEqual(hex`00 00 00 03 ef bf bd`)
  expect(written((writer) => writer.longString(new Uint8Array(0)))).toEqual(hex`00 00 00 00`)
  expect(written((writer) => writer.longString(hex`00 ff 80`.subarray(1)))).toEqual(hex`00 00 00 02 ff 80`)
  const long = written((writer) => writer.longString('é'.repeat(100_000)))
  expect(long.readUInt32BE(0)).toBe(200_000)
  expect(long.toString('utf8', 4)).toBe('é'.repeat(100_000))
})

describe('growth', () => {
  test('keeps what was written, from any capacity', () => {
    for (const capacity of [0, 1, 2, 3, 7, 8, 9, 63, 64]) {
      const writer = new ByteWriter(capacity)
      const expected: number[] = []
      for (let round = 0; round < 40; round++) {
        writer.uint8(round)
        writer.uint16(round)
        writer.uint32(round)
        writer.shortString('ab')
        writer.bytes(Buffer.of(7))
        expected.push(round, 0, round, 0, 0, 0, round, 2, 0x61, 0x62, 7)
      }
      expect([...writer.written()]).toEqual(expected)
    }
  })

  test('is a matter of doubling, not of many small steps', () => {
    const writer = new ByteWriter(16)
    const buffers = new Set<Buffer>()
    for (let i = 0; i < 100_000; i++) {
      writer.uint8(i & 0xff)
      buffers.add(writer.buffer)
    }
    expect(writer.offset).toBe(100_000)
    expect(buffers.size).toBeLessThan(15)
  })

  test('a value far beyond the capacity', () => {
    const writer = new ByteWriter(4)
    writer.uint16(0xabcd)
    writer.bytes(Buffer.alloc(5000, 1))
    expect(writer.written().subarray(0, 3)).toEqual(hex`ab cd 01`)
    expect(writer.offset).toBe(5002)
  })

  test('nested lengths hold through it', () => {
    const writer = new ByteWriter(1)
    const outer = writer.beginLength()
    const inner = writer.beginLength()
    writer.bytes(Buffer.alloc(300))
    writer.endLength(inner)
    writer.uint8(9)
    writer.endLength(outer)
    expect(writer.written().readUInt32BE(outer)).toBe(305)
    expect(writer.written().readUInt32BE(inner)).toBe(300)
  })
})

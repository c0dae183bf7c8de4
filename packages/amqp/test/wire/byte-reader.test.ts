import { ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { ByteReader } from '../../src/wire/byte-reader.ts'
import { hex } from './hex.ts'
import { reading } from './reading.ts'

describe('integers', () => {
  test.each([
    ['uint8', hex`ff`, 255],
    ['uint16', hex`01 02`, 0x0102],
    ['uint16', hex`ff fe`, 65_534],
    ['uint32', hex`00 01 02 03`, 0x010203],
    ['uint32', hex`ff ff ff ff`, 0xffff_ffff],
    ['int8', hex`80`, -128],
    ['int8', hex`7f`, 127],
    ['int16', hex`80 00`, -32_768],
    ['int16', hex`7f ff`, 32_767],
    ['int32', hex`80 00 00 00`, -2_147_483_648],
    ['int32', hex`7f ff ff ff`, 2_147_483_647],
  ] as const)('%s of %o is %d', (kind, bytes, value) => {
    const reader = reading(bytes)
    expect(reader[kind]()).toBe(value)
    expect(reader.left).toBe(0)
  })

  test.each([
    [hex`00 00 00 00 00 00 00 00`, 0],
    [hex`00 00 00 00 ff ff ff ff`, 0xffff_ffff],
    [hex`00 00 00 01 00 00 00 00`, 0x1_0000_0000],
    [hex`00 1f ff ff ff ff ff ff`, Number.MAX_SAFE_INTEGER],
    [hex`00 20 00 00 00 00 00 00`, 2n ** 53n],
    [hex`80 00 00 00 00 00 00 00`, 2n ** 63n],
    [hex`ff ff ff ff ff ff ff ff`, 2n ** 64n - 1n],
  ])('64 bits unsigned: %o', (bytes, value) => {
    expect(reading(bytes).uint64()).toBe(value)
  })

  test.each([
    [hex`ff ff ff ff ff ff ff ff`, -1],
    [hex`00 1f ff ff ff ff ff ff`, Number.MAX_SAFE_INTEGER],
    [hex`ff e0 00 00 00 00 00 01`, Number.MIN_SAFE_INTEGER],
    [hex`00 20 00 00 00 00 00 00`, 2n ** 53n],
    [hex`ff e0 00 00 00 00 00 00`, -(2n ** 53n)],
    [hex`7f ff ff ff ff ff ff ff`, 2n ** 63n - 1n],
    [hex`80 00 00 00 00 00 00 00`, -(2n ** 63n)],
  ])('64 bits signed: %o', (bytes, value) => {
    expect(reading(bytes).int64()).toBe(value)
  })

  test('a delivery tag is a safe integer or a fault of the peer', () => {
    expect(reading(hex`00 00 00 00 00 00 00 00`).deliveryTag()).toBe(0)
    expect(reading(hex`00 1f ff ff ff ff ff ff`).deliveryTag()).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => reading(hex`00 20 00 00 00 00 00 00`).deliveryTag()).toThrow(ProtocolError)
    expect(() => reading(hex`ff ff ff ff ff ff ff ff`).deliveryTag()).toThrow('18446744073709551615')
  })

  test('fractions', () => {
    expect(reading(hex`3f c0 00 00`).float32()).toBe(1.5)
    expect(reading(hex`3f f8 00 00 00 00 00 00`).float64()).toBe(1.5)
    expect(reading(hex`7f f8 00 00 00 00 00 00`).float64()).toBeNaN()
  })
})

describe('strings', () => {
  test('short and long, as text and as bytes', () => {
    expect(reading(hex`00`).shortString()).toBe('')
    expect(reading(hex`04 e2 82 ac 61`).shortString()).toBe('€a')
    expect(reading(hex`00 00 00 04 f0 9f a6 8a`).longString()).toBe('🦊')
    expect(reading(hex`00 00 00 02 00 ff`).longBytes()).toEqual(hex`00 ff`)
    expect(reading(hex`00 00 00 00`).longStringOrBytes()).toBe('')
  })

  test('a byte order mark is text like any other', () => {
    expect(reading(hex`04 ef bb bf 61`).shortString()).toBe('\u{feff}a')
    expect(reading(hex`00 00 00 03 ef bb bf`).longStringOrBytes()).toBe('\u{feff}')
  })

  test.each([
    ['a lone continuation', hex`80`],
    ['an overlong slash', hex`c0 af`],
    ['a lone surrogate', hex`ed a0 80`],
    ['beyond the last code point', hex`f4 90 80 80`],
    ['a cut sequence', hex`e2 82`],
  ])('%s is no UTF-8: bytes where nothing may be lost, replacement characters elsewhere', (_, bytes) => {
    const long = hex`00 00 00 0${String(bytes.length)} ${bytes}`
    expect(reading(long).longStringOrBytes()).toEqual(bytes)
    expect(reading(long).longString()).toMatch(/^\u{fffd}+$/u)
    expect(reading(hex`0${String(bytes.length)} ${bytes}`).shortString()).toMatch(/^\u{fffd}+$/u)
  })

  test('bytes are copies: a reused read buffer does not change them', () => {
    const source = hex`00 00 00 02 aa bb 00 00 00 01 80 cc`
    const reader = new ByteReader().reset(source)
    const kept = [reader.longBytes(), reader.longStringOrBytes(), reader.bytes(1)]
    source.fill(0)
    expect(kept).toEqual([hex`aa bb`, hex`80`, hex`cc`])
  })
})

describe('what does not fit', () => {
  const READS = [
    ['uint8', 1],
    ['uint16', 2],
    ['uint32', 4],
    ['uint64', 8],
    ['int8', 1],
    ['int16', 2],
    ['int32', 4],
    ['int64', 8],
    ['float32', 4],
    ['float64', 8],
    ['deliveryTag', 8],
    ['shortString', 1],
    ['longBytes', 4],
    ['longString', 4],
    ['longStringOrBytes', 4],
  ] as const

  test.each(READS)('%s never reads beyond its range, whatever follows it in memory', (kind, bytes) => {
    for (let left = 0; left < bytes; left++) {
      expect(() => reading(Buffer.alloc(left))[kind]()).toThrow(ProtocolError)
    }
  })

  test.each([
    ['shortString', hex`03 61 62`],
    ['shortString', hex`ff`],
    ['longBytes', hex`00 00 00 03 61 62`],
    ['longBytes', hex`ff ff ff ff 61`],
    ['longString', hex`7f ff ff ff 61`],
    ['longString', hex`80 00 00 00 61`],
    ['longStringOrBytes', hex`ff ff ff ff 61`],
  ] as const)('%s that claims more than is left: %o', (kind, bytes) => {
    const before = process.memoryUsage().arrayBuffers
    expect(() => reading(bytes)[kind]()).toThrow(ProtocolError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  test('skipping, and bytes that are left over', () => {
    const reader = reading(hex`01 02 03`)
    reader.skip(2)
    expect(() => reader.skip(2)).toThrow(ProtocolError)
    expect(() => reader.finish('queue.bind')).toThrow('queue.bind has 1 bytes too many')
    reader.skip(1)
    expect(() => reader.finish('queue.bind')).not.toThrow()
  })
})

test('a reader is used again and again', () => {
  const reader = new ByteReader()
  expect(reader.left).toBe(0)
  expect(() => reader.uint8()).toThrow(ProtocolError)
  expect(reader.reset(hex`01 02`, 1).uint8()).toBe(2)
  expect(reader.reset(hex`01 02 03`, 0, 2).left).toBe(2)
})

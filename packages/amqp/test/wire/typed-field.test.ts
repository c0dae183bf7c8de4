import { FieldEncodeError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { TypedField } from '../../src/wire/typed-field.ts'
import { hex } from './hex.ts'
import { written } from './written.ts'

describe('each type writes its letter and its bytes', () => {
  test.each([
    [TypedField.int8(-1), hex`62 ff`],
    [TypedField.int8(127), hex`62 7f`],
    [TypedField.int8(-128), hex`62 80`],
    [TypedField.uint8(255), hex`42 ff`],
    [TypedField.int16(-2), hex`73 ff fe`],
    [TypedField.int16(-32_768), hex`73 80 00`],
    [TypedField.uint16(65_535), hex`75 ff ff`],
    [TypedField.int32(-3), hex`49 ff ff ff fd`],
    [TypedField.int32(2 ** 31 - 1), hex`49 7f ff ff ff`],
    [TypedField.uint32(2 ** 32 - 1), hex`69 ff ff ff ff`],
    [TypedField.int64(-4), hex`6c ff ff ff ff ff ff ff fc`],
    [TypedField.int64(2n ** 63n - 1n), hex`6c 7f ff ff ff ff ff ff ff`],
    [TypedField.int64(-(2n ** 63n)), hex`6c 80 00 00 00 00 00 00 00`],
    [TypedField.timestamp(1), hex`54 00 00 00 00 00 00 00 01`],
    [TypedField.timestamp(2n ** 64n - 1n), hex`54 ff ff ff ff ff ff ff ff`],
    [TypedField.float(1.5), hex`66 3f c0 00 00`],
    [TypedField.double(1.5), hex`64 3f f8 00 00 00 00 00 00`],
    [TypedField.double(Number.MAX_VALUE), hex`64 7f ef ff ff ff ff ff ff`],
    [new TypedField('double', 2n ** 80n), hex`64 44 f0 00 00 00 00 00 00`],
    [TypedField.decimal(2, 1999), hex`44 02 00 00 07 cf`],
    [TypedField.decimal(255, -1), hex`44 ff ff ff ff ff`],
    [TypedField.decimal(0, -(2 ** 31)), hex`44 00 80 00 00 00`],
  ])('%o', (field, bytes) => {
    expect(written((writer) => field.write(writer))).toEqual(bytes)
  })
})

describe('what a type cannot hold is refused when the field is made', () => {
  test.each([
    ['int8', 128],
    ['int8', -129],
    ['uint8', -1],
    ['uint8', 256],
    ['int16', 32_768],
    ['int16', -32_769],
    ['uint16', 65_536],
    ['int32', 2 ** 31],
    ['int32', -(2 ** 31) - 1],
    ['uint32', 2 ** 32],
    ['uint32', -1],
    ['int64', 2n ** 63n],
    ['int64', -(2n ** 63n) - 1n],
    ['timestamp', -1],
    ['timestamp', 2n ** 64n],
    ['decimal', 2 ** 31],
    ['uint8', 1.5],
    ['uint8', Number.NaN],
    ['int64', 2 ** 53],
    ['decimal', 0.5],
    ['timestamp', Infinity],
    ['double', Number.NaN],
    ['double', -Infinity],
    ['double', 2n ** 1024n],
    ['float', Number.NaN],
    ['float', 1e39],
  ] as const)('%s of %d', (kind, value) => {
    expect(() => new TypedField(kind, value)).toThrow(FieldEncodeError)
    expect(() => new TypedField(kind, value)).toThrow(kind)
  })

  test.each([-1, 256, 1.5, Number.NaN])('a decimal of scale %d', (scale) => {
    expect(() => TypedField.decimal(scale, 1)).toThrow(`not ${scale}`)
  })
})

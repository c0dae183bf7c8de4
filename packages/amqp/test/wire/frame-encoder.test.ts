import { FieldEncodeError, ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../src/wire/byte-writer.ts'
import { FRAME_BODY } from '../../src/wire/constants.ts'
import { FrameDecoder } from '../../src/wire/frame-decoder.ts'
import {
  beginFrame,
  endFrame,
  writeBody,
  writeContentHeader,
  writeHeartbeat,
  writeMethod,
} from '../../src/wire/frame-encoder.ts'
import { FrameLog } from './frame-log.ts'
import { hex } from './hex.ts'
import { written } from './written.ts'

test('a method frame', () => {
  expect(
    written((writer) => writeMethod(writer, 0x0102, 'basic.ack', { deliveryTag: 5, multiple: true })),
  ).toEqual(hex`01 01 02 00 00 00 0d 00 3c 00 50 00 00 00 00 00 00 00 05 01 ce`)
  expect(written((writer) => writeMethod(writer, 0, 'connection.close-ok', {}))).toEqual(
    hex`01 00 00 00 00 00 04 00 0a 00 33 ce`,
  )
})

test('a content header frame', () => {
  expect(written((writer) => writeContentHeader(writer, 1, 0x1_0000_0002, { deliveryMode: 2 }))).toEqual(
    hex`02 00 01 00 00 00 0f 00 3c 00 00 00 00 00 01 00 00 00 02 10 00 02 ce`,
  )
})

test('a heartbeat', () => {
  expect(written((writer) => writeHeartbeat(writer))).toEqual(hex`08 00 00 00 00 00 00 ce`)
})

test("a frame of one's own", () => {
  const bytes = written((writer) => {
    const mark = beginFrame(writer, FRAME_BODY, 65_535)
    writer.uint16(0xabcd)
    endFrame(writer, mark)
  })
  expect(bytes).toEqual(hex`03 ff ff 00 00 00 02 ab cd ce`)
})

const body = (bytes: number): Buffer => {
  const content = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at++) content[at] = (at * 31 + 7) & 0xff
  return content
}

/** The payload sizes of the frames that a body of so many bytes becomes. */
const sizes = (bytes: number, maxFrameBytes: number): number[] => {
  const stream = written((writer) => writeBody(writer, 9, body(bytes), maxFrameBytes))
  const log = new FrameLog()
  const decoder = new FrameDecoder(log, maxFrameBytes)
  decoder.push(stream)
  expect(decoder.heldBytes).toBe(0)
  // Not toEqual: it walks a large Buffer octet by octet.
  expect(Buffer.concat(log.frames.map(({ payload }) => payload)).equals(body(bytes))).toBe(true)
  expect(new Set(log.frames.map(({ kind, channel }) => `${kind} ${channel}`)).size).toBeLessThan(2)
  return log.frames.map(({ payload }) => payload.length)
}

describe('bodies', () => {
  test('a small one, byte by byte', () => {
    expect(written((writer) => writeBody(writer, 1, hex`61 62`, 4096))).toEqual(
      hex`03 00 01 00 00 00 02 61 62 ce`,
    )
  })

  test.each([4096, 8192, 131_072])('are split so that each frame has %d bytes at the most', (max) => {
    const most = max - 8
    expect(sizes(0, max)).toEqual([])
    expect(sizes(1, max)).toEqual([1])
    expect(sizes(most - 1, max)).toEqual([most - 1])
    expect(sizes(most, max)).toEqual([most])
    expect(sizes(most + 1, max)).toEqual([most, 1])
    expect(sizes(max, max)).toEqual([most, 8])
    expect(sizes(max + 1, max)).toEqual([most, 9])
    expect(sizes(2 * most, max)).toEqual([most, most])
    expect(sizes(2 * most + 1, max)).toEqual([most, most, 1])
  })

  test('are whole where there is no limit', () => {
    expect(sizes(0, 0)).toEqual([])
    expect(sizes(1_000_000, 0)).toEqual([1_000_000])
  })

  test('the smallest frame that has room carries one byte', () => {
    expect(sizes(3, 9)).toEqual([1, 1, 1])
  })

  test.each([1, 7, 8, -1, Number.MIN_SAFE_INTEGER])(
    'a limit of %d has no room: an error and no endless loop',
    (max) => {
      const writer = new ByteWriter()
      expect(() => writeBody(writer, 1, hex`61`, max)).toThrow(ProtocolError)
      expect(writer.offset).toBe(0)
      expect(() => writeBody(writer, 1, hex``, max)).not.toThrow()
    },
  )

  test('a view into a larger buffer gives its own bytes only', () => {
    const view = new Uint8Array(hex`00 01 02 03 04 05`.subarray(2, 4))
    expect(written((writer) => writeBody(writer, 1, view, 9))).toEqual(
      hex`03 00 01 00 00 00 01 02 ce 03 00 01 00 00 00 01 03 ce`,
    )
  })

  test('what was written does not change with the body', () => {
    const given = hex`61 62`
    const writer = new ByteWriter()
    writeBody(writer, 1, given, 4096)
    given.fill(0)
    expect(writer.written()).toEqual(hex`03 00 01 00 00 00 02 61 62 ce`)
  })
})

test('after a value that cannot be written, the writer is as good as new once its offset is put back', () => {
  const writer = new ByteWriter(0)
  writeHeartbeat(writer)
  const mark = writer.offset
  expect(() =>
    writeMethod(writer, 1, 'basic.publish', {
      exchange: 'nova',
      routingKey: 'k'.repeat(256),
      mandatory: false,
      immediate: false,
    }),
  ).toThrow(FieldEncodeError)
  expect(() =>
    writeContentHeader(writer, 1, 0, { headers: { k: 'v'.repeat(5000), bad: 2n ** 64n } }),
  ).toThrow(FieldEncodeError)
  writer.offset = mark
  writeHeartbeat(writer)
  expect(writer.written()).toEqual(hex`08 00 00 00 00 00 00 ce 08 00 00 00 00 00 00 ce`)
})

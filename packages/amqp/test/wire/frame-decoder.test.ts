import { ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import { FrameDecoder } from '../../src/wire/frame-decoder.ts'
import { FrameLog, type LoggedFrame } from './frame-log.ts'
import { hex } from './hex.ts'

const METHOD = hex`01 00 00 00 00 00 04 00 0a 00 33 ce`
const HEADER = hex`02 00 07 00 00 00 0e 00 3c 00 00 00 00 00 00 00 00 00 03 00 00 ce`
const BODY = hex`03 ff ff 00 00 00 03 61 ce 63 ce`
const EMPTY_BODY = hex`03 00 01 00 00 00 00 ce`
const HEARTBEAT = hex`08 00 00 00 00 00 00 ce`
const STREAM = Buffer.concat([METHOD, HEARTBEAT, HEADER, BODY, EMPTY_BODY, HEARTBEAT, METHOD])

const FRAMES: readonly LoggedFrame[] = [
  { kind: 'method', channel: 0, payload: hex`00 0a 00 33` },
  { kind: 'heartbeat', channel: 0, payload: hex`` },
  { kind: 'header', channel: 7, payload: hex`00 3c 00 00 00 00 00 00 00 00 00 03 00 00` },
  { kind: 'body', channel: 65_535, payload: hex`61 ce 63` },
  { kind: 'body', channel: 1, payload: hex`` },
  { kind: 'heartbeat', channel: 0, payload: hex`` },
  { kind: 'method', channel: 0, payload: hex`00 0a 00 33` },
]

/** A body frame of `bytes` in all. */
const bodyOf = (bytes: number): Buffer => {
  const frame = Buffer.alloc(bytes, 0x2e)
  frame[0] = 3
  frame.writeUInt16BE(1, 1)
  frame.writeUInt32BE(bytes - 8, 3)
  frame[bytes - 1] = 0xce
  return frame
}

/** Pushes copies that are overwritten at once, each at another place of a larger buffer. */
const feed = (decoder: FrameDecoder, chunks: readonly Uint8Array[]): void => {
  chunks.forEach((chunk, at) => {
    const shifted = Buffer.alloc(chunk.length + 16, 0xce).subarray(1 + (at % 13))
    const lent = shifted.subarray(0, chunk.length)
    lent.set(chunk)
    decoder.push(lent)
    shifted.fill(0x5a)
  })
}

const decodeChunks = (chunks: readonly Uint8Array[], maxFrameBytes = 4096): LoggedFrame[] => {
  const log = new FrameLog()
  feed(new FrameDecoder(log, maxFrameBytes), chunks)
  return log.frames
}

describe('any split of the stream gives the same frames', () => {
  test('none', () => expect(decodeChunks([STREAM])).toEqual(FRAMES))

  test('every byte alone', () => {
    expect(decodeChunks([...STREAM].map((octet) => Buffer.of(octet)))).toEqual(FRAMES)
  })

  test('in two, anywhere', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      expect(decodeChunks([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(FRAMES)
    }
  })

  test('in three, anywhere: a frame header over three reads among them', () => {
    for (let first = 0; first <= STREAM.length; first++) {
      for (let second = first; second <= STREAM.length; second++) {
        const chunks = [STREAM.subarray(0, first), STREAM.subarray(first, second), STREAM.subarray(second)]
        expect(decodeChunks(chunks)).toEqual(FRAMES)
      }
    }
  })

  test('in pieces of one size', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const chunks: Buffer[] = []
      for (let at = 0; at < STREAM.length; at += size) chunks.push(STREAM.subarray(at, at + size))
      expect(decodeChunks(chunks)).toEqual(FRAMES)
    }
  })

  test('frames far larger than a chunk', () => {
    const parts = [bodyOf(300_000), HEARTBEAT, bodyOf(131_072), METHOD]
    const stream = Buffer.concat(parts)
    for (const size of [1, 7, 4096, 65_536, 131_073, stream.length]) {
      const chunks: Buffer[] = []
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
      const payloads = decodeChunks(chunks, 1 << 20).map(({ payload }) => payload)
      expect(payloads).toHaveLength(parts.length)
      // Not toEqual: it walks a large Buffer octet by octet.
      expect(payloads.every((payload, at) => parts[at]?.subarray(7, -1).equals(payload))).toBe(true)
    }
  })
})

describe('what is held', () => {
  test('only of an unfinished frame', () => {
    const decoder = new FrameDecoder(new FrameLog(), 4096)
    expect(decoder.heldBytes).toBe(0)
    feed(decoder, [STREAM])
    expect(decoder.heldBytes).toBe(0)
    feed(decoder, [METHOD, HEADER.subarray(0, 3)])
    expect(decoder.heldBytes).toBe(3)
    feed(decoder, [HEADER.subarray(3, 7)])
    expect(decoder.heldBytes).toBe(7)
    feed(decoder, [HEADER.subarray(7, 21)])
    expect(decoder.heldBytes).toBe(21)
    feed(decoder, [HEADER.subarray(21)])
    expect(decoder.heldBytes).toBe(0)
    feed(decoder, [hex``])
    expect(decoder.heldBytes).toBe(0)
  })

  test.each([
    ['at once', (header: Buffer) => [header]],
    ['in the middle of the header', (header: Buffer) => [header.subarray(0, 3), header.subarray(3)]],
    ['byte by byte', (header: Buffer) => [...header].map((octet) => Buffer.of(octet))],
  ])('a claim of 4 GiB costs nothing even where there is no limit: %s', (_, split) => {
    const decoder = new FrameDecoder(new FrameLog(), 0)
    const before = process.memoryUsage().arrayBuffers
    feed(decoder, split(hex`03 00 01 ff ff ff f0`))
    feed(decoder, [Buffer.alloc(1000)])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
    expect(decoder.heldBytes).toBe(1007)
  })
})

describe('the limit', () => {
  test.each([4096, 8192, 131_072])('%d bytes, overhead included, pass; one more does not', (limit) => {
    expect(decodeChunks([bodyOf(limit)], limit)).toHaveLength(1)
    expect(() => decodeChunks([bodyOf(limit + 1)], limit)).toThrow(
      `a frame of ${limit + 1} bytes exceeds the limit of ${limit}`,
    )
  })

  test.each([
    hex`03 00 01 ff ff ff ff`,
    hex`03 00 01 ff ff ff f8`,
    hex`03 00 01 80 00 00 00`,
    hex`03 00 01 00 00 0f f9`,
  ])('is enforced as soon as the header is there: %o', (header) => {
    expect(() => decodeChunks([header])).toThrow(ProtocolError)
    expect(() => decodeChunks([...header].map((octet) => Buffer.of(octet)))).toThrow(ProtocolError)
    expect(() => decodeChunks([METHOD, header])).toThrow(ProtocolError)
    expect(decodeChunks([header.subarray(0, 6)])).toEqual([])
  })

  test('can change in the middle of a chunk, when tune has settled it', () => {
    const log = new FrameLog()
    const decoder = new FrameDecoder(log, 4096)
    log.heartbeat = () => {
      decoder.maxFrameBytes = 8192
    }
    expect(() => decoder.push(Buffer.concat([METHOD, bodyOf(8192)]))).toThrow(ProtocolError)
    const second = new FrameDecoder(log, 4096)
    log.heartbeat = () => {
      second.maxFrameBytes = 8192
    }
    second.push(Buffer.concat([HEARTBEAT, bodyOf(8192)]))
    expect(log.frames.at(-1)?.payload).toHaveLength(8184)
  })

  test('of 0 is none, from the start or later', () => {
    expect(decodeChunks([bodyOf(1 << 20)], 0)).toHaveLength(1)
    const log = new FrameLog()
    const decoder = new FrameDecoder(log, 4096)
    decoder.maxFrameBytes = 0
    feed(decoder, [bodyOf(1 << 20)])
    expect(log.frames).toHaveLength(1)
    expect(() => feed(decoder, [hex`03 00 01 ff ff ff ff`])).toThrow(ProtocolError)
  })
})

describe('what is no frame', () => {
  test.each([
    ['type 0', hex`00 00 00 00 00 00 00 ce`],
    ['type 4', hex`04 00 00 00 00 00 00 ce`],
    ['type 255', hex`ff 00 00 00 00 00 00 ce`],
    ['another end', hex`01 00 00 00 00 00 04 00 0a 00 33 cf`],
    ['no end but the next frame', hex`08 00 00 00 00 00 00 08 00 00 00 00 00 00 ce`],
    ['a size one too small', hex`03 00 01 00 00 00 02 61 62 63 ce`],
    ['a heartbeat on another channel', hex`08 00 01 00 00 00 00 ce`],
    ['a heartbeat that carries something', hex`08 00 00 00 00 00 01 00 ce`],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['TLS', hex`15 03 01 00 02 02 46`],
    [
      'a protocol header, the answer to a version that the peer does not speak',
      Buffer.from('AMQP\0\0\u{9}\u{1}'),
    ],
  ])('%s', (_, bytes) => {
    expect(() => decodeChunks([bytes])).toThrow(ProtocolError)
    expect(() => decodeChunks([...bytes].map((octet) => Buffer.of(octet)))).toThrow(ProtocolError)
    expect(() => decodeChunks([STREAM, bytes])).toThrow(ProtocolError)
  })

  test('frames before it are handed over', () => {
    const log = new FrameLog()
    const decoder = new FrameDecoder(log, 4096)
    expect(() => decoder.push(Buffer.concat([STREAM, hex`09 00 00 00 00 00 00 ce`]))).toThrow(
      'unknown frame type 9',
    )
    expect(log.frames).toEqual(FRAMES)
  })
})

test('what the sink throws passes through', () => {
  const log = new FrameLog()
  log.heartbeat = () => {
    throw new RangeError('mine')
  }
  expect(() => new FrameDecoder(log, 4096).push(HEARTBEAT)).toThrow('mine')
})

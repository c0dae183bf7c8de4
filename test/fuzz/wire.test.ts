import { isDeepStrictEqual } from 'node:util'
import { ProtocolError } from '@hermod/kernel'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readProperties, writeProperties } from '../../packages/amqp/src/wire/basic-properties.ts'
import { ByteReader } from '../../packages/amqp/src/wire/byte-reader.ts'
import { ByteWriter } from '../../packages/amqp/src/wire/byte-writer.ts'
import { MAX_TABLE_DEPTH, readTable, writeTable } from '../../packages/amqp/src/wire/field-table.ts'
import { FrameDecoder, type FrameSink } from '../../packages/amqp/src/wire/frame-decoder.ts'
import {
  beginFrame,
  endFrame,
  writeBody,
  writeContentHeader,
  writeHeartbeat,
  writeMethod,
} from '../../packages/amqp/src/wire/frame-encoder.ts'
import {
  decodeMethod,
  encodeMethod,
  METHOD_CODES,
  type MethodArguments,
} from '../../packages/amqp/src/wire/generated/methods.ts'
import { search, TIMEOUT_MS } from './search.ts'
import {
  argumentsAsRead,
  basicProperties,
  fieldTable,
  method,
  propertiesAsRead,
  tableAsRead,
  type AnyMethod,
} from './wire-arbitraries.ts'

const LIMIT = 4096

/** There are ten properties, and those that look back at what turned up need more. */
const SEARCH: fc.Parameters<unknown> = search(0.08)
const LONGER: fc.Parameters<unknown> = search(0.2)

const same = (actual: unknown, expected: unknown): void => {
  // Much faster than a matcher; the matcher then says what differs.
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected)
}

const put = (writer: ByteWriter, { name, args }: AnyMethod): void =>
  encodeMethod(writer, name, args as unknown as MethodArguments[typeof name])

/** Bytes in the middle of a larger buffer, as a socket's read buffer may hand them over. */
const lend = (bytes: Uint8Array, offset: number): Buffer => {
  const around = Buffer.alloc(offset + bytes.length + 9, 0xce)
  around.set(bytes, offset)
  return around.subarray(offset, offset + bytes.length)
}

/** Where to cut: sizes of chunks, used round and round. */
const cuts = fc.oneof(
  fc.constant([1]),
  fc.constant([1 << 20]),
  fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 8 }),
  fc
    .array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 4 })
    .filter((sizes) => sizes.some(Boolean)),
)

/** Decodes everything that is in a frame, as a peer would, and writes down what it saw. */
class Witness implements FrameSink {
  readonly seen: unknown[] = []

  method(channel: number, reader: ByteReader): void {
    this.seen.push([channel, decodeMethod(reader)])
  }

  header(channel: number, reader: ByteReader): void {
    const head = [reader.uint16(), reader.uint16(), reader.uint64()]
    const properties = readProperties(reader)
    reader.finish('a content header')
    this.seen.push([channel, head, properties])
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    this.seen.push([channel, Buffer.from(bytes.subarray(start, end))])
  }

  heartbeat(): void {
    this.seen.push('heartbeat')
  }
}

interface Outcome {
  readonly seen: readonly unknown[]
  /** What ended the stream, if anything did. */
  readonly refusal: string | undefined
}

/**
 * Feeds a stream in pieces, each lent only for the call: overwritten at once.
 *
 * Whatever is no ProtocolError is thrown on: it fails the property.
 */
function feed(stream: Uint8Array, sizes: readonly number[], limit: number): Outcome {
  const witness = new Witness()
  const decoder = new FrameDecoder(witness, limit)
  let at = 0
  for (let turn = 0; at < stream.length; turn++) {
    const end = Math.min(stream.length, at + (sizes[turn % sizes.length] ?? 1))
    const chunk = lend(stream.subarray(at, end), turn % 11)
    at = end
    try {
      decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return { seen: witness.seen, refusal: error.message }
    } finally {
      chunk.fill(0x5a)
    }
    if (decoder.heldBytes > limit || decoder.heldBytes > at)
      throw new RangeError(`the decoder holds ${decoder.heldBytes} bytes after ${at}`)
  }
  if (witness.seen.length > stream.length / 8) throw new RangeError('more frames than fit into the stream')
  return { seen: witness.seen, refusal: undefined }
}

/** One frame as bytes. */
const frame: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.integer({ min: 0, max: 65_535 }),
    fc.oneof(
      method.map(
        (any) => (writer: ByteWriter, channel: number) =>
          writeMethod(writer, channel, any.name, any.args as unknown as MethodArguments[typeof any.name]),
      ),
      fc.tuple(fc.maxSafeNat(), basicProperties).map(
        ([size, properties]) =>
          (writer: ByteWriter, channel: number) =>
            writeContentHeader(writer, channel, size, properties),
      ),
      fc
        .uint8Array({ maxLength: 9000, size: 'max' })
        .map((body) => (writer: ByteWriter, channel: number) => writeBody(writer, channel, body, LIMIT)),
      fc.constant((writer: ByteWriter) => writeHeartbeat(writer)),
    ),
  )
  .map(([channel, write]) => {
    const writer = new ByteWriter(16)
    write(writer, channel)
    return Buffer.from(writer.written())
  })

const stream: fc.Arbitrary<Buffer> = fc.array(frame, { maxLength: 8 }).map((frames) => Buffer.concat(frames))

/** Damage to a stream: something lost, something put in, something overwritten, a length that lies. */
const damage: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(([where, octet]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes)
    if (copy.length > 0) copy[where % copy.length] = octet
    return copy
  }),
  fc.nat().map((where) => (bytes: Buffer) => bytes.subarray(0, where % (bytes.length + 1))),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 9 })).map(([where, length]) => (bytes: Buffer) => {
    const at = where % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
  }),
  fc
    .tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }))
    .map(([where, more]) => (bytes: Buffer) => {
      const at = where % (bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
    }),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(
        0xffff_ffff,
        0xffff_fff8,
        0x8000_0000,
        0x7fff_ffff,
        0x4000_0000,
        4089,
        4088,
        4087,
        255,
        0,
      ),
    )
    .map(([where, lie]) => (bytes: Buffer) => {
      const copy = Buffer.from(bytes)
      if (copy.length >= 4) copy.writeUInt32BE(lie, where % (copy.length - 3))
      return copy
    }),
)

/** Frames that are whole, with a payload that nobody vouches for. */
const hostileFrame: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(1, 1, 2, 2, 3, 8),
    fc.integer({ min: 0, max: 3 }),
    fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .tuple(fc.constantFrom(...Object.values(METHOD_CODES)), fc.uint8Array({ maxLength: 64 }))
        .map(([code, rest]) => {
          const head = Buffer.alloc(4)
          head.writeUInt32BE(code)
          return Buffer.concat([head, rest])
        }),
      fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 64 })).map(([flags, rest]) => {
        const head = Buffer.alloc(14)
        head.writeUInt16BE(60)
        head.writeUInt16BE(flags, 12)
        return Buffer.concat([head, rest])
      }),
      // A good payload that was damaged; the frame around it is good again.
      fc
        .tuple(frame, fc.array(damage, { minLength: 1, maxLength: 3 }))
        .map(([good, damages]) => damages.reduce<Buffer>((bytes, hurt) => hurt(bytes), good.subarray(7, -1))),
    ),
  )
  .map(([type, channel, payload]) => {
    const writer = new ByteWriter(16)
    const mark = beginFrame(writer, type, channel)
    writer.bytes(payload)
    endFrame(writer, mark)
    return Buffer.from(writer.written())
  })

const hostile: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(stream, fc.array(damage, { minLength: 1, maxLength: 4 }))
      .map(([good, damages]) => damages.reduce((bytes, hurt) => hurt(bytes), good)),
  },
  {
    weight: 3,
    arbitrary: fc.array(hostileFrame, { minLength: 1, maxLength: 4 }).map((frames) => Buffer.concat(frames)),
  },
)

/** A table of so many levels, each a table or an array. */
const bomb = (letters: readonly boolean[], levels: number): Buffer => {
  const parts: number[] = []
  let inTable = true
  const lengths: number[] = []
  for (let level = 0; level < levels; level++) {
    if (inTable) parts.push(1, 0x6b)
    inTable = letters[level % letters.length] ?? true
    parts.push(inTable ? 0x46 : 0x41)
    lengths.push(parts.length)
    parts.push(0, 0, 0, 0)
  }
  const bytes = Buffer.alloc(4 + parts.length)
  bytes.set(parts, 4)
  bytes.writeUInt32BE(parts.length)
  for (const at of lengths) bytes.writeUInt32BE(parts.length - at - 4, at + 4)
  return bytes
}

describe('decode ∘ encode is the identity', () => {
  test('of every method', { timeout: TIMEOUT_MS }, () => {
    const reader = new ByteReader()
    fc.assert(
      fc.property(method, fc.nat({ max: 9 }), (any, offset) => {
        const writer = new ByteWriter(0)
        put(writer, any)
        const bytes = lend(writer.written(), offset)
        const decoded = decodeMethod(reader.reset(bytes))
        bytes.fill(0)
        same(decoded, { name: any.name, args: argumentsAsRead(any) })
      }),
      SEARCH,
    )
  })

  test('of tables', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fieldTable, fc.nat({ max: 9 }), (table, offset) => {
        const writer = new ByteWriter(0)
        writeTable(writer, table)
        const bytes = lend(writer.written(), offset)
        const reader = new ByteReader().reset(bytes)
        const read = readTable(reader)
        reader.finish('the table')
        bytes.fill(0)
        same(read, tableAsRead(table))
      }),
      SEARCH,
    )
  })

  test('of properties', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(basicProperties, fc.nat({ max: 9 }), (properties, offset) => {
        const writer = new ByteWriter(0)
        writeProperties(writer, properties)
        const bytes = lend(writer.written(), offset)
        const reader = new ByteReader().reset(bytes)
        const read = readProperties(reader)
        reader.finish('the properties')
        bytes.fill(0)
        same(read, propertiesAsRead(properties))
      }),
      SEARCH,
    )
  })

  test('and what was read once is written the same way', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fieldTable, (table) => {
        const once = tableAsRead(table)
        const writer = new ByteWriter(0)
        writeTable(writer, once)
        same(readTable(new ByteReader().reset(Buffer.from(writer.written()))), once)
      }),
      SEARCH,
    )
  })
})

describe('frames', () => {
  test('any split of a stream gives the same', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, sizes) => {
        const bytes = Buffer.concat(frames)
        const limit = 1 << 20
        const outcome = feed(bytes, sizes, limit)
        same(outcome, feed(bytes, [bytes.length], limit))
        same(outcome.refusal, undefined)
        const alone = frames.flatMap((one) => feed(one, [one.length], limit).seen)
        same(outcome.seen, alone)
      }),
      SEARCH,
    )
  })

  test('of a body are as large as the limit allows, and no larger', { timeout: TIMEOUT_MS }, () => {
    const bodyBytes = fc.oneof(
      fc.nat({ max: 70_000 }),
      fc
        .tuple(fc.constantFrom(1, 2, 3), fc.integer({ min: -9, max: 9 }))
        .map(([times, more]) => times * (LIMIT - 8) + more),
    )
    const limits = fc.oneof(fc.constant(LIMIT), fc.integer({ min: 9, max: 9000 }))
    const body = Buffer.alloc(70_000)
    for (let at = 0; at < body.length; at++) body[at] = (at * 131 + (at >> 8)) & 0xff
    fc.assert(
      fc.property(bodyBytes, limits, fc.integer({ min: 0, max: 65_535 }), (bytes, limit, channel) => {
        const writer = new ByteWriter(16)
        writeBody(writer, channel, body.subarray(0, bytes), limit)
        const seen = feed(writer.written(), [1 << 20], limit).seen as [number, Buffer][]
        same(seen.length, Math.ceil(bytes / (limit - 8)))
        same(Buffer.concat(seen.map(([, part]) => part)).equals(body.subarray(0, bytes)), true)
        for (const [at, [seenChannel, part]] of seen.entries()) {
          same(seenChannel, channel)
          if (at < seen.length - 1) same(part.length, limit - 8)
        }
      }),
      SEARCH,
    )
  })
})

describe('a hostile peer', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('gets a ProtocolError or is understood, however its bytes are split', { timeout: TIMEOUT_MS }, () => {
    let refused = 0
    let understood = 0
    fc.assert(
      fc.property(hostile, cuts, (bytes, sizes) => {
        const outcome = feed(bytes, [Math.max(1, bytes.length)], LIMIT)
        if (outcome.refusal === undefined) understood++
        else refused++
        same(feed(bytes, sizes, LIMIT), outcome)
      }),
      LONGER,
    )
    // Both kinds must turn up, or the search has looked at one side of the fence only.
    expect(refused).toBeGreaterThan(2)
    expect(understood).toBeGreaterThan(2)
  })

  test('never makes us allocate more than one frame', { timeout: TIMEOUT_MS }, () => {
    let largest = 0
    const allocUnsafe = Buffer.allocUnsafe.bind(Buffer)
    const from = Buffer.from.bind(Buffer)
    vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => {
      largest = Math.max(largest, size)
      return allocUnsafe(size)
    })
    vi.spyOn(Buffer, 'from').mockImplementation(((value: Uint8Array, ...rest: []) => {
      largest = Math.max(largest, value.length)
      return from(value, ...rest)
    }) as typeof from)
    let worst = 0
    fc.assert(
      fc.property(hostile, cuts, (bytes, sizes) => {
        largest = 0
        feed(bytes, sizes, LIMIT)
        worst = Math.max(worst, largest)
        if (worst > LIMIT) throw new RangeError(`${worst} bytes were allocated`)
      }),
      LONGER,
    )
    // Frames close to the limit must have turned up, or the property has shown nothing.
    expect(worst).toBeGreaterThan(LIMIT / 2)
  })

  test('cannot reach the stack with nested tables', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 20_000 })),
        (letters, levels) => {
          const reader = new ByteReader().reset(bomb(letters, levels))
          let refused = false
          try {
            readTable(reader)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
            refused = true
          }
          same(refused, levels > MAX_TABLE_DEPTH)
        },
      ),
      SEARCH,
    )
  })

  test('gets nowhere with a table that is damaged', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fieldTable, fc.array(damage, { minLength: 1, maxLength: 3 }), (table, damages) => {
        const writer = new ByteWriter(16)
        writeTable(writer, table)
        const bytes = damages.reduce<Buffer>((good, hurt) => hurt(good), Buffer.from(writer.written()))
        const lent = lend(bytes, 3)
        try {
          readTable(new ByteReader().reset(lent))
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      SEARCH,
    )
  })
})

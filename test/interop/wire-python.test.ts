import { isUtf8 } from 'node:buffer'
import { findPython, needs, type PythonPeer } from '@hermod/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  readProperties,
  writeProperties,
  type BasicProperties,
} from '../../packages/amqp/src/wire/basic-properties.ts'
import { ByteReader } from '../../packages/amqp/src/wire/byte-reader.ts'
import { ByteWriter } from '../../packages/amqp/src/wire/byte-writer.ts'
import {
  readTable,
  writeTable,
  type FieldTable,
  type FieldValue,
} from '../../packages/amqp/src/wire/field-table.ts'
import {
  decodeMethod,
  encodeMethod,
  METHOD_CODES,
  type MethodArguments,
} from '../../packages/amqp/src/wire/generated/methods.ts'
import { TypedField } from '../../packages/amqp/src/wire/typed-field.ts'
import { startPeer } from '../e2e/start-peer.ts'
import {
  argumentsAsRead,
  anyMethodWith,
  propertiesAsRead,
  tableAsRead,
  type AnyMethod,
} from '../fuzz/wire-arbitraries.ts'

type Library = 'pika' | 'py-amqp'
const LIBRARIES: readonly Library[] = ['pika', 'py-amqp']

const gate = needs(findPython(['pika', 'amqp']))
const SEED = Date.now() & 0x7fff_ffff
const SAMPLES = { seed: SEED, numRuns: 300 }

/** Text that Python can say back in JSON. */
const text = fc.string({ unit: 'binary', maxLength: 60 })
const name = text.map((value) => `k${value}`)

/** A whole number travels as `l` where it does not fit into `I`, also when it came from a double. */
const floating = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => !Number.isSafeInteger(value) || value >= -(2 ** 31))

/**
 * Tables that a library reads as we mean them. Both take `l` for unsigned, pika cuts fractions, and neither knows
 * moments after the year 9999, so those stay out.
 */
const tablesOf = (library: Library): fc.Arbitrary<FieldTable> =>
  fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
    table: fc.dictionary(name, tie('value'), { maxKeys: 5 }),
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      ...(library === 'pika' ? [] : [floating]),
      text,
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: 253_402_300_799 }).map((seconds) => new Date(seconds * 1000)),
      fc.array(tie('value'), { maxLength: 4 }),
      tie('table'),
    ),
  })).table

/** A value as it was read, in the peers' JSON. */
function toJson(value: FieldValue): unknown {
  if (typeof value === 'bigint') return { $int: String(value) }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return { $float: String(value) }
  if (typeof value === 'number' && Object.is(value, -0)) return { $float: '-0.0' }
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Date) return { $timestamp: value.getTime() / 1000 }
  if (value instanceof TypedField) return { $decimal: `${value.value}E-${value.scale}` }
  if (Array.isArray(value)) return (value as readonly FieldValue[]).map(toJson)
  return Object.fromEntries(
    Object.entries(value as FieldTable).map(([key, inner]) => [key, toJson(inner ?? null)]),
  )
}

/** Floats as numbers: the two languages spell them differently. */
function settle(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(settle)
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === '$float') return { $float: Number(first[1]) }
  return Object.fromEntries(entries.map(([key, inner]) => [key, settle(inner)]))
}

/** py-amqp writes bytes as text. */
function asWrittenBy(library: Library, value: FieldValue): FieldValue {
  if (value instanceof Uint8Array)
    return library === 'py-amqp' && isUtf8(value) ? Buffer.from(value).toString() : value
  if (Array.isArray(value)) return (value as readonly FieldValue[]).map((item) => asWrittenBy(library, item))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return tableWrittenBy(library, value as FieldTable)
}

function tableWrittenBy(library: Library, table: FieldTable): FieldTable {
  return Object.fromEntries(
    Object.entries(table).map(([key, inner]) => [key, asWrittenBy(library, inner ?? null)]),
  )
}

const snake = (camel: string): string => camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const table = (value: FieldTable): string => {
  const writer = new ByteWriter()
  writeTable(writer, value)
  return writer.written().toString('hex')
}
const properties = (value: BasicProperties): string => {
  const writer = new ByteWriter()
  writeProperties(writer, value)
  return writer.written().toString('hex')
}
const argumentBytes = (any: AnyMethod): string => {
  const writer = new ByteWriter()
  encodeMethod(writer, any.name, any.args as unknown as MethodArguments[typeof any.name])
  return writer.written().toString('hex', 4)
}
const reading = (hex: unknown): ByteReader => new ByteReader().reset(Buffer.from(String(hex), 'hex'))

describe.skipIf(gate.skip)(`the wire codec and Python, seed ${SEED}${gate.note}`, () => {
  let peer: PythonPeer

  beforeAll(() => {
    peer = startPeer('wire_codec')
  })
  afterAll(async () => {
    await peer[Symbol.asyncDispose]()
  })

  describe.each(LIBRARIES)('%s', (library) => {
    test('reads our tables', async () => {
      for (const value of fc.sample(tablesOf(library), SAMPLES)) {
        const answer = await peer.ask({ do: 'read table', library, hex: table(value) })
        expect(settle(answer['value'])).toEqual(settle(toJson(tableAsRead(value))))
      }
    })

    test('writes tables that we read', async () => {
      for (const value of fc.sample(tablesOf(library), SAMPLES)) {
        const answer = await peer.ask({ do: 'write table', library, value: toJson(value) })
        expect(readTable(reading(answer['hex']))).toStrictEqual(tableWrittenBy(library, tableAsRead(value)))
      }
    })

    test.each([2 ** 31, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 40), 2 ** 53 - 1, -(2n ** 63n), 2n ** 63n - 1n])(
      'writes %d so that we read it: py-amqp as L, pika as l',
      async (value) => {
        const answer = await peer.ask({ do: 'write table', library, value: { k: toJson(value) } })
        expect(readTable(reading(answer['hex']))).toStrictEqual({ k: value })
      },
    )

    test('agrees on decimals', async () => {
      for (const [scale, digits] of [
        [2, 1999],
        [0, -7],
        [9, 2 ** 31 - 1],
        [1, -(2 ** 31) + 1],
      ] as const) {
        const value = { k: TypedField.decimal(scale, digits) }
        const read = await peer.ask({ do: 'read table', library, hex: table(value) })
        const { k } = read['value'] as { k: { $decimal: string } }
        expect(Number(k.$decimal)).toBe(digits / 10 ** scale)
        const written = await peer.ask({ do: 'write table', library, value: { k } })
        expect(readTable(reading(written['hex']))).toStrictEqual(value)
      }
    })

    test('reads and writes properties as we do', async () => {
      const short = fc.string({ unit: 'binary', maxLength: 60 })
      const arbitrary: fc.Arbitrary<BasicProperties> = fc.record(
        {
          contentType: short,
          contentEncoding: short,
          headers: tablesOf(library),
          deliveryMode: fc.integer({ min: 0, max: 255 }),
          priority: fc.integer({ min: 0, max: 255 }),
          correlationId: short,
          replyTo: short,
          expiration: short,
          messageId: short,
          timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
          type: short,
          userId: short,
          appId: short,
          clusterId: short,
        },
        { requiredKeys: [] },
      )
      for (const value of fc.sample(arbitrary, SAMPLES)) {
        const named = Object.entries(value).map(([key, inner]): [string, unknown] => {
          const pythonic = key === 'headers' && library === 'py-amqp' ? 'application_headers' : snake(key)
          if (typeof inner === 'bigint')
            return [pythonic, Number.isSafeInteger(Number(inner)) ? Number(inner) : { $int: String(inner) }]
          return [
            pythonic,
            toJson(key === 'headers' ? tableAsRead(inner as FieldTable) : (inner as FieldValue)),
          ]
        })
        const read = await peer.ask({ do: 'read properties', library, hex: properties(value) })
        expect(settle(read['value'])).toEqual(settle(Object.fromEntries(named)))
        const written = await peer.ask({ do: 'write properties', library, value: Object.fromEntries(named) })
        const back = readProperties(reading(written['hex']))
        const expected = propertiesAsRead(value)
        expect(back).toStrictEqual(
          expected.headers === undefined
            ? expected
            : { ...expected, headers: tableWrittenBy(library, expected.headers) },
        )
      }
    })
  })

  test('pika reads every method as we write it, and writes the same bytes', async () => {
    const RESERVED = [
      'ticket',
      'capabilities',
      'insist',
      'known_hosts',
      'out_of_band',
      'channel_id',
      'cluster_id',
    ]
    const RENAMED: Readonly<Record<string, string>> = { noWait: 'nowait', global: 'global_qos' }
    const plain = fc.dictionary(name, fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), text), {
      maxKeys: 4,
    })
    const seen = new Set<string>()
    for (const any of fc.sample(anyMethodWith(plain, text), { seed: SEED, numRuns: 1500 })) {
      // pika does not know it.
      if (any.name.startsWith('connection.update-secret')) continue
      seen.add(any.name)
      const hex = argumentBytes(any)
      const answer = await peer.ask({ do: 'method', library: 'pika', code: METHOD_CODES[any.name], hex })
      const fields = Object.entries(answer['value'] as object).filter(
        ([field]) => any.name === 'access.request-ok' || !RESERVED.includes(field),
      )
      const expected = Object.entries(argumentsAsRead(any)).map(([field, value]) => [
        RENAMED[field] ?? snake(field),
        toJson(value as FieldValue),
      ])
      expect([any.name, settle(Object.fromEntries(fields))]).toEqual([any.name, Object.fromEntries(expected)])
      expect([any.name, answer['hex']]).toEqual([any.name, hex])
    }
    expect(seen.size).toBe(64)
  })

  test('py-amqp agrees on the methods that it packs by format', async () => {
    // The formats that its own channel and connection use: b bit, o octet, B short, l long, L long long, s and S
    // strings, F table.
    const FORMATS: Readonly<Partial<Record<AnyMethod['name'], string>>> = {
      'connection.start': 'ooFSS',
      'connection.start-ok': 'FsSs',
      'connection.tune': 'BlB',
      'connection.tune-ok': 'BlB',
      'connection.open': 'ssb',
      'connection.close': 'BsBB',
      'channel.close': 'BsBB',
      'channel.flow': 'b',
      'exchange.declare': 'BssbbbbbF',
      'exchange.delete': 'Bsbb',
      'exchange.bind': 'BsssbF',
      'queue.declare': 'BsbbbbbF',
      'queue.declare-ok': 'sll',
      'queue.bind': 'BsssbF',
      'queue.unbind': 'BsssF',
      'queue.delete': 'Bsbbb',
      'basic.qos': 'lBb',
      'basic.consume': 'BssbbbbF',
      'basic.cancel': 'sb',
      'basic.publish': 'Bssbb',
      'basic.return': 'Bsss',
      'basic.deliver': 'sLbss',
      'basic.get-ok': 'Lbssl',
      'basic.ack': 'Lb',
      'basic.nack': 'Lbb',
      'basic.reject': 'Lb',
      'confirm.select': 'b',
    }
    const plain = fc.dictionary(name, fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), text), {
      maxKeys: 4,
    })
    const seen = new Set<string>()
    for (const any of fc.sample(anyMethodWith(plain, text), { seed: SEED, numRuns: 1500 })) {
      const format = FORMATS[any.name]
      if (format === undefined) continue
      seen.add(any.name)
      const answer = await peer.ask({ do: 'method', library: 'py-amqp', format, hex: argumentBytes(any) })
      // Reserved arguments stand at the start of their methods, but for the two at the end of connection.open.
      const values = answer['value'] as unknown[]
      // py-amqp takes long strings for text.
      const expected = Object.values(argumentsAsRead(any)).map((value) =>
        Buffer.isBuffer(value) ? value.toString() : toJson(value as FieldValue),
      )
      const own =
        any.name === 'connection.open' ? values.slice(0, 1) : values.slice(values.length - expected.length)
      expect([any.name, own]).toEqual([any.name, expected])
      const whole = Buffer.alloc(4)
      whole.writeUInt32BE(METHOD_CODES[any.name])
      expect(decodeMethod(reading(whole.toString('hex') + String(answer['hex'])))).toStrictEqual({
        name: any.name,
        args: argumentsAsRead(any),
      })
    }
    expect(seen).toEqual(new Set(Object.keys(FORMATS)))
  })
})

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ProtocolError } from '@hermod/kernel'
import { describe, expect, test } from 'vitest'
import {
  CONTENT_METHODS,
  decodeArguments,
  decodeMethod,
  encodeMethod,
  METHOD_CODES,
  METHOD_SENDERS,
  methodName,
  type MethodArguments,
  type MethodName,
} from '../../../src/wire/generated/methods.ts'
import { hex } from '../hex.ts'
import { reading } from '../reading.ts'
import { written } from '../written.ts'

/** A string of ASCII as AMQP's short string. */
const short = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)])

const TABLE = hex`00 00 00 04 01 6b 74 01`
const table = { k: true }
const bytes = (text: string): Buffer => Buffer.from(text)

type Vector = {
  [Name in MethodName]: readonly [
    classId: number,
    methodId: number,
    name: Name,
    args: MethodArguments[Name],
    bytes: Buffer,
  ]
}[MethodName]

/** The methods of AMQP 0-9-1 and RabbitMQ's own, written down from their specifications and not from our table. */
const VECTORS: readonly Vector[] = [
  [
    10,
    10,
    'connection.start',
    {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties: table,
      mechanisms: bytes('PLAIN'),
      locales: bytes('en_US'),
    },
    hex`00 09 ${TABLE} 00 00 00 05 50 4c 41 49 4e 00 00 00 05 65 6e 5f 55 53`,
  ],
  [
    10,
    11,
    'connection.start-ok',
    { clientProperties: table, mechanism: 'PLAIN', response: hex`00 61 00 62`, locale: 'en_US' },
    hex`${TABLE} ${short('PLAIN')} 00 00 00 04 00 61 00 62 ${short('en_US')}`,
  ],
  [10, 20, 'connection.secure', { challenge: bytes('?') }, hex`00 00 00 01 3f`],
  [10, 21, 'connection.secure-ok', { response: hex`ff` }, hex`00 00 00 01 ff`],
  [
    10,
    30,
    'connection.tune',
    { channelMax: 2047, frameMax: 131_072, heartbeat: 60 },
    hex`07 ff 00 02 00 00 00 3c`,
  ],
  [
    10,
    31,
    'connection.tune-ok',
    { channelMax: 65_535, frameMax: 4_294_967_295, heartbeat: 0 },
    hex`ff ff ff ff ff ff 00 00`,
  ],
  [10, 40, 'connection.open', { virtualHost: '/' }, hex`${short('/')} 00 00`],
  [10, 41, 'connection.open-ok', {}, hex`00`],
  [
    10,
    50,
    'connection.close',
    { replyCode: 320, replyText: 'bye', classId: 60, methodId: 40 },
    hex`01 40 ${short('bye')} 00 3c 00 28`,
  ],
  [10, 51, 'connection.close-ok', {}, hex``],
  [10, 60, 'connection.blocked', { reason: 'low on memory' }, short('low on memory')],
  [10, 61, 'connection.unblocked', {}, hex``],
  [
    10,
    70,
    'connection.update-secret',
    { newSecret: bytes('s3'), reason: 'old' },
    hex`00 00 00 02 73 33 ${short('old')}`,
  ],
  [10, 71, 'connection.update-secret-ok', {}, hex``],
  [20, 10, 'channel.open', {}, hex`00`],
  [20, 11, 'channel.open-ok', {}, hex`00 00 00 00`],
  [20, 20, 'channel.flow', { active: true }, hex`01`],
  [20, 21, 'channel.flow-ok', { active: false }, hex`00`],
  [
    20,
    40,
    'channel.close',
    { replyCode: 404, replyText: '', classId: 50, methodId: 10 },
    hex`01 94 00 00 32 00 0a`,
  ],
  [20, 41, 'channel.close-ok', {}, hex``],
  [
    30,
    10,
    'access.request',
    { realm: '/data', exclusive: false, passive: true, active: false, write: true, read: true },
    hex`${short('/data')} 1a`,
  ],
  [30, 11, 'access.request-ok', { ticket: 1 }, hex`00 01`],
  [
    40,
    10,
    'exchange.declare',
    {
      exchange: 'nova',
      type: 'topic',
      passive: false,
      durable: true,
      autoDelete: false,
      internal: true,
      noWait: false,
      arguments: table,
    },
    hex`00 00 ${short('nova')} ${short('topic')} 0a ${TABLE}`,
  ],
  [40, 11, 'exchange.declare-ok', {}, hex``],
  [
    40,
    20,
    'exchange.delete',
    { exchange: 'nova', ifUnused: true, noWait: false },
    hex`00 00 ${short('nova')} 01`,
  ],
  [40, 21, 'exchange.delete-ok', {}, hex``],
  [
    40,
    30,
    'exchange.bind',
    { destination: 'd', source: 's', routingKey: 'a.*', noWait: true, arguments: table },
    hex`00 00 ${short('d')} ${short('s')} ${short('a.*')} 01 ${TABLE}`,
  ],
  [40, 31, 'exchange.bind-ok', {}, hex``],
  [
    40,
    40,
    'exchange.unbind',
    { destination: 'd', source: 's', routingKey: '', noWait: false, arguments: {} },
    hex`00 00 ${short('d')} ${short('s')} 00 00 00 00 00 00`,
  ],
  [40, 51, 'exchange.unbind-ok', {}, hex``],
  [
    50,
    10,
    'queue.declare',
    {
      queue: '',
      passive: true,
      durable: false,
      exclusive: true,
      autoDelete: true,
      noWait: false,
      arguments: table,
    },
    hex`00 00 00 0d ${TABLE}`,
  ],
  [
    50,
    11,
    'queue.declare-ok',
    { queue: 'q', messageCount: 4_294_967_295, consumerCount: 2 },
    hex`${short('q')} ff ff ff ff 00 00 00 02`,
  ],
  [
    50,
    20,
    'queue.bind',
    { queue: 'q', exchange: 'nova', routingKey: 'notifications.*', noWait: false, arguments: {} },
    hex`00 00 ${short('q')} ${short('nova')} ${short('notifications.*')} 00 00 00 00 00`,
  ],
  [50, 21, 'queue.bind-ok', {}, hex``],
  [
    50,
    50,
    'queue.unbind',
    { queue: 'q', exchange: 'nova', routingKey: 'k', arguments: table },
    hex`00 00 ${short('q')} ${short('nova')} ${short('k')} ${TABLE}`,
  ],
  [50, 51, 'queue.unbind-ok', {}, hex``],
  [50, 30, 'queue.purge', { queue: 'q', noWait: true }, hex`00 00 ${short('q')} 01`],
  [50, 31, 'queue.purge-ok', { messageCount: 3 }, hex`00 00 00 03`],
  [
    50,
    40,
    'queue.delete',
    { queue: 'q', ifUnused: false, ifEmpty: true, noWait: true },
    hex`00 00 ${short('q')} 06`,
  ],
  [50, 41, 'queue.delete-ok', { messageCount: 0 }, hex`00 00 00 00`],
  [60, 10, 'basic.qos', { prefetchSize: 0, prefetchCount: 65_535, global: true }, hex`00 00 00 00 ff ff 01`],
  [60, 11, 'basic.qos-ok', {}, hex``],
  [
    60,
    20,
    'basic.consume',
    {
      queue: 'q',
      consumerTag: 't',
      noLocal: false,
      noAck: true,
      exclusive: true,
      noWait: false,
      arguments: table,
    },
    hex`00 00 ${short('q')} ${short('t')} 06 ${TABLE}`,
  ],
  [60, 21, 'basic.consume-ok', { consumerTag: 't' }, short('t')],
  [60, 30, 'basic.cancel', { consumerTag: 't', noWait: true }, hex`${short('t')} 01`],
  [60, 31, 'basic.cancel-ok', { consumerTag: '' }, hex`00`],
  [
    60,
    40,
    'basic.publish',
    { exchange: '', routingKey: 'q', mandatory: true, immediate: false },
    hex`00 00 00 ${short('q')} 01`,
  ],
  [
    60,
    50,
    'basic.return',
    { replyCode: 312, replyText: 'NO_ROUTE', exchange: 'nova', routingKey: 'k' },
    hex`01 38 ${short('NO_ROUTE')} ${short('nova')} ${short('k')}`,
  ],
  [
    60,
    60,
    'basic.deliver',
    {
      consumerTag: 't',
      deliveryTag: 9_007_199_254_740_991,
      redelivered: true,
      exchange: 'nova',
      routingKey: 'k',
    },
    hex`${short('t')} 00 1f ff ff ff ff ff ff 01 ${short('nova')} ${short('k')}`,
  ],
  [60, 70, 'basic.get', { queue: 'q', noAck: true }, hex`00 00 ${short('q')} 01`],
  [
    60,
    71,
    'basic.get-ok',
    { deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'q', messageCount: 7 },
    hex`00 00 00 00 00 00 00 01 00 00 ${short('q')} 00 00 00 07`,
  ],
  [60, 72, 'basic.get-empty', {}, hex`00`],
  [60, 80, 'basic.ack', { deliveryTag: 0, multiple: true }, hex`00 00 00 00 00 00 00 00 01`],
  [60, 90, 'basic.reject', { deliveryTag: 4_294_967_296, requeue: true }, hex`00 00 00 01 00 00 00 00 01`],
  [60, 100, 'basic.recover-async', { requeue: true }, hex`01`],
  [60, 110, 'basic.recover', { requeue: false }, hex`00`],
  [60, 111, 'basic.recover-ok', {}, hex``],
  [
    60,
    120,
    'basic.nack',
    { deliveryTag: 2, multiple: false, requeue: true },
    hex`00 00 00 00 00 00 00 02 02`,
  ],
  [85, 10, 'confirm.select', { noWait: true }, hex`01`],
  [85, 11, 'confirm.select-ok', {}, hex``],
  [90, 10, 'tx.select', {}, hex``],
  [90, 11, 'tx.select-ok', {}, hex``],
  [90, 20, 'tx.commit', {}, hex``],
  [90, 21, 'tx.commit-ok', {}, hex``],
  [90, 30, 'tx.rollback', {}, hex``],
  [90, 31, 'tx.rollback-ok', {}, hex``],
]

/** Calls with the name and its own arguments: the types of a union of vectors do not say that they belong together. */
const encode = ([, , name, args]: Vector): Buffer =>
  written((writer) => encodeMethod(writer, name, args as MethodArguments[typeof name]))

const frame = ([classId, methodId, , , payload]: Vector): Buffer => {
  const ids = Buffer.alloc(4)
  ids.writeUInt16BE(classId, 0)
  ids.writeUInt16BE(methodId, 2)
  return Buffer.concat([ids, payload])
}

test('66 methods of 8 classes, each with its ids', () => {
  const codes = Object.fromEntries(VECTORS.map(([classId, id, name]) => [name, classId * 65_536 + id]))
  expect(METHOD_CODES).toEqual(codes)
  expect(VECTORS).toHaveLength(66)
  expect(new Set(Object.values(METHOD_CODES)).size).toBe(66)
  expect(new Set(VECTORS.map(([classId]) => classId))).toEqual(new Set([10, 20, 30, 40, 50, 60, 85, 90]))
  for (const [name, code] of Object.entries(METHOD_CODES)) expect(methodName(code)).toBe(name)
  expect(methodName(0x0028_0029)).toBeUndefined()
})

test('four methods carry content', () => {
  expect(CONTENT_METHODS).toEqual(new Set(['basic.publish', 'basic.return', 'basic.deliver', 'basic.get-ok']))
})

test('what is answered is sent by the side that does not answer', () => {
  expect(new Set(Object.keys(METHOD_SENDERS))).toEqual(new Set(Object.keys(METHOD_CODES)))
  const both = Object.entries(METHOD_SENDERS).filter(([, sender]) => sender === 'both')
  expect(new Set(both.map(([name]) => name))).toEqual(
    new Set([
      'connection.close',
      'connection.close-ok',
      'channel.flow',
      'channel.flow-ok',
      'channel.close',
      'channel.close-ok',
      'basic.cancel',
      'basic.cancel-ok',
      'basic.ack',
      'basic.nack',
    ]),
  )
  for (const [name, sender] of Object.entries(METHOD_SENDERS)) {
    if (sender === 'both' || !name.endsWith('-ok')) continue
    const request = name.startsWith('basic.get') ? 'basic.get' : name.slice(0, -'-ok'.length)
    expect([name, sender]).toEqual([
      name,
      METHOD_SENDERS[request as MethodName] === 'client' ? 'server' : 'client',
    ])
  }
})

describe.each(VECTORS.map((vector) => [`${vector[0]}.${vector[1]} ${vector[2]}`, vector] as const))(
  '%s',
  (_, vector) => {
    const [, , name, args] = vector
    const whole = frame(vector)

    test('is written as the specification says', () => {
      expect(encode(vector)).toEqual(whole)
    })

    test('is read back', () => {
      const reader = reading(whole)
      expect(decodeMethod(reader)).toStrictEqual({ name, args })
      expect(reader.left).toBe(0)
      expect(decodeArguments(reading(whole.subarray(4)), name)).toStrictEqual(args)
    })

    test('is refused when it is cut anywhere, or longer', () => {
      for (let length = 0; length < whole.length; length++) {
        expect(() => decodeMethod(reading(whole.subarray(0, length)))).toThrow(ProtocolError)
      }
      expect(() => decodeMethod(reading(Buffer.concat([whole, hex`00`])))).toThrow(
        `${name} has 1 bytes too many`,
      )
    })
  },
)

describe('bits', () => {
  const BITS: readonly (readonly [MethodName, readonly string[]])[] = VECTORS.map(
    ([, , name, args]) =>
      [
        name,
        Object.entries(args)
          .filter(([, value]) => typeof value === 'boolean')
          .map(([field]) => field),
      ] as const,
  )

  test.each(BITS.filter(([, fields]) => fields.length > 0))(
    'of %s: each has a place of its own',
    (name, fields) => {
      const vector = VECTORS.find((candidate) => candidate[2] === name) as Vector
      const encodings = new Set<string>()
      for (let mask = 0; mask < 1 << fields.length; mask++) {
        const args = {
          ...vector[3],
          ...Object.fromEntries(fields.map((field, at) => [field, (mask & (1 << at)) !== 0])),
        }
        const encoded = encode([vector[0], vector[1], name, args, vector[4]] as unknown as Vector)
        expect(decodeMethod(reading(encoded))).toStrictEqual({ name, args })
        encodings.add(encoded.toString('hex'))
      }
      expect(encodings.size).toBe(1 << fields.length)
    },
  )

  test('that no field has are ignored', () => {
    expect(decodeMethod(reading(hex`00 14 00 14 fe`))).toStrictEqual({
      name: 'channel.flow',
      args: { active: false },
    })
    expect(decodeMethod(reading(hex`00 14 00 14 ff`)).args).toStrictEqual({ active: true })
  })
})

test('reserved fields are ignored, whatever stands in them', () => {
  expect(decodeMethod(reading(hex`00 0a 00 28 01 2f 03 61 62 63 ff`)).args).toStrictEqual({
    virtualHost: '/',
  })
  expect(decodeMethod(reading(hex`00 14 00 0b 00 00 00 02 61 62`)).args).toStrictEqual({})
  expect(decodeMethod(reading(hex`00 32 00 1e ff ff 01 71 00`)).args).toStrictEqual({
    queue: 'q',
    noWait: false,
  })
  expect(() => decodeMethod(reading(hex`00 14 00 0b ff ff ff ff 61`))).toThrow(ProtocolError)
})

test('a long string is given as text or as bytes', () => {
  const asText = written((writer) => encodeMethod(writer, 'connection.secure-ok', { response: 'é' }))
  expect(asText).toEqual(hex`00 0a 00 15 00 00 00 02 c3 a9`)
})

test.each([
  [hex`00 28 00 29`, '40.41'],
  [hex`00 00 00 00`, '0.0'],
  [hex`ff ff ff ff`, '65535.65535'],
])('unknown methods are named by their ids: %o', (ids, name) => {
  expect(() => decodeMethod(reading(ids))).toThrow(`unknown method ${name}`)
  expect(() => decodeMethod(reading(ids))).toThrow(ProtocolError)
})

test('the generated file is what its generator writes', () => {
  const root = new URL('../../../../../', import.meta.url)
  const fresh = execFileSync(process.execPath, ['scripts/generate-amqp-methods.mjs', '--print'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(readFileSync(new URL('packages/amqp/src/wire/generated/methods.ts', root), 'utf8')).toBe(fresh)
})

import { readFileSync } from 'node:fs'
import type { FieldTable, FieldValue } from '@hermod/amqp'
import { PROTOCOL_HEADER, writeProperties } from '@hermod/amqp/wire'
import { frameBytes, methodBytes } from '@hermod/testkit'
import fc from 'fast-check'
import { writeTable } from '../../packages/amqp/src/wire/field-table.ts'
import { frameOf, nestedTable } from './hostile-broker.ts'
import { basicProperties, fieldTable, fieldValue } from './wire-arbitraries.ts'

/*
 * Frames of clients, from the table of methods that the codec is generated from: most of them as a client of good will
 * sends them, about names that meet each other, and some with one thing wrong.
 */

interface Specification {
  readonly classes: Readonly<
    Record<
      string,
      {
        readonly id: number
        readonly methods: Readonly<
          Record<
            string,
            { readonly id: number; readonly sentBy: string; readonly arguments: Record<string, string> }
          >
        >
      }
    >
  >
}

const specification = JSON.parse(
  readFileSync(new URL('../../packages/amqp/spec/amqp-0-9-1.json', import.meta.url), 'utf8'),
) as Specification

const number = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  if (bytes > 6) buffer.writeBigUInt64BE(BigInt(value))
  else buffer.writeUIntBE(value, 0, bytes)
  return buffer
}

const shortString = (text: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(text as string)
  return Buffer.concat([number(1, Math.min(bytes.length, 255)), bytes.subarray(0, 255)])
}

const longString = (bytes: Uint8Array): Buffer => Buffer.concat([number(4, bytes.length), bytes])

const tableBytes = (table: FieldTable): Buffer => frameBytes((writer) => writeTable(writer, table))

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const queueNames = oneOf('q0', 'q1', 'q2', 'q3', '', 'amq.rabbitmq.reply-to')
const exchangeNames = oneOf('x0', 'x1', 'x2', 'x3', '', 'amq.topic', 'amq.headers')
const keys = oneOf('q0', 'q1', 'q2', 'a', 'a.b', '#', '*.b.#', '')

const exchange = oneOf('x0', 'x1', 'x2', '', 'missing')
const few = fc.nat(3)

const KNOWN_ARGUMENTS = {
  'x-message-ttl': oneOf(0, 0, 1, 50),
  'x-expires': oneOf(1, 60_000),
  'x-max-length': few,
  'x-max-length-bytes': oneOf(0, 10, 1000),
  'x-overflow': oneOf('drop-head', 'reject-publish', 'reject-publish-dlx', 'none'),
  'x-dead-letter-exchange': exchange,
  'x-dead-letter-routing-key': fc.oneof(
    { weight: 9, arbitrary: keys },
    { weight: 1, arbitrary: oneOf('k'.repeat(255), 'k'.repeat(256)) },
  ),
  'x-dead-letter-strategy': oneOf('at-least-once', 'at-most-once'),
  'x-max-priority': oneOf(0, 3, 255),
  'x-queue-type': oneOf('classic', 'quorum', 'stream', 'round'),
  'x-single-active-consumer': fc.boolean(),
  'x-delivery-limit': few,
  'x-max-age': oneOf('1s', '1Y', 'x'),
  'x-priority': fc.integer({ min: -2, max: 2 }),
  'x-stream-offset': fc.oneof(few, oneOf('first', 'last', 'next', '1h')),
  'x-match': oneOf('any', 'all', 'all-with-x', 'some'),
  'alternate-exchange': exchange,
  a: few,
}

/** Arguments that something is done with. */
const knownArguments: fc.Arbitrary<FieldTable> = fc.record(KNOWN_ARGUMENTS, {
  requiredKeys: [],
  noNullPrototype: true,
})

/** Headers that the broker reads, writes, or gives a meaning to. */
const KNOWN_HEADERS = ['CC', 'BCC', 'x-death', 'x-delivery-count', 'x-stream-offset', 'x-first-death-queue']

/** Names that mean something, with a value of any type. */
const mistyped: fc.Arbitrary<FieldTable> = fc.dictionary(
  oneOf(...Object.keys(KNOWN_ARGUMENTS), ...KNOWN_HEADERS),
  fieldValue,
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
)

const orAnything = (value: fc.Arbitrary<FieldValue>): fc.Arbitrary<FieldValue> =>
  fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fieldValue })

/** A history that a publisher made up. */
const deaths: fc.Arbitrary<FieldTable> = fc.record({
  'x-death': fc.array(
    orAnything(
      fc.record(
        {
          queue: orAnything(oneOf('q0', 'q1', 'q2')),
          reason: orAnything(oneOf('expired', 'rejected', 'maxlen', 'delivery_limit')),
          count: orAnything(few),
          exchange: orAnything(exchange),
          'routing-keys': orAnything(fc.array(keys, { maxLength: 2 })),
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    ),
    { maxLength: 4 },
  ),
})

/** Most frames have few of them: a queue with all kinds of arguments is refused. */
const someArguments: fc.Arbitrary<FieldTable> = fc
  .tuple(knownArguments, fc.nat(3))
  .map(([table, most]) => Object.fromEntries(Object.entries(table).slice(0, most)))

/** By the name of the argument: values that mean something here. */
const SENSIBLE: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  queue: queueNames.map(shortString),
  exchange: exchangeNames.map(shortString),
  source: exchangeNames.map(shortString),
  destination: exchangeNames.map(shortString),
  'routing-key': keys.map(shortString),
  'consumer-tag': oneOf('c0', 'c1', 'c2', '').map(shortString),
  type: oneOf('direct', 'fanout', 'topic', 'headers').map(shortString),
  'delivery-tag': fc.nat(6).map((tag) => number(8, tag)),
  'prefetch-count': few.map((count) => number(2, count)),
  'prefetch-size': fc.constant(number(4, 0)),
  arguments: fc.oneof(
    { weight: 3, arbitrary: fc.constant(number(4, 0)) },
    { weight: 3, arbitrary: someArguments.map(tableBytes) },
    { weight: 1, arbitrary: mistyped.map(tableBytes) },
  ),
  'client-properties': fc.constant(tableBytes({ capabilities: { consumer_cancel_notify: true } })),
  mechanism: oneOf('PLAIN', 'AMQPLAIN').map(shortString),
  response: fc.constant(longString(Buffer.from('\0guest\0guest'))),
  'virtual-host': fc.constant(shortString('/')),
  'channel-max': oneOf(2047, 2, 0).map((most) => number(2, most)),
  'frame-max': oneOf(131_072, 4096, 0, 4095).map((most) => number(4, most)),
  heartbeat: fc.constant(number(2, 0)),
}

const octets = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes))

/** Tables that cost more than they look. */
const bomb: fc.Arbitrary<Buffer> = fc.oneof(
  oneOf(7, 8, 9, 31, 32, 33, 63, 64, 65, 580, 10_000).map(nestedTable),
  // Values of no width, in a table and in an array.
  oneOf(255, 257, 4095, 4097, 30_000).map((count) => longString(Buffer.from('\u0000V'.repeat(count)))),
  oneOf(255, 4097, 60_000).map((count) =>
    longString(Buffer.concat([Buffer.from('\u0001aA'), longString(Buffer.alloc(count, 'V'))])),
  ),
  // Arrays of arrays.
  oneOf(31, 33, 2000).map((depth) => {
    let array = Buffer.alloc(0)
    for (let level = 0; level < depth; level++) array = Buffer.concat([Buffer.from('A'), longString(array)])
    return longString(Buffer.concat([shortString('a'), array]))
  }),
  oneOf('__proto__', 'constructor', 'toString', 'hasOwnProperty').map((name) =>
    longString(Buffer.concat([shortString(name), Buffer.from('F'), nestedTable(1)])),
  ),
  // The same name again and again, and none.
  oneOf('x-match', '').map((name) =>
    longString(
      Buffer.concat(Array.from({ length: 100 }, () => [shortString(name), Buffer.from('t\u0001')]).flat()),
    ),
  ),
  oneOf(0xffff_ffff, 0x7fff_ffff, 5, 131_073).map((length) => number(4, length)),
  octets(60).map(longString),
)

const WILD: Readonly<Record<string, fc.Arbitrary<Buffer>>> = {
  octet: octets(1),
  bit: octets(1),
  short: oneOf(0, 1, 0x7fff, 0xffff).map((value) => number(2, value)),
  long: oneOf(0, 1, 4095, 4096, 0x7fff_ffff, 0xffff_ffff).map((value) => number(4, value)),
  'delivery-tag': fc.oneof(
    oneOf(0, 2 ** 31, 2 ** 32, 2 ** 53 - 1).map((tag) => number(8, tag)),
    fc.constant(Buffer.alloc(8, 0xff)),
    fc.constant(Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0])),
  ),
  shortstr: fc.oneof(
    octets(255).map(shortString),
    oneOf('\r\n', '\0', '__proto__', 'k'.repeat(255), `amq.${'x'.repeat(251)}`).map(shortString),
    // A length that lies.
    fc.constant(number(1, 255)),
    fc.constant(Buffer.alloc(0)),
  ),
  longstr: fc.oneof(
    octets(80).map(longString),
    oneOf('\0', '\0\0', '\0guest', '\0guest\0guest\0', 'guest\0guest\0guest').map((text) =>
      longString(Buffer.from(text)),
    ),
    oneOf(0xffff_ffff, 0x8000_0000, 9000).map((length) => number(4, length)),
    fieldTable.map(tableBytes),
  ),
  table: fc.oneof(fieldTable.map(tableBytes), knownArguments.map(tableBytes), bomb),
}

const kindOf = (type: string): string => type.replace('reserved-', '')

const plainly = (name: string, type: string): fc.Arbitrary<Buffer> => {
  if (type.startsWith('reserved-')) return fc.constant(Buffer.alloc(kindOf(type) === 'short' ? 2 : 1))
  return SENSIBLE[name] ?? (WILD[kindOf(type)] as fc.Arbitrary<Buffer>)
}

interface Field {
  readonly plain: fc.Arbitrary<Buffer>
  readonly wild: fc.Arbitrary<Buffer>
}

/** The fields of a method, its bits together as they travel. */
function fieldsOf(types: Readonly<Record<string, string>>): readonly Field[] {
  const fields: Field[] = []
  let bits = false
  for (const [name, type] of Object.entries(types)) {
    const bit = kindOf(type) === 'bit'
    if (bit && bits) continue
    // The first flag is `passive` where there is one, and rarely set.
    const plain = bit
      ? oneOf(0, 0, 0, 1, 2, 4, 8, 16, 6).map((flags) => number(1, flags))
      : plainly(name, type)
    fields.push({ plain, wild: WILD[kindOf(type)] as fc.Arbitrary<Buffer> })
    bits = bit
  }
  return fields
}

/** A method's payload, and perhaps one of its fields wild, missing, or more than there should be. */
function payloadOf(
  code: Buffer,
  types: Readonly<Record<string, string>>,
  wild: boolean,
): fc.Arbitrary<Buffer> {
  const fields = fieldsOf(types)
  const plain = fc
    .tuple(...fields.map((field) => field.plain))
    .map((parts) => Buffer.concat([code, ...parts]))
  if (!wild) return plain
  const broken = fields.map((_, at) =>
    fc
      .tuple(...fields.map((field, other) => (other === at ? field.wild : field.plain)))
      .map((parts) => Buffer.concat([code, ...parts])),
  )
  const cut = fc
    .tuple(plain, fc.nat(20))
    .map(([bytes, less]) => bytes.subarray(0, Math.max(0, bytes.length - less)))
  const longer = fc.tuple(plain, octets(20)).map((parts) => Buffer.concat(parts))
  return fc.oneof(...broken, cut, longer)
}

const methods = Object.entries(specification.classes).flatMap(([className, { id: classId, methods: own }]) =>
  Object.entries(own).map(([methodName, { id, sentBy, arguments: types }]) => ({
    name: `${className}.${methodName}`,
    className,
    fromClient: sentBy !== 'server',
    code: Buffer.concat([number(2, classId), number(2, id)]),
    types,
  })),
)

/** Channels that are there, and that are not. */
const channel: fc.Arbitrary<number> = fc.oneof(
  { weight: 40, arbitrary: oneOf(1, 1, 2) },
  { weight: 1, arbitrary: oneOf(0, 3, 2047, 2048, 65_535) },
)

const methodFrames = (
  chosen: (method: (typeof methods)[number]) => boolean,
  wild: boolean,
): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      channel,
      fc.oneof(...methods.filter(chosen).map(({ code, types }) => payloadOf(code, types, wild))),
    )
    .map(([number_, payload]) => frameOf(1, number_, payload))

const OF_CONNECTIONS: ReadonlySet<string> = new Set(['connection', 'channel'])

/** What clients do all day, but for publishing. */
const usualMethod = methodFrames(
  ({ className, fromClient, name }) =>
    fromClient && !OF_CONNECTIONS.has(className) && name !== 'basic.publish' && name !== 'basic.cancel-ok',
  false,
)
const channelMethod = methodFrames(
  ({ className, fromClient }) => fromClient && className === 'channel',
  false,
)
const wildMethod = methodFrames(({ fromClient }) => fromClient, true)
const anyMethod = methodFrames(() => true, true)

const knownProperties = fc.record(
  {
    headers: fc.oneof(
      someArguments,
      mistyped,
      deaths,
      fc.record(
        { CC: fc.array(keys, { maxLength: 3 }), BCC: fc.array(keys, { maxLength: 2 }) },
        { requiredKeys: [] },
      ),
    ),
    expiration: oneOf('0', '1', '50', '', '-1', '1.5', '4294967296'),
    priority: oneOf(0, 1, 9, 255),
    replyTo: oneOf('amq.rabbitmq.reply-to', 'q0', 'amq.rabbitmq.reply-to.forged'),
    userId: oneOf('guest', 'guest', 'other'),
    deliveryMode: oneOf(1, 2),
  },
  { requiredKeys: [] },
)

const propertyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(Buffer.alloc(2)) },
  {
    weight: 4,
    arbitrary: knownProperties.map((all) => frameBytes((writer) => writeProperties(writer, all))),
  },
  {
    weight: 1,
    arbitrary: basicProperties.map((all) => frameBytes((writer) => writeProperties(writer, all))),
  },
)

/** Properties that are none: flags that say more than there is, bombs for headers, noise. */
const wildPropertyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  octets(40),
  oneOf(0x0001, 0x0003, 0xffff, 0xfffe, 0x8000, 0x0002).map((flags) => number(2, flags)),
  bomb.map((table) => Buffer.concat([number(2, 0x2000), table])),
)

const header = (size: bigint, properties: Buffer, classId = 60, weight = 0): Buffer => {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(classId)
  head.writeUInt16BE(weight, 2)
  head.writeBigUInt64BE(size, 4)
  return Buffer.concat([head, properties])
}

const publishMethod = methodFrames(({ name }) => name === 'basic.publish', false)

/** A whole message, its body in one frame or in several. */
const message: fc.Arbitrary<Buffer> = fc
  .tuple(publishMethod, propertyBytes, oneOf(0, 0, 1, 10, 5000), fc.nat(3))
  .map(([method, properties, size, cuts]) => {
    const on = method.readUInt16BE(1)
    const frames = [method, frameOf(2, on, header(BigInt(size), properties))]
    const most = Math.max(1, Math.ceil(size / (cuts + 1)))
    for (let at = 0; at < size; at += most)
      frames.push(frameOf(3, on, Buffer.alloc(Math.min(most, size - at), 'b')))
    return Buffer.concat(frames)
  })

const sizes = oneOf(0n, 1n, 5n, 5000n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 16_777_217n)

/** A part of a message, or one that lies about itself. */
const brokenMessage: fc.Arbitrary<Buffer> = fc.oneof(
  publishMethod,
  fc
    .tuple(publishMethod, wildPropertyBytes)
    .map(([method, bytes]) => Buffer.concat([method, frameOf(2, method.readUInt16BE(1), header(0n, bytes))])),
  fc
    .tuple(channel, sizes, propertyBytes, oneOf(60, 60, 60, 10, 0), oneOf(0, 0, 0, 1))
    .map(([on, size, bytes, classId, weight]) => frameOf(2, on, header(size, bytes, classId, weight))),
  fc.tuple(channel, oneOf(0, 1, 5, 6, 4088, 4089)).map(([on, size]) => frameOf(3, on, Buffer.alloc(size))),
  fc.tuple(channel, octets(20)).map(([on, bytes]) => frameOf(2, on, bytes)),
)

/** What is no frame at all, or none that a client sends. */
const brokenFrame: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(fc.nat(255), channel, octets(30)).map(([type, on, bytes]) => frameOf(type, on, bytes)),
  octets(30),
  oneOf(131_064, 131_065, 131_072, 131_073, 131_081, 0x7fff_ffff, 0xffff_ffff).map((size) =>
    Buffer.concat([Buffer.from([1, 0, 1]), number(4, size), Buffer.alloc(12)]),
  ),
  oneOf(131_063, 131_064, 131_065, 131_072, 131_073).map((size) => frameOf(3, 1, Buffer.alloc(size))),
  fc.constant(Buffer.from([1, 0, 1, 0, 0, 0, 4, 0, 20, 0, 10, 0xcf])),
  fc.constant(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  fc.constant(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc])),
  fc.constant(Buffer.from(PROTOCOL_HEADER)),
)

/** One step of a client that mostly behaves. */
export const step: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 30, arbitrary: usualMethod },
  { weight: 30, arbitrary: message },
  { weight: 2, arbitrary: channelMethod },
  { weight: 1, arbitrary: wildMethod },
  { weight: 1, arbitrary: anyMethod },
  { weight: 1, arbitrary: brokenMessage },
  { weight: 1, arbitrary: brokenFrame },
)

/** One thing that is wrong. */
export const wrong: fc.Arbitrary<Buffer> = fc.oneof(wildMethod, anyMethod, brokenMessage, brokenFrame)

const startOk = methodBytes(0, 'connection.start-ok', {
  clientProperties: { capabilities: { consumer_cancel_notify: true, 'connection.blocked': true } },
  mechanism: 'PLAIN',
  response: '\0guest\0guest',
  locale: 'en_US',
})

/** The handshake of a client that behaves, frame by frame. */
export const handshake: readonly Buffer[] = [
  Buffer.from(PROTOCOL_HEADER),
  startOk,
  methodBytes(0, 'connection.tune-ok', { channelMax: 2047, frameMax: 131_072, heartbeat: 0 }),
  methodBytes(0, 'connection.open', { virtualHost: '/' }),
]

/** The same, and two channels, one of them with confirms. */
export const opening: readonly Buffer[] = [
  ...handshake,
  methodBytes(1, 'channel.open', {}),
  methodBytes(2, 'channel.open', {}),
  methodBytes(2, 'confirm.select', { noWait: true }),
]

/** Any of the methods of a handshake, with anything wrong in it, on channel 0. */
export const handshakeStep: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...handshake.slice(1)) },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        ...methods
          .filter(({ className, fromClient }) => fromClient && className === 'connection')
          .map(({ code, types }) => payloadOf(code, types, true)),
      )
      .map((payload) => frameOf(1, 0, payload)),
  },
  { weight: 1, arbitrary: wrong },
)

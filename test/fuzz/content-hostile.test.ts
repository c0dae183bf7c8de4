import { brotliCompressSync, constants, deflateSync } from 'node:zlib'
import {
  type BasicProperties,
  type Connection,
  Consumer,
  DEFAULT_SERIALIZERS,
  type Message,
  Producer,
  Queue,
  richJsonSerializer,
  type Serializer,
  SimpleQueue,
} from '@hermod/amqp'
import { isHermodError } from '@hermod/kernel'
import { type BrokerLink, contentBytes, eventually, methodBytes, ScriptedBroker } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  frameOf,
  headerFrame,
  heapBytes,
  longestTurnMs,
  nestedTable,
  settledOurs,
  strayErrors,
} from './hostile-broker.ts'
import { search, TIMEOUT_MS } from './search.ts'
import { basicProperties } from './wire-arbitraries.ts'

const MIB = 1 << 20
/** What may come of a body here. */
const MOST_BYTES = 4 * MIB

/** One that somebody brings, with faults. */
const faulty: Serializer = {
  name: 'faulty',
  contentType: 'application/x-faulty',
  contentEncoding: 'binary',
  encode: () => {
    throw new TypeError('of the serializer')
  },
  decode: (body) => {
    if (body.length % 2 === 0) throw new TypeError('of the serializer')
    return body.length
  },
}

const ACCEPT = ['json', 'text', 'raw', 'faulty']
const serializers = DEFAULT_SERIALIZERS.with(richJsonSerializer).with(faulty)

/** A broker that has one queue and delivers into it what it is given. */
class Deliverer {
  readonly broker: ScriptedBroker = new ScriptedBroker()
  #channel = 0
  #tag = ''
  #count = 0
  #link: BrokerLink | undefined

  constructor() {
    this.broker.on('basic.consume', ({ channel, args }, link) => {
      this.#channel = channel
      this.#tag = args.consumerTag
      this.#link = link
    })
  }

  /** What was delivered so far. */
  get count(): number {
    return this.#count
  }

  deliver(body: Uint8Array | string, properties: BasicProperties): void {
    const deliveryTag = ++this.#count
    const args = { consumerTag: this.#tag, deliveryTag, redelivered: false, exchange: '', routingKey: 'q' }
    this.#link?.raw(contentBytes(this.#channel, 'basic.deliver', args, properties, body))
  }

  /** Delivers a message whose property list is these bytes. */
  deliverRaw(propertyList: Uint8Array, body: string): void {
    const deliveryTag = ++this.#count
    const args = { consumerTag: this.#tag, deliveryTag, redelivered: false, exchange: '', routingKey: 'q' }
    const bytes = Buffer.from(body)
    const parts = [
      methodBytes(this.#channel, 'basic.deliver', args),
      headerFrame(this.#channel, BigInt(bytes.length), propertyList),
      frameOf(3, this.#channel, bytes),
    ]
    this.#link?.raw(Buffer.concat(parts))
  }

  /** The tags that were acked, and those that were rejected, each as often as it was. */
  settled(): { readonly acked: readonly number[]; readonly rejected: readonly number[] } {
    const acked: number[] = []
    let settledTo = 0
    const rejected = this.broker.link.all('basic.reject').map(({ args }) => args.deliveryTag)
    for (const { args } of this.broker.link.all('basic.ack')) {
      if (args.multiple) {
        for (let tag = settledTo + 1; tag < args.deliveryTag; tag++)
          if (!rejected.includes(tag) && !acked.includes(tag)) acked.push(tag)
        settledTo = args.deliveryTag
      }
      acked.push(args.deliveryTag)
    }
    return { acked, rejected }
  }
}

const LABELS = [
  'application/json',
  'text/plain',
  'application/data',
  'application/octet-stream',
  'application/x-faulty',
  'application/x-faulty',
  'APPLICATION/JSON',
  'application/x-python-serialize',
  '__proto__',
  'constructor',
  'json',
  '',
  '\u001b[2J',
  'x'.repeat(255),
] as const

const CHARSETS = [
  'utf-8',
  'UTF_8',
  'us-ascii',
  'latin-1',
  'utf-16',
  'utf-16be',
  'utf-7',
  'base64',
  'rot13',
  'iso-2022-kr',
  'gb18030',
  'toString',
  '__proto__',
  'binary',
  '\u0000',
  'klingon'.repeat(30),
] as const

const COMPRESSIONS = [
  'application/x-gzip',
  'gzip',
  'application/x-brotli',
  'application/zstd',
  'application/x-bz2',
  '__proto__',
  'constructor',
  '',
  null,
  5,
  {},
  [],
  true,
] as const

const TAGGED = fc
  .tuple(
    fc.constantFrom('datetime', 'bytes', 'base64', 'date', 'time', 'decimal', 'uuid', '__proto__', 5, null),
    fc.oneof(
      fc.constantFrom<unknown>('', '2026-02-30', '-1', '=', '1e999999999', 'nan', null, [], { hex: 5 }),
      fc.constantFrom<unknown>({ hex: 'f'.repeat(32) }, { hex: 'g'.repeat(32) }, '2026-01-01T00:00+99:99'),
      fc.string({ unit: 'binary', maxLength: 30 }),
    ),
  )
  .map(([type, value]) => ({ __type__: type, __value__: value }))

const nest = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth)

const bodies: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.constantFrom(
      '{"__proto__":{"x":1},"a":[{"constructor":1}]}',
      '{"a":1,"a":2}',
      '1',
      '"\\ud800"',
      'nul',
    ),
    fc.integer({ min: 1, max: 3000 }).map((depth) => nest(depth, '[', ']')),
    fc.integer({ min: 1, max: 3000 }).map((depth) => nest(depth, '{"a":', '}')),
    fc.integer({ min: 1, max: 60 }).map((depth) => nest(depth, '{"__type__":"bytes","__value__":', '}')),
    fc.array(TAGGED, { maxLength: 4 }).map((tags) => JSON.stringify(tags)),
    fc.json(),
    fc.uint8Array({ maxLength: 60 }),
  )
  .map((body) => Buffer.from(body as Uint8Array))

const compressedBody: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: bodies },
  { weight: 2, arbitrary: bodies.map((body) => deflateSync(body)) },
  { weight: 2, arbitrary: bodies.map((body) => brotliCompressSync(body)) },
  // What is damaged in the middle, or ends too early.
  {
    weight: 1,
    arbitrary: fc.tuple(bodies, fc.nat(), fc.boolean()).map(([body, at, cuts]) => {
      const bytes = deflateSync(body)
      bytes.writeUInt8((bytes.readUInt8(at % bytes.length) ^ 0x55) & 0xff, at % bytes.length)
      return cuts ? bytes.subarray(0, at % bytes.length) : bytes
    }),
  },
)

interface Content {
  readonly body: Buffer
  readonly properties: BasicProperties
}

const content: fc.Arbitrary<Content> = fc
  .tuple(
    compressedBody,
    basicProperties,
    fc.option(fc.constantFrom(...LABELS), { nil: undefined }),
    fc.option(fc.constantFrom(...CHARSETS), { nil: undefined }),
    fc.option(fc.constantFrom(...COMPRESSIONS), { nil: undefined }),
    fc.option(fc.constantFrom('', 'amq.rabbitmq.reply-to', '\u0000', 'q'.repeat(255)), { nil: undefined }),
  )
  .map(([body, properties, contentType, contentEncoding, compression, replyTo]) => ({
    body,
    properties: {
      ...properties,
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentEncoding === undefined ? {} : { contentEncoding }),
      ...(replyTo === undefined ? {} : { replyTo }),
      headers: { ...properties.headers, ...(compression === undefined ? {} : { compression }) },
    },
  }))

const last: Content = { body: Buffer.from('"last"'), properties: { contentType: 'application/json' } }

/** What one reader of messages has done with them. */
interface Reading {
  /** Resolves when the message `last` was read. */
  readonly done: Promise<void>
  read: number
  refused: number
  close(): Promise<void>
}

type Reader = (connection: Connection) => Promise<Reading>

const OPTIONS = { accept: ACCEPT, serializers, maxDecompressedBytes: MOST_BYTES }

const readers: { readonly [name: string]: Reader } = {
  'a consumer with a handler': async (connection) => {
    const producer = new Producer(connection)
    const reading = { read: 0, refused: 0 }
    let finish = (): void => {}
    const done = new Promise<void>((resolve) => (finish = resolve))
    const consumer = new Consumer(
      connection,
      new Queue('q'),
      async (body, message) => {
        reading.read++
        // An answer to whatever asks for one: it leaves, or is refused with an error of ours.
        await settledOurs(producer.reply(message, body))
        if (body === 'last') finish()
      },
      { ...OPTIONS, settle: 'auto', prefetchCount: 1000 },
    )
    consumer.on('decode-error', ({ error }) => {
      if (!isHermodError(error) || error.message.length > 500) throw new RangeError(String(error))
      reading.refused++
    })
    await consumer.start()
    const close = async (): Promise<void> => {
      await consumer.drain()
      await producer.close()
    }
    return Object.assign(reading, { done, close })
  },
  'a loop': async (connection) => {
    const reading = { read: 0, refused: 0 }
    const consumer = new Consumer(connection, new Queue('q'), undefined, { ...OPTIONS, prefetchCount: 1000 })
    consumer.on('decode-error', () => void reading.refused++)
    const messages = consumer.messages()
    await consumer.start()
    const work = async (): Promise<void> => {
      for await (const { body, message } of messages) {
        reading.read++
        message.ack()
        if (body === 'last') return
      }
    }
    return Object.assign(reading, { done: work(), close: () => consumer.close() })
  },
  'a simple queue': async (connection) => {
    const reading = { read: 0, refused: 0 }
    const jobs = new SimpleQueue(connection, 'q', { ...OPTIONS, ackOnGet: true, prefetchCount: 1000 })
    jobs.on('decode-error', () => void reading.refused++)
    const work = async (): Promise<void> => {
      for await (const { body } of jobs) {
        reading.read++
        if (body === 'last') return
      }
    }
    const done = work()
    await eventually(async () => (await connection.queueStatus('q')) !== undefined)
    return Object.assign(reading, { done, close: () => jobs.close() })
  },
}

describe('hostile contents', () => {
  it.each(Object.entries(readers))(
    'are read or refused by %s, each once, and the next one is read',
    { timeout: TIMEOUT_MS },
    async (_, reader) => {
      const property = fc.asyncProperty(
        fc.array(content, { minLength: 20, maxLength: 60 }),
        async (contents) => {
          const stray = await strayErrors(async () => {
            const deliverer = new Deliverer()
            const connection = await deliverer.broker.connect()
            const reading = await reader(connection)
            await deliverer.broker.link.method('basic.consume')
            for (const { body, properties } of [...contents, last]) deliverer.deliver(body, properties)
            await reading.done
            await reading.close()
            expect(reading.read + reading.refused).toBe(deliverer.count)
            await connection.close()
            const { acked, rejected } = deliverer.settled()
            expect(acked).toHaveLength(reading.read)
            expect(rejected).toHaveLength(reading.refused)
            expect(new Set([...acked, ...rejected]).size).toBe(deliverer.count)
          })
          expect(stray).toEqual([])
          expect(({} as { x?: unknown }).x).toBeUndefined()
        },
      )
      await fc.assert(property, search(0.25))
    },
  )
})

const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }

/** A body of JSON that is so large when it is decompressed. */
const bombOf = (bytes: number, how: 'zlib' | 'brotli'): Content => {
  const plain = Buffer.alloc(bytes, 0x20)
  plain[0] = plain[bytes - 1] = 0x22
  return {
    body: how === 'zlib' ? deflateSync(plain) : brotliCompressSync(plain, QUICK),
    properties: {
      contentType: 'application/json',
      headers: { compression: how === 'zlib' ? 'application/x-gzip' : 'application/x-brotli' },
    },
  }
}

describe('decompression bombs', () => {
  const COUNT = 40

  /** Delivers many bombs that are just small enough to be read. */
  async function bombed(
    start: (connection: Connection) => Promise<unknown>,
    how: 'zlib' | 'brotli',
  ): Promise<{ readonly deliverer: Deliverer; readonly connection: Connection; readonly heldBytes: number }> {
    const deliverer = new Deliverer()
    const connection = await deliverer.broker.connect()
    await start(connection)
    await deliverer.broker.link.method('basic.consume')
    const bomb = bombOf(MOST_BYTES, how)
    const before = heapBytes()
    for (let n = 0; n < COUNT; n++) deliverer.deliver(bomb.body, bomb.properties)
    const { delivered } = connection.stats()
    await eventually(() => connection.stats().delivered >= delivered + COUNT, { timeoutMs: 60_000 })
    return { deliverer, connection, heldBytes: heapBytes() - before }
  }

  it.each(['zlib', 'brotli'] as const)('of %s wait as they came, not as they will be', async (how) => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const seen: Message[] = []
    const { connection, deliverer, heldBytes } = await bombed(async (on) => {
      const consumer = new Consumer(
        on,
        new Queue('q'),
        async (body, message) => {
          expect(body).toHaveLength(MOST_BYTES - 2)
          seen.push(message)
          await held
        },
        { ...OPTIONS, settle: 'auto', concurrency: 2, prefetchCount: COUNT },
      )
      await consumer.start()
    }, how)
    // Two are being worked on; all of them would be 160 MiB.
    expect(seen).toHaveLength(2)
    expect(heldBytes).toBeLessThan(64 * MIB)
    release()
    await eventually(() => deliverer.settled().acked.length === COUNT, { timeoutMs: 60_000 })
    await connection.close()
  })

  it.each<readonly [string, (connection: Connection) => Promise<() => Promise<unknown>>]>([
    [
      'a loop',
      async (connection) => {
        const consumer = new Consumer(connection, new Queue('q'), undefined, OPTIONS)
        const messages = consumer.messages()
        await consumer.start()
        return async () => (await messages.next()).value
      },
    ],
    [
      'a simple queue',
      async (connection) => {
        const jobs = new SimpleQueue(connection, 'q', OPTIONS)
        const first = jobs.get()
        return () => first
      },
    ],
  ])('wait for %s as they came', async (_, reader) => {
    let next: () => Promise<unknown> = () => Promise.resolve()
    const { connection, heldBytes } = await bombed(async (on) => (next = await reader(on)), 'brotli')
    expect(heldBytes).toBeLessThan(64 * MIB)
    expect(await next()).toHaveProperty('body.length', MOST_BYTES - 2)
    await connection.close()
  })

  it.each(['zlib', 'brotli'] as const)(
    'of %s that are too large cost no more than the limit',
    async (how) => {
      const errors: unknown[] = []
      const deliverer = new Deliverer()
      const connection = await deliverer.broker.connect()
      const consumer = new Consumer(connection, new Queue('q'), () => {}, { ...OPTIONS, settle: 'auto' })
      consumer.on('decode-error', ({ error }) => void errors.push(error.cause))
      await consumer.start()
      const bomb = bombOf(16 * MOST_BYTES, how)
      const before = heapBytes()
      const longest = await longestTurnMs(async () => {
        for (let n = 0; n < 10; n++) deliverer.deliver(bomb.body, bomb.properties)
        deliverer.deliver(last.body, last.properties)
        await deliverer.broker.link.method('basic.ack')
      })
      // It was noticed before they were unfolded.
      expect(errors).toEqual(
        Array.from({ length: 10 }, () => expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' })),
      )
      expect(heapBytes() - before).toBeLessThan(16 * MIB)
      expect(longest).toBeLessThan(5000)
      await connection.close()
    },
  )
})

describe('properties that are no properties', () => {
  it('make a message unreadable, and harm no other', async () => {
    const stray = await strayErrors(async () => {
      const deliverer = new Deliverer()
      const connection = await deliverer.broker.connect()
      const errors: string[] = []
      const consumer = new Consumer(connection, new Queue('q'), () => {}, { ...OPTIONS, settle: 'auto' })
      consumer.on('decode-error', ({ error }) => void errors.push(error.code))
      await consumer.start()
      const lists = [
        Buffer.alloc(90, 0xff),
        Buffer.alloc(1),
        Buffer.concat([Buffer.from([0x20, 0]), nestedTable(9000)]),
        Buffer.from([0x80, 0, 255, 1]),
      ]
      for (const list of lists) deliverer.deliverRaw(list, '1')
      deliverer.deliver(last.body, last.properties)
      await deliverer.broker.link.method('basic.ack')
      expect(errors).toEqual(lists.map(() => 'E_PROTOCOL'))
      expect(deliverer.settled()).toEqual({ acked: [5], rejected: [1, 2, 3, 4] })
      await connection.close()
    })
    expect(stray).toEqual([])
  })
})

import {
  Connection,
  ContentReader,
  DEFAULT_SERIALIZERS,
  Producer,
  richJsonSerializer,
  RichJsonValue,
  type Channel,
  type ContentOptions,
  type Message,
  type ProducerPublishOptions,
} from '@hermod/amqp'
import {
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { msgpack } from './msgpack.ts'

const gate = needs(findBroker('administer'), findPython(['kombu', 'msgpack', 'yaml']))
const QUEUE = 'content'
const ALL = ['json', 'text/plain', 'application/data', 'application/x-msgpack', 'application/x-yaml']
const serializers = DEFAULT_SERIALIZERS.with(msgpack)

describe.skipIf(gate.skip)(`bodies that kombu writes and reads${gate.note}`, () => {
  let broker: BrokerFixture
  let kombu: PythonPeer
  let connection: Connection
  let channel: Channel
  let producer: Producer
  beforeAll(async () => {
    broker = await startBroker()
    kombu = startPeer('kombu_content', { url: broker.url })
  })
  afterAll(async () => {
    await kombu?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
    await channel.declareQueue(QUEUE)
    await channel.purgeQueue(QUEUE)
    producer = new Producer(connection, { routingKey: QUEUE, serializers })
  })
  afterEach(() => connection?.close())

  const fromKombu = async (what: object, options: object = {}): Promise<Message> => {
    await kombu.ask({ do: 'publish', queue: QUEUE, ...what, options })
    return (await channel.get(QUEUE, { noAck: true })) as Message
  }
  const read = (message: Message, options: ContentOptions = {}): unknown =>
    new ContentReader({ accept: ['json', 'text', 'raw'], ...options }).read(message)
  const labels = ({ properties }: Message): unknown[] => [
    properties.contentType,
    properties.contentEncoding,
    properties.headers?.['compression'],
  ]

  it.each<[string, object, unknown, object]>([
    ['an object', { value: { a: [1, null, 'é', 1.5] } }, { a: [1, null, 'é', 1.5] }, {}],
    ['text', { value: 'é' }, 'é', {}],
    ['text as JSON', { value: 'é' }, 'é', { serializer: 'json' }],
    ['bytes', { python: "b'\\xff\\x00'" }, Buffer.from([0xff, 0]), {}],
    ['bytes as raw', { python: "b'\\xff\\x00'" }, Buffer.from([0xff, 0]), { serializer: 'raw' }],
    ['an object, compressed', { value: { a: 1 } }, { a: 1 }, { compression: 'gzip' }],
    ['text, compressed under another name', { value: 'é' }, 'é', { compression: 'zlib' }],
  ])('labels %s as kombu does, and reads what the other wrote', async (_, what, value, options) => {
    const theirs = await fromKombu(what, options)
    expect(read(theirs)).toEqual(value)
    await producer.publish(value, options)
    const ours = (await channel.get(QUEUE, { noAck: true })) as Message
    expect(labels(ours)).toEqual(labels(theirs))
    expect(read(ours)).toEqual(value)
    await producer.publish(value, options)
    const expected = Buffer.isBuffer(value)
      ? { type: 'bytes', text: value.toString('base64') }
      : typeof value === 'string'
        ? { type: 'str', text: value }
        : { type: 'dict' }
    expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ALL })).toMatchObject(expected)
  })

  it.each<[string, string, unknown]>([
    ['infinities', '[1e999, -1e999]', [Infinity, -Infinity]],
    ['integers beyond 2^53', '{"n": 123456789012345678901234567890}', { n: 123456789012345678901234567890n }],
  ])('reads %s, which kombu writes into JSON', async (_, python, value) => {
    expect(read(await fromKombu({ python }, { serializer: 'json' }))).toEqual(value)
  })

  it('has its long integers read by kombu', async () => {
    await producer.publish({ n: 2n ** 70n })
    expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ['json'] })).toMatchObject({
      text: `{"n": ${2n ** 70n}}`,
    })
  })

  it("reads text that kombu's raw serializer labels as data", async () => {
    const message = await fromKombu({ value: 'é' }, { serializer: 'raw' })
    expect(labels(message)).toEqual(['application/data', 'utf-8', undefined])
    expect(read(message)).toBe('é')
  })

  it('reads and writes the character sets that the label names', async () => {
    const options = { content_type: 'text/plain', content_encoding: 'latin-1' }
    expect(read(await fromKombu({ value: 'é\u0080' }, options))).toBe('é\u0080')
    for (const contentEncoding of ['latin-1', 'utf-16', 'utf-8']) {
      await producer.publish('é\u0080', { contentType: 'text/plain', contentEncoding })
      expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ALL })).toMatchObject({ text: 'é\u0080' })
    }
  })

  it('reads and writes MessagePack, once somebody brings it', async () => {
    const value = { a: [1, true, null], text: 'é' }
    const message = await fromKombu({ value }, { serializer: 'msgpack' })
    expect(read(message, { serializers, accept: ['msgpack'] })).toEqual(value)
    await producer.publish(value, { serializer: 'msgpack' })
    expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ALL })).toMatchObject({
      type: 'dict',
      content_type: message.properties.contentType,
      content_encoding: message.properties.contentEncoding,
    })
  })

  it.each(['yaml', 'pickle'])('refuses %s, as kombu does by default', async (serializer) => {
    const message = await fromKombu({ value: {} }, { serializer })
    expect(() => read(message)).toThrow(expect.objectContaining({ code: 'E_CONTENT' }))
  })

  it.each(['bzip2', 'lzma'])('says that it cannot read %s', async (compression) => {
    const message = await fromKombu({ value: {} }, { compression })
    expect(() => read(message)).toThrow(expect.objectContaining({ code: 'E_DECODE' }))
  })

  it('refuses more than kombu does: bytes where only JSON is accepted', async () => {
    const value = Buffer.from('bytes')
    await producer.publish(value)
    expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ['json'] })).toMatchObject({ type: 'bytes' })
    await producer.publish('text')
    expect(await kombu.ask({ do: 'get', queue: QUEUE, accept: ['json'] })).toEqual({
      refused: 'ContentDisallowed',
    })
    const message = await fromKombu({ python: "b'bytes'" })
    expect(() => read(message, { accept: ['json'] })).toThrow(expect.objectContaining({ code: 'E_CONTENT' }))
  })

  describe('rich JSON', () => {
    const rich = { serializers: DEFAULT_SERIALIZERS.with(richJsonSerializer) }

    const id = '6ba7b810-9dad-41d1-80b4-00c04fd430c8'

    it.each<[string, object, object]>([
      [
        'datetime 2026-02-03T04:05:06',
        { at: '2026-02-03T04:05:06' },
        { at: new Date('2026-02-03T04:05:06Z') },
      ],
      ['decimal 1.50', { price: '1.50' }, { price: RichJsonValue.decimal('1.50') }],
      [`uuid ${id}`, { id }, { id: RichJsonValue.uuid(id) }],
    ])(
      'reads %s, which older versions of kombu write as text and newer ones with a tag',
      async (python, ...values) => {
        expect(values).toContainEqual(read(await fromKombu({ python }), rich))
      },
    )

    it('writes tags that a newer kombu makes values of, and an older one leaves as they are', async () => {
      const publisher = new Producer(connection, { routingKey: QUEUE, ...rich })
      await publisher.publish({ price: RichJsonValue.decimal('1.50') })
      const { text } = await kombu.ask({ do: 'get', queue: QUEUE, accept: ['json'] })
      expect(['{"price": {"__type__": "decimal", "__value__": "1.50"}}', '{"price": "1.50"}']).toContain(text)
    })
  })

  it('has every property arrive', async () => {
    const options: ProducerPublishOptions = {
      headers: { 'x-n': 1, 'x-text': 'é' },
      priority: 3,
      expirationMs: 60_000,
      deliveryMode: 'transient',
      replyTo: 'answers',
      correlationId: 'c',
      messageId: 'm',
      timestamp: new Date('2026-02-03T04:05:06Z'),
      type: 't',
      userId: 'guest',
      appId: 'app',
    }
    await producer.publish({}, options)
    const { properties, headers } = await kombu.ask({ do: 'get', queue: QUEUE, accept: ['json'] })
    expect(headers).toEqual(options.headers)
    expect(properties).toMatchObject({
      priority: '3',
      expiration: '60000',
      delivery_mode: '1',
      reply_to: 'answers',
      correlation_id: 'c',
      message_id: 'm',
      type: 't',
      user_id: 'guest',
      app_id: 'app',
    })
  })
})

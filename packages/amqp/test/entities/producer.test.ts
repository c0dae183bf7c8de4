import { inflateSync } from 'node:zlib'
import { type ReceivedPublish, ScriptedBroker, SILENT } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DEFAULT_SERIALIZERS,
  Exchange,
  Producer,
  Queue,
  richJsonSerializer,
  type BasicProperties,
  type Connection,
  type ProducerEvents,
  type ProducerOptions,
} from '../../src/index.ts'
import { bodies, fates, turns } from '../client/outcomes.ts'
import { receivedMessage } from './received-message.ts'

const notFound = { replyCode: 404, replyText: "NOT_FOUND - no exchange 'x'", classId: 60, methodId: 40 }
const mismatch = { replyCode: 406, replyText: 'PRECONDITION_FAILED', classId: 40, methodId: 10 }

describe('Producer', () => {
  let broker: ScriptedBroker
  let connection: Connection
  let producer: Producer

  beforeEach(async () => {
    broker = new ScriptedBroker()
    connection = await broker.connect()
  })
  afterEach(() => connection.close())

  const make = (options: ProducerOptions = {}): Producer => (producer = new Producer(connection, options))
  const sent = async (count: number): Promise<readonly ReceivedPublish[]> => {
    await broker.link.published(count)
    return broker.link.publishes
  }
  const methods = (): string[] => broker.link.methods.map(({ name }) => name).slice(4)
  const present = (properties: BasicProperties = {}): BasicProperties =>
    Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined))

  it('does nothing before it is used', async () => {
    make({ exchange: new Exchange('x') })
    await turns()
    expect(methods()).toEqual([])
    await producer.close()
    expect(methods()).toEqual([])
  })

  it('serialises, labels and confirms', async () => {
    make({ exchange: 'x', routingKey: 'key' })
    await producer.publish({ a: 1 })
    await producer.publish('text')
    await producer.publish(Buffer.from([0xff]), { routingKey: 'other', exchange: 'y' })
    const [json, text, raw] = await sent(3)
    expect(json).toMatchObject({ exchange: 'x', routingKey: 'key', mandatory: false })
    expect(String(json?.body)).toBe('{"a":1}')
    expect(present(json?.properties)).toEqual({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      deliveryMode: 2,
    })
    expect(text?.properties.contentType).toBe('text/plain')
    expect(raw).toMatchObject({ exchange: 'y', routingKey: 'other' })
    expect(raw?.properties).toMatchObject({ contentType: 'application/data', contentEncoding: 'binary' })
    expect(producer.stats()).toEqual({ published: 3, confirmed: 3, failed: 0, returned: 0, bytes: 12 })
  })

  it('writes every property, the message’s own before the producer’s', async () => {
    const timestamp = new Date('2026-01-02T03:04:05Z')
    make({ properties: { headers: { a: 1, b: 1 }, appId: 'app', type: 'old', priority: 1 } })
    await producer.publish(null, {
      headers: { b: 2, c: 2 },
      priority: 9,
      expirationMs: 1500,
      deliveryMode: 'transient',
      replyTo: new Queue('answers'),
      correlationId: 'c',
      messageId: 'm',
      timestamp,
      type: 'new',
      userId: 'user',
      compression: 'gzip',
    })
    const [message] = await sent(1)
    expect(present(message?.properties)).toEqual({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: { a: 1, b: 2, c: 2, compression: 'application/x-gzip' },
      priority: 9,
      expiration: '1500',
      deliveryMode: 1,
      replyTo: 'answers',
      correlationId: 'c',
      messageId: 'm',
      timestamp,
      type: 'new',
      userId: 'user',
      appId: 'app',
    })
    expect(inflateSync(message?.body as Buffer).toString()).toBe('null')
  })

  it('takes the delivery mode of the exchange that the message goes to', async () => {
    make({ exchange: new Exchange('x', 'direct', { deliveryMode: 'transient' }) })
    await producer.publish(1)
    await producer.publish(1, { exchange: 'named' })
    await producer.publish(1, { exchange: new Exchange('y') })
    await producer.publish(1, { deliveryMode: 'persistent' })
    const modes = (await sent(4)).map(({ properties }) => properties.deliveryMode)
    expect(modes).toEqual([1, 1, 2, 2])
  })

  it('uses the serializers and the compression that it was given', async () => {
    make({
      serializers: DEFAULT_SERIALIZERS.with(richJsonSerializer),
      serializer: 'json',
      compression: 'brotli',
    })
    await producer.publish('text')
    await producer.publish(new Date(0), { compression: 'zlib' })
    await producer.publish('a,b', { contentType: 'text/csv' })
    const [text, date, csv] = await sent(3)
    expect(text?.properties.headers).toEqual({ compression: 'application/x-brotli' })
    expect(inflateSync(date?.body as Buffer).toString()).toContain('__type__')
    expect(csv?.properties.contentType).toBe('text/csv')
    expect(() => make({ serializer: 'pickle', compression: 'lzma' })).toThrow(
      expect.objectContaining({
        code: 'E_CONFIG',
        issues: [expect.stringContaining('pickle'), expect.stringContaining('lzma')],
      }),
    )
  })

  describe('what cannot be sent', () => {
    it.each<[string, unknown, object, string]>([
      ['a value without a JSON form', () => {}, {}, 'E_ENCODE'],
      ['an unknown serializer', {}, { serializer: 'pickle' }, 'E_ENCODE'],
      ['an unknown compression', {}, { compression: 'lzma' }, 'E_ENCODE'],
      ['a negative expiration', {}, { expirationMs: -1 }, 'E_CONFIG'],
      ['half a millisecond', {}, { expirationMs: 0.5 }, 'E_CONFIG'],
      ['a reply queue without a name', {}, { replyTo: new Queue('') }, 'E_CONFIG'],
      ['a priority that no octet holds', {}, { priority: 256 }, 'E_FIELD'],
    ])('rejects %s, counts and reports it, and sends the next one', async (_, body, options, code) => {
      make({ exchange: 'x' })
      const failures: ProducerEvents['publish-failed'][] = []
      producer.on('publish-failed', (event) => failures.push(event))
      expect(await fates([producer.publish(body, options), producer.publish('next')])).toEqual([code, 'ok'])
      expect(failures).toMatchObject([{ error: { code }, exchange: 'x', routingKey: '' }])
      expect(producer.stats()).toMatchObject({ published: 2, confirmed: 1, failed: 1 })
    })

    it('ends no process that awaits nothing', async () => {
      make({ exchange: new Exchange('x') })
      broker.on('exchange.declare', ({ channel }, link) => {
        link.send(channel, 'channel.close', mismatch)
        return SILENT
      })
      void producer.publish(() => {})
      void producer.publish('refused')
      void producer.publish('cancelled', { signal: AbortSignal.abort(new Error('enough')) })
      while (producer.stats().failed < 3) await turns(1)
      // An unhandled rejection would fail the run by now.
      await turns()
      expect(producer.stats()).toMatchObject({ published: 3, failed: 3 })
    })
  })

  describe('declaring', () => {
    const jobs = new Exchange('jobs', 'topic')

    it('declares once what messages need, on a channel of its own, before the first of them', async () => {
      make({ exchange: jobs, declare: [new Queue('audit', { exchange: jobs, routingKey: '#' })] })
      await Promise.all([1, 2, 3].map((body) => producer.publish(body)))
      await producer.publish(4, { exchange: new Exchange('jobs', 'topic') })
      await sent(4)
      const declarations = broker.link.methods.filter(({ name }) => /declare|bind/.test(name))
      expect(declarations.map(({ name }) => name)).toEqual([
        'exchange.declare',
        'exchange.declare',
        'queue.declare',
        'queue.bind',
      ])
      const [publish] = broker.link.publishes
      expect(declarations.map(({ channel }) => channel)).not.toContain(publish?.channel)
      expect(bodies(broker.link.publishes)).toEqual(['1', '2', '3', '4'])
    })

    it('declares neither names nor, without autoDeclare, exchanges', async () => {
      make({ exchange: jobs, autoDeclare: false })
      await producer.publish(1)
      await producer.publish(1, { exchange: 'named' })
      expect(methods()).not.toContain('exchange.declare')
    })

    it('tells two of one name and other properties apart, so that the broker can refuse the second', async () => {
      make({ exchange: jobs })
      await producer.publish(1)
      broker.on('exchange.declare', ({ args, channel }, link) => {
        if (args.type === 'topic') return undefined
        link.send(channel, 'channel.close', mismatch)
        return SILENT
      })
      const other = producer.publish(2, { exchange: new Exchange('jobs', 'fanout') })
      await expect(other).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
      await producer.publish(3)
      expect(bodies(broker.link.publishes)).toEqual(['1', '3'])
    })

    it('tries again what was refused', async () => {
      make({ exchange: jobs })
      broker.on('exchange.declare', ({ channel }, link) => {
        broker.off('exchange.declare')
        link.send(channel, 'channel.close', mismatch)
        return SILENT
      })
      expect(await fates([producer.publish(1)])).toEqual(['E_CHANNEL'])
      expect(await fates([producer.publish(2)])).toEqual(['ok'])
    })

    it('declares each time what may vanish by itself', async () => {
      make({ declare: [new Queue('short', { expiresMs: 10 }), new Queue('loose', { autoDelete: true })] })
      await producer.publish(1)
      await producer.publish(2)
      expect(methods().filter((name) => name === 'queue.declare')).toHaveLength(4)
    })

    it('declares anew when the exchange turns out to be gone', async () => {
      make({ exchange: jobs })
      await producer.publish(1)
      broker.onPublish = ({ channel }, link) => {
        broker.onPublish = () => {}
        link.send(channel, 'channel.close', notFound)
        return SILENT
      }
      expect(await fates([producer.publish(2)])).toEqual(['E_CHANNEL'])
      await producer.publish(3)
      expect(methods().filter((name) => name === 'exchange.declare')).toHaveLength(2)
    })

    it('keeps the order of the calls, whatever each of them waits for', async () => {
      make()
      const slow: (() => void)[] = []
      broker.on('queue.declare', ({ channel, args }, link) => {
        if (args.queue !== 'slow') return undefined
        slow.push(() =>
          link.send(channel, 'queue.declare-ok', { queue: 'slow', messageCount: 0, consumerCount: 0 }),
        )
        return SILENT
      })
      const all = [
        producer.publish(1),
        producer.publish(2, { declare: [new Queue('slow')] }),
        producer.publish(3),
        producer.publish(4, { declare: [new Queue('slow')] }),
        producer.publish(() => {}),
      ]
      await sent(1)
      await turns()
      expect(bodies(broker.link.publishes)).toEqual(['1'])
      all.push(producer.publish(5))
      slow[0]?.()
      expect(await fates(all)).toEqual(['ok', 'ok', 'ok', 'ok', 'E_ENCODE', 'ok'])
      expect(bodies(broker.link.publishes)).toEqual(['1', '2', '3', '4', '5'])
    })

    it('gives up a message that waits, by time or by signal, and goes on with the others', async () => {
      make()
      let answer = (): void => {}
      broker.on('queue.declare', ({ channel }, link) => {
        answer = () =>
          link.send(channel, 'queue.declare-ok', { queue: 'q', messageCount: 0, consumerCount: 0 })
        return SILENT
      })
      const declare = [new Queue('q')]
      const reason = new Error('enough')
      const controller = new AbortController()
      const late = producer.publish(1, { declare, timeoutMs: 20 })
      const behind = producer.publish(2, { timeoutMs: 10 })
      const cancelled = producer.publish(3, { signal: controller.signal })
      const patient = producer.publish(4, { timeoutMs: 60_000 })
      controller.abort(reason)
      await expect(cancelled).rejects.toBe(reason)
      expect(await fates([late, behind])).toEqual(['E_TIMEOUT', 'E_TIMEOUT'])
      answer()
      await patient
      expect(bodies(broker.link.publishes)).toEqual(['4'])
    })
  })

  it('counts what came back', async () => {
    make({ mandatory: true })
    broker.onPublish = (publish, link) => {
      if (publish.routingKey === 'nowhere') link.giveBack(publish)
    }
    expect(await fates([producer.publish(1, { routingKey: 'nowhere' }), producer.publish(2)])).toEqual([
      'E_UNROUTABLE',
      'ok',
    ])
    expect(await fates([producer.publish(3, { mandatory: false })])).toEqual(['ok'])
    expect(producer.stats()).toMatchObject({ published: 3, confirmed: 2, failed: 1, returned: 1 })
  })

  it('sends an uncertain message again only where it is told to', async () => {
    make({ resend: true })
    broker.onPublish = () => SILENT
    const again = producer.publish('again')
    const once = producer.publish('once', { resend: false })
    await sent(2)
    broker.onPublish = () => {}
    broker.link.end()
    expect(await fates([again, once])).toEqual(['ok', 'E_UNCERTAIN'])
    expect(bodies((await broker.linked(1)).publishes)).toEqual(['again'])
  })

  describe('reply', () => {
    const request = { contentType: 'text/plain', replyTo: 'answers', correlationId: 'c7' }

    it('goes to the queue that the message names, in its serializer and under its correlation id', async () => {
      make({ exchange: 'elsewhere', serializer: 'json' })
      await producer.reply(receivedMessage('?', request), '!')
      await producer.reply(receivedMessage('?', request), [1], {
        serializer: 'json',
        exchange: 'x',
        correlationId: 'd',
      })
      const [first, second] = await sent(2)
      expect(first).toMatchObject({ exchange: '', routingKey: 'answers' })
      expect(first?.properties).toMatchObject({ contentType: 'text/plain', correlationId: 'c7' })
      expect(second).toMatchObject({ exchange: 'x', routingKey: 'answers' })
      expect(second?.properties).toMatchObject({ contentType: 'application/json', correlationId: 'd' })
    })

    it('rejects for a message that asks for none, or in a language that is not spoken here', async () => {
      make()
      const pickle = receivedMessage('', { ...request, contentType: 'application/x-python-serialize' })
      expect(
        await fates([producer.reply(receivedMessage('?', {}), '!'), producer.reply(pickle, '!')]),
      ).toEqual(['E_CONFIG', 'E_ENCODE'])
      expect(producer.stats()).toMatchObject({ published: 2, failed: 2 })
    })
  })

  describe('closing', () => {
    it('waits for confirms, then closes its channels, and takes no more', async () => {
      make({ exchange: new Exchange('x') })
      broker.onPublish = () => SILENT
      const first = producer.publish(1)
      await sent(1)
      let closed = false
      const closing = producer.close().then(() => (closed = true))
      expect(await fates([producer.publish(2)])).toEqual(['E_CHANNEL_CLOSED'])
      await turns()
      expect(closed).toBe(false)
      broker.link.confirm(broker.link.publishes[0]?.channel ?? 0, 1)
      await closing
      await first
      expect(methods().filter((name) => name === 'channel.close')).toHaveLength(2)
      await producer.close()
    })

    it('sends what still waits for a declaration', async () => {
      {
        await using one = new Producer(connection, { exchange: new Exchange('x') })
        void one.publish('waits')
      }
      expect(bodies(broker.link.publishes)).toEqual(['waits'])
    })

    it('gives up after its time, and what is unconfirmed rejects', async () => {
      make()
      broker.onPublish = () => SILENT
      const first = producer.publish(1)
      await sent(1)
      await producer.close({ timeoutMs: 10 })
      expect(await fates([first])).toEqual(['E_UNCERTAIN'])
    })

    it('rejects what is published when the connection is over', async () => {
      make({ exchange: new Exchange('x') })
      await producer.publish(1)
      await connection.close()
      expect(await fates([producer.publish(2), make().publish(3)])).toEqual([
        'E_CHANNEL_CLOSED',
        'E_CONN_CLOSED',
      ])
      await producer.close()
    })
  })
})

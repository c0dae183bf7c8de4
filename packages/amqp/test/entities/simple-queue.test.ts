import { type BrokerLink, contentBytes, nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  Exchange,
  Queue,
  SimpleBuffer,
  SimpleQueue,
  type Connection,
  type ReceivedMessage,
  type SimpleQueueEvents,
  type SimpleQueueOptions,
} from '../../src/index.ts'
import { bodies, fates, turns } from '../client/outcomes.ts'

const json = { contentType: 'application/json' }

describe('SimpleQueue', () => {
  let broker: ScriptedBroker
  let connection: Connection
  let queue: SimpleQueue

  beforeEach(async () => {
    broker = new ScriptedBroker()
    connection = await broker.connect()
  })
  afterEach(() => connection.close())

  const make = (options?: SimpleQueueOptions): SimpleQueue =>
    (queue = new SimpleQueue(connection, 'jobs', options))
  const received = (name: string, link = broker.link): Record<string, unknown>[] =>
    link.methods.filter((method) => method.name === name).map(({ args }) => args as Record<string, unknown>)
  /** The consumer that `get` started. */
  const consumer = (link: BrokerLink): { channel: number; tag: string } => {
    const consume = link.methods.find(({ name }) => name === 'basic.consume')
    const { consumerTag } = (consume?.args ?? {}) as { consumerTag?: string }
    return { channel: consume?.channel ?? 0, tag: consumerTag ?? '' }
  }
  const deliver = (
    tags: readonly number[],
    body = (tag: number): string => String(tag),
    link = broker.link,
  ): void => {
    const { channel, tag: consumerTag } = consumer(link)
    for (const deliveryTag of tags) {
      const args = { consumerTag, deliveryTag, redelivered: false, exchange: 'jobs', routingKey: 'jobs' }
      link.raw(contentBytes(channel, 'basic.deliver', args, json, body(deliveryTag)))
    }
  }
  const seen = (all: readonly (ReceivedMessage | undefined)[]): unknown[] => all.map((one) => one?.body)

  it('does nothing before it is used, and needs a name', async () => {
    make()
    await turns()
    await queue.close()
    expect(broker.link.methods.map(({ name }) => name)).not.toContain('channel.open')
    for (const unnamed of ['', new Queue('')])
      expect(() => new SimpleQueue(connection, unnamed)).toThrow(
        expect.objectContaining({ code: 'E_CONFIG' }),
      )
  })

  it('declares one name as exchange, queue and key, once, and puts there', async () => {
    make({ compression: 'gzip' })
    await queue.put({ id: 7 })
    await queue.put('text', { headers: { a: 1 } })
    expect(received('exchange.declare')).toMatchObject([
      { exchange: 'jobs', type: 'direct', durable: true, autoDelete: false },
    ])
    expect(received('queue.declare')).toMatchObject([
      { queue: 'jobs', durable: true, exclusive: false, autoDelete: false, arguments: {} },
    ])
    expect(received('queue.bind')).toMatchObject([{ queue: 'jobs', exchange: 'jobs', routingKey: 'jobs' }])
    expect(broker.link.publishes).toMatchObject([
      { exchange: 'jobs', routingKey: 'jobs', properties: { deliveryMode: 2, ...json } },
      { properties: { contentType: 'text/plain', headers: { a: 1, compression: 'application/x-gzip' } } },
    ])
  })

  it('takes a queue of another kind, and puts into its exchange or straight into it', async () => {
    const topic = new Exchange('orders', 'topic')
    const bound = new SimpleQueue(connection, new Queue('q', { exchange: topic, routingKey: 'order.new' }))
    await bound.put(1)
    await new SimpleQueue(connection, new Queue('alone')).put(2)
    expect(broker.link.publishes).toMatchObject([
      { exchange: 'orders', routingKey: 'order.new' },
      { exchange: '', routingKey: 'alone' },
    ])
  })

  it('declares a buffer as transient, and puts what may be lost', async () => {
    const buffer = new SimpleBuffer(connection, 'chat', { queue: { maxLength: 5 } })
    await buffer.put(1)
    expect(received('exchange.declare')).toMatchObject([{ durable: false, autoDelete: true }])
    expect(received('queue.declare')).toMatchObject([
      { durable: false, autoDelete: true, exclusive: false, arguments: { 'x-max-length': 5 } },
    ])
    expect(broker.link.publishes[0]?.properties.deliveryMode).toBe(1)
  })

  it('gives messages in order to whoever waits, longest first, and keeps the others', async () => {
    make({ prefetchCount: 7 })
    const waiting = [queue.get(), queue.get()]
    await broker.link.method('basic.consume')
    expect(received('basic.qos')).toMatchObject([{ prefetchCount: 7 }])
    deliver([1, 2, 3, 4])
    expect(seen(await Promise.all(waiting))).toEqual([1, 2])
    const third = await queue.get({ timeoutMs: 1000 })
    expect(seen([third, await queue.getNow()])).toEqual([3, 4])
    expect(third.message.state).toBe('received')
    expect(third.message.ack()).toBe(true)
  })

  it('asks the broker when there is nothing here, and gives nothing when it has nothing', async () => {
    make()
    expect(await queue.getNow()).toBeUndefined()
    broker.on('basic.get', ({ channel }, link) => {
      const args = {
        deliveryTag: 1,
        redelivered: false,
        exchange: 'jobs',
        routingKey: 'jobs',
        messageCount: 0,
      }
      link.raw(contentBytes(channel, 'basic.get-ok', args, json, '"got"'))
      return SILENT
    })
    expect(seen([await queue.getNow()])).toEqual(['got'])
    expect(received('basic.consume')).toEqual([])
  })

  it('gives what came for the consumer while it asked first, because it is older', async () => {
    make()
    const first = queue.get()
    await broker.link.method('basic.consume')
    deliver([1])
    await first
    broker.on('basic.get', ({ channel }, link) => {
      deliver([2])
      const args = {
        deliveryTag: 3,
        redelivered: false,
        exchange: 'jobs',
        routingKey: 'jobs',
        messageCount: 0,
      }
      link.raw(contentBytes(channel, 'basic.get-ok', args, json, '3'))
      return SILENT
    })
    expect(seen([await queue.getNow(), await queue.getNow()])).toEqual([2, 3])
  })

  it('gives up by time or by signal, and loses no message by it', async () => {
    make()
    const reason = new Error('enough')
    const controller = new AbortController()
    const late = queue.get({ timeoutMs: 10 })
    const cancelled = queue.get({ signal: controller.signal })
    await expect(late).rejects.toMatchObject({
      code: 'E_TIMEOUT',
      message: "get from 'jobs' did not end within 10 ms",
    })
    await broker.link.method('basic.consume')
    deliver([1])
    controller.abort(reason)
    await expect(cancelled).rejects.toBe(reason)
    await expect(queue.get({ signal: controller.signal })).rejects.toBe(reason)
    expect(seen([await queue.get()])).toEqual([1])
  })

  it('acks what it gives where it is told to, and only that', async () => {
    make({ ackOnGet: true })
    const first = queue.get()
    await broker.link.method('basic.consume')
    deliver([1, 2])
    expect((await first).message.state).toBe('acked')
    await broker.link.method('basic.ack')
    await turns()
    expect(received('basic.ack')).toMatchObject([{ deliveryTag: 1, multiple: false }])
  })

  it('rejects what it cannot read, reports it, and gives the next', async () => {
    make()
    const errors: SimpleQueueEvents['decode-error'][] = []
    queue.on('decode-error', (event) => errors.push(event))
    const first = queue.get()
    await broker.link.method('basic.consume')
    deliver([1, 2], (tag) => (tag === 1 ? '{broken' : String(tag)))
    expect(seen([await first])).toEqual([2])
    expect(errors).toMatchObject([
      { error: { code: 'E_DECODE' }, message: { deliveryTag: 1, state: 'rejected' } },
    ])
  })

  it('counts and clears what waits at the broker and here', async () => {
    make()
    const first = queue.get()
    await broker.link.method('basic.consume')
    deliver([1, 2, 3])
    await first
    broker.on('queue.declare', ({ channel }, link) => {
      link.send(channel, 'queue.declare-ok', { queue: 'jobs', messageCount: 5, consumerCount: 1 })
      return SILENT
    })
    broker.on('queue.purge', ({ channel }, link) => {
      link.send(channel, 'queue.purge-ok', { messageCount: 5 })
      return SILENT
    })
    expect(await queue.size()).toBe(7)
    expect(await queue.clear()).toBe(7)
    expect(await queue.size()).toBe(5)
    await broker.link.method('basic.ack')
  })

  it('forgets what it held when the connection breaks: it is delivered again', async () => {
    make()
    const first = queue.get()
    await broker.link.method('basic.consume')
    deliver([1, 2, 3])
    await first
    const restored = nextEvent(connection, 'restored')
    broker.link.end()
    await restored
    const link = await broker.linked(1)
    await link.method('basic.consume')
    deliver([1, 2], (tag) => String(tag + 100), link)
    expect(seen([await queue.get(), await queue.get()])).toEqual([101, 102])
  })

  it('is a loop that ends when it is closed', async () => {
    make()
    const all: unknown[] = []
    const loop = (async () => {
      for await (const { body, message } of queue) {
        message.ack()
        all.push(body)
        if (body === 3) void queue.close()
      }
    })()
    await broker.link.method('basic.consume')
    deliver([1, 2, 3])
    await loop
    expect(all).toEqual([1, 2, 3])
  })

  it('rejects whoever waits when it or its connection is closed', async () => {
    make()
    const first = queue.get()
    await broker.link.method('basic.consume')
    await queue.close()
    await queue.close()
    const asked = [first, queue.get(), queue.getNow(), queue.size(), queue.clear(), queue.put(1)]
    expect(await fates(asked as Promise<never>[])).toEqual(
      Array.from({ length: 6 }, () => 'E_CHANNEL_CLOSED'),
    )
    const other = new SimpleQueue(connection, 'other')
    const waiting = other.get()
    await broker.link.method('basic.consume', 1)
    await turns()
    await connection.close()
    expect(await fates([waiting, other.get()] as Promise<never>[])).toEqual([
      'E_CHANNEL_CLOSED',
      'E_CHANNEL_CLOSED',
    ])
  })

  it('says that the broker refused the queue, and tries again the next time', async () => {
    make()
    broker.on('queue.declare', ({ channel }, link) => {
      broker.off('queue.declare')
      link.send(channel, 'channel.close', { replyCode: 406, replyText: 'no', classId: 50, methodId: 10 })
      return SILENT
    })
    await expect(queue.get()).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
    expect(await queue.getNow()).toBeUndefined()
    expect(bodies(broker.link.publishes)).toEqual([])
  })
})

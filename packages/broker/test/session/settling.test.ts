import { ManualClock } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { FrameClient } from '../frame-client.ts'
import { CLOSE, consumeFrom, queueNamed, SessionFixture } from './session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

const ack = (client: FrameClient, deliveryTag: number, multiple = false, channel = 1): void =>
  client.send(channel, 'basic.ack', { deliveryTag, multiple })

/** The bodies of the next deliveries, `!` for those that were delivered before. */
async function deliveries(client: FrameClient, count: number): Promise<string[]> {
  const bodies: string[] = []
  for (let i = 0; i < count; i++) {
    const { body, args } = await client.expect('basic.deliver')
    bodies.push(args['redelivered'] === true ? `${body}!` : String(body))
  }
  return bodies
}

/** How many messages are ready; also a fence: nothing else has come before the answer. */
async function ready(client: FrameClient, queue = 'q', channel = 1): Promise<unknown> {
  const { args } = await client.call(channel, 'queue.declare', queueNamed(queue, { passive: true }))
  return args['messageCount']
}

/** Where no time passes all frames of a batch have one turn, however busy the machine is. */
const unhurried = (): Promise<FrameClient> => fixture.client(fixture.broker({ clock: new ManualClock() }))

async function filled(count: number, queue = 'q'): Promise<FrameClient> {
  const client = await unhurried()
  await client.call(1, 'queue.declare', queueNamed(queue))
  for (let i = 1; i <= count; i++) client.publish(1, '', queue, String(i))
  return client
}

const qos = (prefetchCount: number, global = false) => ({ prefetchSize: 0, prefetchCount, global })

describe('prefetch', () => {
  it('holds each consumer to the limit that was set before it began', async () => {
    const client = await filled(5)
    await client.call(1, 'basic.qos', qos(2))
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    expect(await deliveries(client, 2)).toEqual(['1', '2'])
    await client.call(1, 'basic.qos', qos(1))
    expect(await ready(client)).toBe(3)
    ack(client, 2, true)
    expect(await deliveries(client, 2)).toEqual(['3', '4'])
    expect(await ready(client)).toBe(1)
  })

  it('is shared by all consumers of a channel where it is global', async () => {
    const client = await filled(5)
    await client.call(1, 'basic.qos', qos(3, true))
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    expect(await deliveries(client, 3)).toEqual(['1', '2', '3'])
    await client.call(1, 'basic.consume', consumeFrom('q', 'b'))
    expect(await ready(client)).toBe(2)
    ack(client, 1)
    expect(await deliveries(client, 1)).toEqual(['4'])
    await client.call(1, 'basic.qos', qos(0, true), 'basic.qos-ok')
    expect(await deliveries(client, 1)).toEqual(['5'])
  })

  it('means nothing to a consumer that does not ack', async () => {
    const client = await filled(5)
    await client.call(1, 'basic.qos', qos(1))
    await client.call(1, 'basic.consume', consumeFrom('q', 'a', { noAck: true }))
    expect(await deliveries(client, 5)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('that ends for several at once serves the highest priority first', async () => {
    const client = await filled(3)
    await client.call(1, 'basic.qos', qos(1, true))
    await client.call(1, 'basic.consume', consumeFrom('q', 'low', { arguments: { 'x-priority': -1 } }))
    expect(await deliveries(client, 1)).toEqual(['1'])
    await client.call(1, 'basic.consume', consumeFrom('q', 'high'))
    ack(client, 1)
    for (const body of ['2', '3']) {
      const { args, ...delivery } = await client.expect('basic.deliver')
      expect([delivery.body, args['consumerTag']]).toEqual([body, 'high'])
      ack(client, Number(args['deliveryTag']))
    }
  })
})

describe('room', () => {
  it('is there before what was refused comes round to the same queue', async () => {
    const client = await fixture.client()
    const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q' }
    await client.call(1, 'queue.declare', queueNamed('q', { arguments: dead }))
    await client.call(1, 'basic.qos', qos(1))
    await client.call(1, 'basic.consume', consumeFrom('q', 'high'))
    await client.call(1, 'basic.consume', consumeFrom('q', 'low', { arguments: { 'x-priority': -1 } }))
    client.publish(1, '', 'q', '1')
    client.publish(1, '', 'q', '2')
    expect(await deliveries(client, 2)).toEqual(['1', '2'])
    ack(client, 2)
    client.send(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    expect((await client.expect('basic.deliver')).args).toMatchObject({ consumerTag: 'high' })
  })

  it('of the channel is for the highest priority, whoever gives back', async () => {
    const client = await filled(2)
    await client.call(1, 'basic.qos', qos(1, true))
    await client.call(1, 'basic.consume', consumeFrom('q', 'low'))
    expect(await deliveries(client, 1)).toEqual(['1'])
    await client.call(1, 'basic.consume', consumeFrom('q', 'high', { arguments: { 'x-priority': 1 } }))
    client.send(1, 'basic.nack', { deliveryTag: 1, multiple: false, requeue: true })
    expect((await client.expect('basic.deliver')).args).toMatchObject({ consumerTag: 'high' })
  })

  it('is for what waits before it is for what was refused', async () => {
    const client = await fixture.client()
    const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q', 'x-max-length': 1 }
    await client.call(1, 'queue.declare', queueNamed('q', { arguments: dead }))
    await client.call(1, 'basic.qos', qos(1))
    await client.call(1, 'basic.consume', consumeFrom('q', 'c'))
    client.publish(1, '', 'q', '1')
    client.publish(1, '', 'q', '2')
    expect(await deliveries(client, 1)).toEqual(['1'])
    client.send(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    expect(await deliveries(client, 1)).toEqual(['2'])
    expect(await ready(client)).toBe(1)
  })
})

describe('settling', () => {
  it('acks one, and all up to one', async () => {
    const client = await filled(4)
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    await deliveries(client, 4)
    ack(client, 2)
    ack(client, 3, true)
    await client.call(1, 'basic.recover', { requeue: true })
    expect(await deliveries(client, 1)).toEqual(['4!'])
  })

  it('gives back to the original place', async () => {
    const client = await filled(4)
    for (let i = 0; i < 3; i++) await client.call(1, 'basic.get', { queue: 'q', noAck: false })
    client.send(1, 'basic.reject', { deliveryTag: 3, requeue: true })
    client.send(1, 'basic.nack', { deliveryTag: 2, multiple: true, requeue: true })
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    expect(await deliveries(client, 4)).toEqual(['1!', '2!', '3!', '4'])
  })

  it('drops what is rejected for good', async () => {
    const client = await filled(2)
    await client.call(1, 'basic.get', { queue: 'q', noAck: false })
    client.send(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    expect(await ready(client)).toBe(1)
  })

  it('gives everything back when the channel closes, and none of it to the channel itself', async () => {
    const client = await filled(3)
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    await deliveries(client, 3)
    await client.call(1, 'channel.close', CLOSE)
    await client.call(1, 'channel.open', {})
    expect(await ready(client)).toBe(3)
  })

  it('delivers nothing behind cancel-ok, and keeps what was delivered before it', async () => {
    const client = await filled(1)
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    await deliveries(client, 1)
    await client.call(1, 'basic.cancel', { consumerTag: 'a', noWait: false })
    client.publish(1, '', 'q', '2')
    expect(await ready(client)).toBe(1)
    ack(client, 1)
    expect(await ready(client)).toBe(1)
  })

  it('tells a consumer that its queue is gone', async () => {
    const client = await filled(0)
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    client.send(1, 'queue.delete', { queue: 'q', ifUnused: false, ifEmpty: false, noWait: false })
    await client.expect('queue.delete-ok')
    expect((await client.expect('basic.cancel')).args).toEqual({ consumerTag: 'a', noWait: true })
  })
})

describe('confirms', () => {
  it('come for many messages at once, behind the returns of those that nobody took', async () => {
    const client = await filled(0)
    await client.call(1, 'confirm.select', { noWait: false })
    client.batch(() => {
      for (let i = 0; i < 10; i++) client.publish(1, '', 'q', 'x')
      client.publish(1, '', 'nowhere', 'lost', { mandatory: true })
    })
    expect(await client.expect('basic.return')).toMatchObject({
      args: { replyCode: 312, replyText: 'NO_ROUTE', exchange: '', routingKey: 'nowhere' },
      body: 'lost',
    })
    expect((await client.expect('basic.ack')).args).toEqual({ deliveryTag: 11, multiple: true })
  })

  it('are a nack where a queue refused', async () => {
    const client = await unhurried()
    const args = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
    await client.call(1, 'queue.declare', queueNamed('q', { arguments: args }))
    await client.call(1, 'confirm.select', { noWait: false })
    client.batch(() => {
      for (let i = 0; i < 3; i++) client.publish(1, '', 'q', 'x')
    })
    expect((await client.expect('basic.ack')).args).toEqual({ deliveryTag: 1, multiple: false })
    expect((await client.expect('basic.nack')).args).toMatchObject({ deliveryTag: 3, multiple: true })
  })

  it('come before the answer to what was asked later', async () => {
    const client = await filled(0)
    await client.call(1, 'confirm.select', { noWait: false })
    client.publish(1, '', 'q', 'x')
    client.send(1, 'channel.close', CLOSE)
    expect((await client.expect('basic.ack')).args).toMatchObject({ deliveryTag: 1 })
    await client.expect('channel.close-ok')
  })
})

describe('a transaction', () => {
  it('publishes and acks at the commit', async () => {
    const client = await filled(1)
    await client.call(1, 'tx.select', {})
    await client.call(1, 'basic.get', { queue: 'q', noAck: false })
    client.publish(1, '', 'q', '2')
    client.publish(1, '', 'nowhere', '3', { mandatory: true })
    ack(client, 1)
    expect(await ready(client)).toBe(0)
    client.send(1, 'tx.commit', {})
    await client.expect('basic.return')
    await client.expect('tx.commit-ok')
    expect(await ready(client)).toBe(1)
  })

  it('takes both back at the rollback', async () => {
    const client = await filled(1)
    await client.call(1, 'tx.select', {})
    await client.call(1, 'basic.get', { queue: 'q', noAck: false })
    client.publish(1, '', 'q', '2')
    ack(client, 1)
    await client.call(1, 'tx.rollback', {})
    ack(client, 1)
    await client.call(1, 'tx.commit', {})
    expect(await ready(client)).toBe(0)
  })

  it('publishes to what has the name of the queue at the commit', async () => {
    const client = await filled(0)
    await client.call(1, 'queue.declare', queueNamed('gone'))
    await client.call(1, 'tx.select', {})
    for (const queue of ['q', 'gone']) client.publish(1, '', queue, queue, { mandatory: true })
    for (const queue of ['q', 'gone'])
      await client.call(1, 'queue.delete', { queue, ifUnused: false, ifEmpty: false, noWait: false })
    await client.call(1, 'queue.declare', queueNamed('q'))
    client.send(1, 'tx.commit', {})
    expect((await client.expect('basic.return')).body).toBe('gone')
    await client.expect('tx.commit-ok')
    expect(await ready(client)).toBe(1)
  })

  it('is forgotten with its channel, and what it had acked comes back', async () => {
    const client = await filled(1)
    await client.call(1, 'tx.select', {})
    await client.call(1, 'basic.get', { queue: 'q', noAck: false })
    ack(client, 1)
    await client.call(1, 'channel.close', CLOSE)
    await client.call(1, 'channel.open', {})
    expect(await ready(client)).toBe(1)
  })
})

describe('direct replies', () => {
  it('go to the channel that asked', async () => {
    const client = await filled(0)
    await client.call(1, 'basic.consume', consumeFrom('amq.rabbitmq.reply-to', 'r', { noAck: true }))
    client.publish(1, '', 'q', 'ask', { replyTo: 'amq.rabbitmq.reply-to', correlationId: '1' })
    const { properties } = await client.call(1, 'basic.get', { queue: 'q', noAck: true })
    const name = String(properties?.replyTo)
    expect(properties?.correlationId).toBe('1')
    expect((await client.call(1, 'queue.declare', queueNamed(name))).args).toMatchObject({ consumerCount: 1 })
    client.publish(1, '', name, 'answer')
    expect(await client.expect('basic.deliver')).toMatchObject({ args: { consumerTag: 'r' }, body: 'answer' })
    await client.call(1, 'basic.cancel', { consumerTag: 'r', noWait: false })
    client.send(1, 'queue.declare', queueNamed(name))
    expect((await client.expect('channel.close')).args).toMatchObject({ replyCode: 404 })
  })

  it('need a consumer', async () => {
    const client = await filled(0)
    client.publish(1, '', 'q', 'ask', { replyTo: 'amq.rabbitmq.reply-to' })
    expect((await client.expect('channel.close')).args).toMatchObject({
      replyText: 'PRECONDITION_FAILED - fast reply consumer does not exist',
    })
  })
})

describe('a message', () => {
  it.each([0, 1, 4087, 4088, 4089, 20_000, 300_000])('of %i bytes comes out as it went in', async (size) => {
    const client = await fixture.client(fixture.broker(), { frameMax: 4096 })
    await client.call(1, 'queue.declare', queueNamed('q'))
    await client.call(1, 'basic.consume', consumeFrom('q', 'a'))
    const body = Array.from({ length: size }, (_, index) => String.fromCharCode(33 + (index % 90))).join('')
    client.publish(1, '', 'q', body, { headers: { a: 1 }, messageId: 'm' })
    const delivered = await client.expect('basic.deliver')
    expect(delivered.body === body).toBe(true)
    expect(delivered.properties).toEqual({ headers: { a: 1 }, messageId: 'm' })
  })

  it('may be published on two channels at a time', async () => {
    const client = await filled(0)
    await client.call(2, 'channel.open', {})
    client.publish(1, '', 'q', 'one')
    client.publish(2, '', 'q', 'two')
    await client.call(2, 'basic.qos', qos(0))
    expect(await ready(client)).toBe(2)
  })
})

import { createDeferred } from '@hermod/kernel'
import {
  contentBytes,
  deliveryBytes,
  ManualClock,
  methodBytes,
  nextEvent,
  type Received,
  ScriptedBroker,
  SILENT,
} from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Channel, Connection, Message, Subscription } from '../../src/index.ts'
import { turns } from './outcomes.ts'

/** A handler that keeps what it gets. */
class Inbox {
  readonly messages: Message[] = []
  readonly take = (message: Message): void => void this.messages.push(message)

  get bodies(): string[] {
    return this.messages.map(({ body }) => String(body))
  }

  async count(wanted: number): Promise<Message[]> {
    for (let turn = 0; this.messages.length < wanted; turn++) {
      if (turn > 1000) throw new TypeError(`${this.messages.length} of ${wanted} messages came`)
      await turns(1)
    }
    return this.messages
  }
}

/** Acks as tag and multiple. */
const acks = (received: readonly Received<'basic.ack'>[]): [number, boolean][] =>
  received.map(({ args }) => [args.deliveryTag, args.multiple])

describe('a channel', () => {
  let broker: ScriptedBroker
  let clock: ManualClock
  let connection: Connection
  let channel: Channel
  let inbox: Inbox

  beforeEach(async () => {
    broker = new ScriptedBroker()
    clock = new ManualClock()
    connection = await broker.connect({ clock, operationTimeoutMs: 1000 })
    channel = await connection.openChannel()
    inbox = new Inbox()
  })
  afterEach(async () => {
    const closed = connection.close()
    await turns()
    clock.advance(5000)
    await closed
  })

  const consume = (options = {}): Promise<Subscription> => channel.consume('q', options, inbox.take)

  describe('calls', () => {
    it('are answered in the order of asking, however many are under way', async () => {
      const asked: Received<'queue.declare'>[] = []
      broker.on('queue.declare', (received) => {
        asked.push(received)
        return SILENT
      })
      const answers = ['a', 'b', 'c'].map((name) => channel.declareQueue(name))
      await broker.link.method('queue.declare', 2)
      for (const [at, { args }] of asked.entries()) {
        broker.link.send(1, 'queue.declare-ok', { queue: args.queue, messageCount: at, consumerCount: 9 })
      }
      expect((await Promise.all(answers)).map(({ queue, messageCount }) => [queue, messageCount])).toEqual([
        ['a', 0],
        ['b', 1],
        ['c', 2],
      ])
    })

    it('do not get the answer of one that nobody waits for any more', async () => {
      broker.on('queue.declare', () => SILENT)
      const controller = new AbortController()
      const late = channel.declareQueue('late', { timeoutMs: 100 })
      const aborted = channel.declareQueue('aborted', { signal: controller.signal })
      await broker.link.method('queue.declare', 1)
      controller.abort(new RangeError('enough'))
      await expect(aborted).rejects.toThrow('enough')
      clock.advance(100)
      await expect(late).rejects.toMatchObject({ code: 'E_TIMEOUT' })
      const next = channel.declareQueue('next')
      await broker.link.method('queue.declare', 2)
      for (const queue of ['late', 'aborted', 'next'])
        broker.link.send(1, 'queue.declare-ok', { queue, messageCount: 0, consumerCount: 0 })
      expect(await next).toMatchObject({ queue: 'next' })
    })

    it('fail with the words of the broker where it blames them; the others were never looked at', async () => {
      broker
        .on('queue.bind', (_, link) => {
          link.closeChannel(1, 404, "NOT_FOUND - no exchange 'x' in vhost '/'", 50, 20)
          return SILENT
        })
        .on('queue.purge', () => SILENT)
      const results = await Promise.allSettled([
        channel.declareQueue('q'),
        channel.bindQueue('q', 'x', 'k'),
        channel.purgeQueue('q'),
        channel.bindQueue('q', 'y', 'k'),
      ])
      expect(results).toMatchObject([
        { status: 'fulfilled' },
        { reason: { code: 'E_CHANNEL', replyCode: 404, method: 'queue.bind' } },
        { reason: { code: 'E_CHANNEL_CLOSED', retryable: true } },
        { reason: { code: 'E_CHANNEL_CLOSED', retryable: true } },
      ])
    })

    it('end the connection when they are answered unasked or in another order', async () => {
      const lost = nextEvent(connection, 'lost')
      broker.link.send(1, 'queue.bind-ok', {})
      expect((await lost).error).toMatchObject({ code: 'E_PROTOCOL', message: 'queue.bind-ok came unasked' })
      expect((await broker.links[0]?.method('connection.close'))?.args.replyCode).toBe(501)
    })

    it('do nothing at all for an aborted signal', async () => {
      const signal = AbortSignal.abort(new RangeError('enough'))
      await expect(channel.declareQueue('q', { signal })).rejects.toThrow('enough')
      await expect(channel.consume('q', { signal }, inbox.take)).rejects.toThrow('enough')
      await expect(channel.get('q', { signal })).rejects.toThrow('enough')
      await turns()
      expect(broker.link.methods.at(-1)?.name).toBe('channel.open')
    })

    it('wait for the next connection while there is none', async () => {
      broker.link.drop()
      await nextEvent(connection, 'lost')
      const declared = channel.declareQueue('q')
      await turns()
      clock.advance(5)
      expect(await declared).toMatchObject({ queue: 'q' })
      expect(broker.links).toHaveLength(2)
    })
  })

  describe('consuming', () => {
    it('asks for a prefetch window, then for messages, and hands each over with all that it has', async () => {
      const subscription = await consume({
        prefetchCount: 7,
        exclusive: true,
        arguments: { 'x-priority': 3 },
      })
      const { link } = broker
      expect(link.all('basic.qos')[0]?.args).toEqual({ prefetchSize: 0, prefetchCount: 7, global: false })
      expect(link.all('basic.consume')[0]?.args).toMatchObject({
        queue: 'q',
        consumerTag: subscription.consumerTag,
        noAck: false,
        exclusive: true,
        arguments: { 'x-priority': 3 },
      })
      const args = {
        consumerTag: subscription.consumerTag,
        deliveryTag: 1,
        redelivered: true,
        exchange: 'x',
        routingKey: 'k',
      }
      const properties = { headers: { n: 1 }, messageId: 'm' }
      link.raw(contentBytes(1, 'basic.deliver', args, properties, 'body'))
      const [message] = await inbox.count(1)
      expect(message).toMatchObject({ ...args, properties, state: 'received' })
      expect(String(message?.body)).toBe('body')
    })

    it('acks what was handled in one read with one frame, and at once when the window is full', async () => {
      const { consumerTag } = await consume({ prefetchCount: 100 })
      broker.link.raw(Buffer.concat([1, 2, 3, 4].map((tag) => deliveryBytes(1, consumerTag, tag, `${tag}`))))
      const [first, second, third, fourth] = await inbox.count(4)
      for (const message of [third, first, second]) expect(message?.ack()).toBe(true)
      await broker.link.method('basic.ack')
      fourth?.ack()
      await broker.link.method('basic.ack', 1)
      expect(acks(broker.link.all('basic.ack'))).toEqual([
        [3, true],
        [4, false],
      ])
    })

    it('flushes acks before a reject or a requeue, and never covers an open delivery', async () => {
      const { consumerTag } = await consume()
      broker.link.raw(Buffer.concat([1, 2, 3, 4, 5].map((tag) => deliveryBytes(1, consumerTag, tag))))
      const [one, two, three, , five] = await inbox.count(5)
      one?.ack()
      two?.reject()
      three?.requeue()
      five?.ack()
      await broker.link.method('basic.ack', 1)
      const settled = broker.link.methods.slice(-4).map(({ name, args }) => [name, args])
      expect(settled).toEqual([
        ['basic.ack', { deliveryTag: 1, multiple: false }],
        ['basic.reject', { deliveryTag: 2, requeue: false }],
        ['basic.reject', { deliveryTag: 3, requeue: true }],
        ['basic.ack', { deliveryTag: 5, multiple: false }],
      ])
    })

    it('lets a message be settled once', async () => {
      const { consumerTag } = await consume()
      broker.link.deliver(1, consumerTag, 1)
      const [message] = (await inbox.count(1)) as [Message]
      message.ack()
      for (const settle of ['ack', 'reject', 'requeue'] as const)
        expect(() => message[settle]()).toThrow('this message was acked before')
      expect(message.state).toBe('acked')
    })

    it('counts deliveries that need no ack, so that acks of others still go together', async () => {
      const silent = new Inbox()
      const { consumerTag: noAck } = await channel.consume('n', { noAck: true }, silent.take)
      const { consumerTag } = await consume()
      const frames = [1, 2, 3, 4, 5, 6].map((tag) =>
        deliveryBytes(1, tag % 2 === 0 ? noAck : consumerTag, tag),
      )
      broker.link.raw(Buffer.concat(frames))
      for (const message of await inbox.count(3)) message.ack()
      const { args } = await broker.link.method('basic.ack')
      expect(args).toEqual({ deliveryTag: 5, multiple: true })
      expect(() => silent.messages[0]?.ack()).toThrow('this message needs no settling')
      expect(silent.messages).toHaveLength(3)
    })

    it('does not let a handler that throws take other frames with it', async () => {
      const thrown: unknown[] = []
      const listeners = process.rawListeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.on('uncaughtException', (error) => thrown.push(error))
      onTestFinished(() => {
        process.removeAllListeners('uncaughtException')
        for (const listener of listeners) process.on('uncaughtException', listener as never)
      })
      const { consumerTag } = await channel.consume('q', {}, (message) => {
        inbox.take(message)
        if (message.deliveryTag === 1) throw new RangeError('a bug in a handler')
      })
      const frames = [1, 2, 3].map((tag) => deliveryBytes(1, consumerTag, tag, `${tag}`))
      const confirmed = channel.declareQueue('z')
      await broker.link.method('queue.declare')
      broker.link.raw(Buffer.concat(frames))
      await inbox.count(3)
      await confirmed
      await turns()
      expect(thrown).toEqual([new RangeError('a bug in a handler')])
      expect(connection.state).toBe('open')
    })

    it('hands nothing over after cancel, and puts back what was on its way', async () => {
      const subscription = await consume()
      broker.on('basic.cancel', (received, link) => {
        link.deliver(1, received.args.consumerTag, 1)
        link.deliver(1, received.args.consumerTag, 2)
      })
      await Promise.all([subscription.cancel(), subscription.cancel()])
      await broker.link.method('basic.reject', 1)
      expect(broker.link.all('basic.reject').map(({ args }) => args)).toEqual([
        { deliveryTag: 1, requeue: true },
        { deliveryTag: 2, requeue: true },
      ])
      expect(inbox.messages).toEqual([])
      expect(broker.link.all('basic.cancel')).toHaveLength(1)
      expect(await subscription.closed).toEqual({})
    })

    it('lets a second cancel wait for the first', async () => {
      const subscription = await consume({ noAck: true })
      broker.on('basic.cancel', () => SILENT)
      const order: string[] = []
      const both = [
        subscription.cancel().then(() => order.push('first')),
        subscription.cancel().then(() => order.push('second')),
      ]
      const { args } = await broker.link.method('basic.cancel')
      broker.link.deliver(1, args.consumerTag, 1)
      await inbox.count(1)
      expect(order).toEqual([])
      broker.link.send(1, 'basic.cancel-ok', args)
      await Promise.all(both)
      expect(order).toHaveLength(2)
    })

    it('leaves no consumer behind that nobody waited for', async () => {
      for (const name of ['basic.qos', 'basic.consume', 'basic.cancel'] as const)
        broker.on(name, () => SILENT)
      const controller = new AbortController()
      const aborted = consume({ signal: controller.signal })
      const late = consume({ timeoutMs: 100 })
      await broker.link.method('basic.consume', 1)
      controller.abort(new RangeError('enough'))
      clock.advance(100)
      await expect(aborted).rejects.toThrow('enough')
      await expect(late).rejects.toMatchObject({ code: 'E_TIMEOUT' })
      // The broker starts them all the same, and sends; only then it comes to the cancels.
      const tags = broker.link.all('basic.consume').map(({ args }) => args.consumerTag)
      for (const consumerTag of tags) {
        broker.link.send(1, 'basic.qos-ok', {})
        broker.link.send(1, 'basic.consume-ok', { consumerTag })
      }
      for (const [at, tag] of tags.entries()) broker.link.deliver(1, tag, at + 1)
      await broker.link.method('basic.cancel', 1)
      expect(broker.link.all('basic.cancel').map(({ args }) => args.consumerTag)).toEqual(tags)
      for (const consumerTag of tags) broker.link.send(1, 'basic.cancel-ok', { consumerTag })
      await broker.link.method('basic.reject', 1)
      expect(inbox.messages).toEqual([])
    })

    it('leaves nothing behind of a consumer that the broker refuses', async () => {
      broker.on('basic.consume', ({ channel: number }, link) => {
        link.closeChannel(number, 404, "NOT_FOUND - no queue 'q' in vhost '/'", 60, 20)
        return SILENT
      })
      await expect(consume()).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 404 })
      await channel.declareQueue('z') // healed
      expect(broker.link.all('basic.consume')).toHaveLength(1)
    })

    it('rejects consumer options that AMQP cannot carry', async () => {
      await expect(consume({ prefetchCount: 65_536 })).rejects.toMatchObject({ code: 'E_FIELD' })
      await expect(consume({ arguments: { x: Number.NaN } })).rejects.toMatchObject({ code: 'E_FIELD' })
      await consume()
    })
  })

  describe('get', () => {
    const got = (deliveryTag: number): Buffer =>
      contentBytes(
        1,
        'basic.get-ok',
        { deliveryTag, redelivered: false, exchange: 'x', routingKey: 'k', messageCount: 3 },
        {},
        `got ${deliveryTag}`,
      )

    it('gives a message, or none', async () => {
      expect(await channel.get('q')).toBeUndefined()
      broker.on('basic.get', (_, link) => {
        link.raw(got(1))
        return SILENT
      })
      const message = await channel.get('q')
      expect(message).toMatchObject({ consumerTag: '', deliveryTag: 1, exchange: 'x', routingKey: 'k' })
      expect(message?.ack()).toBe(true)
      expect((await broker.link.method('basic.ack')).args.deliveryTag).toBe(1)
    })

    it('acks nothing that needs no ack, and leaves no gap for the others', async () => {
      let tags = 0
      broker.on('basic.get', (_, link) => {
        link.raw(got(++tags))
        return SILENT
      })
      const messages = await Promise.all([
        channel.get('q'),
        channel.get('q', { noAck: true }),
        channel.get('q'),
      ])
      expect(messages.map((message) => String(message?.body))).toEqual(['got 1', 'got 2', 'got 3'])
      expect(() => messages[1]?.ack()).toThrow('needs no settling')
      messages[0]?.ack()
      messages[2]?.ack()
      expect((await broker.link.method('basic.ack')).args).toEqual({ deliveryTag: 3, multiple: true })
    })

    it('puts back what comes after its caller has gone', async () => {
      broker.on('basic.get', () => SILENT)
      const late = channel.get('q', { timeoutMs: 100 })
      await broker.link.method('basic.get')
      clock.advance(100)
      await expect(late).rejects.toMatchObject({ code: 'E_TIMEOUT' })
      broker.link.raw(got(1))
      expect((await broker.link.method('basic.reject')).args).toEqual({ deliveryTag: 1, requeue: true })
    })
  })

  describe('closing', () => {
    it('sends the acks that were given first, ends everything on it, and is shared', async () => {
      const subscription = await consume()
      broker.link.raw(Buffer.concat([1, 2].map((tag) => deliveryBytes(1, subscription.consumerTag, tag))))
      for (const message of await inbox.count(2)) message.ack()
      await Promise.all([channel.close(), channel.close()])
      expect(broker.link.methods.slice(-2).map(({ name }) => name)).toEqual(['basic.ack', 'channel.close'])
      expect(await channel.closed).toEqual({})
      expect(await subscription.closed).toEqual({})
      expect(channel.number).toBe(0)
      await expect(channel.declareQueue('q')).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
      await expect(channel.publish('', 'q', Buffer.alloc(0))).rejects.toMatchObject({
        code: 'E_CHANNEL_CLOSED',
      })
      expect(connection.state).toBe('open')
    })

    it('survives a broker that closes it at the same time', async () => {
      broker.on('channel.close', (_, link) => {
        link.closeChannel(1, 406, 'PRECONDITION_FAILED - unknown delivery tag 7', 60, 80)
      })
      await channel.close()
      await channel.closed
      await turns()
      expect(connection.state).toBe('open')
      const next = await connection.openChannel()
      expect(next.number).toBe(2)
    })

    it('waits for its answer no longer than an operation may take', async () => {
      broker.on('channel.close', () => SILENT)
      const closed = channel.close()
      await broker.link.method('channel.close')
      clock.advance(1000)
      await closed
      expect(await channel.closed).toEqual({})
    })
  })

  it('gives numbers to no more channels than were agreed on, and none twice', async () => {
    const small = new ScriptedBroker({ tune: { channelMax: 3 } })
    await using narrow = await small.connect()
    const channels = await Promise.all([1, 2, 3].map(() => narrow.openChannel()))
    expect(channels.map(({ number }) => number)).toEqual([1, 2, 3])
    await expect(narrow.openChannel()).rejects.toMatchObject({ code: 'E_LIMIT' })
    await channels[1]?.close()
    expect((await narrow.openChannel()).number).toBe(2)
  })

  it('ends with a LimitError of its own when a body is larger than it takes', async () => {
    const careful = new ScriptedBroker()
    await using narrow = await careful.connect({ maxBodyBytes: 10 })
    const narrowChannel = await narrow.openChannel()
    const { consumerTag } = await narrowChannel.consume('q', {}, inbox.take)
    careful.link.raw(
      Buffer.concat([
        deliveryBytes(1, consumerTag, 1, 'x'.repeat(10)),
        deliveryBytes(1, consumerTag, 2, 'x'.repeat(11)),
      ]),
    )
    const { error } = await nextEvent(narrow, 'lost')
    expect(error).toMatchObject({ code: 'E_PROTOCOL' })
    expect(inbox.messages).toHaveLength(1)
  })

  it('hands over what stands in the same read before a channel.close, and nothing after it', async () => {
    const { consumerTag } = await consume()
    const close = { replyCode: 406, replyText: 'PRECONDITION_FAILED', classId: 60, methodId: 80 }
    const third = createDeferred<void>()
    broker.on('basic.consume', ({ channel: number }) => (number === 1 ? undefined : third.resolve()))
    broker.link.raw(
      Buffer.concat([
        deliveryBytes(1, consumerTag, 1, 'before'),
        methodBytes(1, 'channel.close', close),
        deliveryBytes(1, consumerTag, 2, 'after'),
      ]),
    )
    await third.promise
    broker.link.deliver(1, consumerTag, 3, 'much later')
    await turns()
    expect(inbox.bodies).toEqual(['before'])
    expect(inbox.messages[0]?.ack()).toBe(false)
    expect(connection.stats().staleSettles).toBe(1)
    await turns()
    expect(broker.link.all('basic.ack')).toEqual([])
  })
})

import { isHermodError } from '@hermod/kernel'
import { type BrokerLink, nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Connection, Message } from '../../src/index.ts'
import type { MethodName } from '../../src/wire/generated/methods.ts'
import { turns } from './outcomes.ts'

const names = (link: BrokerLink): MethodName[] =>
  link.methods.map(({ name }) => name).filter((name) => /^(?:exchange|queue|basic)\./.test(name))
const ignore = (): void => {}

/** Breaks the connection and waits until it is back. */
async function reconnect(broker: ScriptedBroker, connection: Connection): Promise<BrokerLink> {
  const restored = nextEvent(connection, 'restored')
  broker.link.drop()
  await restored
  return broker.link
}

describe('a connection that comes back', () => {
  it('declares exchanges, queues and bindings, in this order, as they were, and nothing twice', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('q', { durable: false, arguments: { 'x-expires': 1000 } })
    await channel.declareExchange('x', 'topic', { autoDelete: true })
    await channel.declareExchange('gone', 'fanout')
    await channel.declareExchange('y', 'fanout')
    await channel.bindQueue('q', 'x', 'a.*')
    await channel.bindQueue('q', 'gone', '')
    await channel.bindExchange('y', 'x', '#', { arguments: { a: 1n } })
    await channel.declareQueue('q', { durable: false, arguments: { 'x-expires': 1000 } }) // again
    await channel.bindQueue('q', 'x', 'a.*')
    await channel.bindQueue('q', 'x', 'b')
    await channel.unbindQueue('q', 'x', 'b')
    await channel.deleteExchange('gone')
    await channel.declareQueue('deleted')
    await channel.bindQueue('deleted', 'x', 'c')
    await channel.deleteQueue('deleted')
    const passing = await connection.openChannel({ recover: false })
    await passing.declareQueue('passing')

    const link = await reconnect(broker, connection)
    expect(names(link)).toEqual([
      'exchange.declare',
      'exchange.declare',
      'queue.declare',
      'queue.bind',
      'exchange.bind',
    ])
    expect(link.all('exchange.declare').map(({ args }) => args)).toMatchObject([
      { exchange: 'x', type: 'topic', durable: true, autoDelete: true, passive: false },
      { exchange: 'y', type: 'fanout' },
    ])
    expect(link.all('queue.declare')[0]?.args).toMatchObject({
      queue: 'q',
      durable: false,
      arguments: { 'x-expires': 1000 },
    })
    expect(link.all('queue.bind')[0]?.args).toMatchObject({ queue: 'q', exchange: 'x', routingKey: 'a.*' })
    expect((await passing.closed).error?.code).toBe('E_CONN_LOST')
    await reconnect(broker, connection)
    expect(names(broker.link)).toEqual(names(link))
  })

  it('reports what is refused now, and restores the rest', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    for (const queue of ['a', 'b', 'c', 'd']) await channel.declareQueue(queue)
    const errors: string[] = []
    connection.on('topology-error', ({ what, error }) => errors.push(`${what}: ${error.message}`))
    const refused = new Set<number>()
    broker.on('queue.declare', ({ channel: number, args }, link) => {
      if (refused.has(number)) return SILENT
      if (args.queue !== 'b' && args.queue !== 'd') return
      refused.add(number)
      link.closeChannel(number, 406, `PRECONDITION_FAILED - inequivalent arg for '${args.queue}'`, 50, 10)
      return SILENT
    })
    const link = await reconnect(broker, connection)
    expect(errors).toEqual([
      "queue 'b': queue.declare: PRECONDITION_FAILED - inequivalent arg for 'b'",
      "queue 'd': queue.declare: PRECONDITION_FAILED - inequivalent arg for 'd'",
    ])
    // What stood behind a refusal is asked again: b and c, then d behind c.
    expect(link.all('queue.declare').map(({ args }) => args.queue)).toEqual(['a', 'b', 'c', 'd', 'c', 'd'])
  })

  it('tries an exclusive queue again that its dead connection still locks', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('mine', { exclusive: true })
    let locked = 2
    broker.on('queue.declare', ({ channel: number }, link) => {
      if (locked-- <= 0) return
      link.closeChannel(
        number,
        405,
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine'",
        50,
        10,
      )
      return SILENT
    })
    connection.on('topology-error', () => expect.unreachable())
    const link = await reconnect(broker, connection)
    expect(link.all('queue.declare')).toHaveLength(3)
  })

  it('follows a queue that the broker named anew, with its bindings and consumers', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.declareExchange('x', 'topic')
    await channel.bindQueue(queue, 'x', '#')
    const subscription = await channel.consume(queue, {}, ignore)
    expect([queue, subscription.queue]).toEqual(['amq.gen-1', 'amq.gen-1'])
    for (const expected of ['amq.gen-2', 'amq.gen-3']) {
      const link = await reconnect(broker, connection)
      expect(link.all('queue.declare')[0]?.args.queue).toBe('')
      expect(link.all('queue.bind').map(({ args }) => args.queue)).toEqual([expected])
      expect(link.all('basic.consume').map(({ args }) => args.queue)).toEqual([expected])
      expect(subscription.queue).toBe(expected)
    }
    await channel.consume(queue, {}, ignore) // under its first name
    expect(broker.link.all('basic.consume')[1]?.args.queue).toBe('amq.gen-3')
    await channel.bindQueue(queue, 'x', 'more')
    expect(broker.link.all('queue.bind')[1]?.args.queue).toBe('amq.gen-3')
  })

  it('consumes again on every channel, with new tags; old messages are stale and touch nothing', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const messages: Message[] = []
    const channels = await Promise.all([1, 2].map(() => connection.openChannel()))
    const subscriptions = await Promise.all(
      channels.map((channel, at) =>
        channel.consume(`q${at}`, { prefetchCount: at + 1 }, (message) => messages.push(message)),
      ),
    )
    const before = subscriptions.map(({ consumerTag }) => consumerTag)
    broker.link.deliver(1, before[0] as string, 1, 'old')
    await turns()
    const link = await reconnect(broker, connection)
    expect(link.all('basic.consume').map(({ args }) => args.queue)).toEqual(['q0', 'q1'])
    expect(link.all('basic.qos').map(({ args }) => args.prefetchCount)).toEqual([1, 2])
    const [old] = messages as [Message]
    expect(old.ack()).toBe(false)
    expect(() => old.ack()).toThrow('acked before')
    expect(connection.stats().staleSettles).toBe(1)
    link.deliver(channels[0]?.number as number, subscriptions[0]?.consumerTag as string, 1, 'new', true)
    await turns()
    expect(messages.map(({ body, redelivered }) => [String(body), redelivered])).toEqual([
      ['old', false],
      ['new', true],
    ])
    expect(messages[1]?.ack()).toBe(true)
    expect((await link.method('basic.ack')).args).toEqual({ deliveryTag: 1, multiple: false })
    expect(link.all('basic.ack')).toHaveLength(1)
  })

  it('forgets no consumer when it breaks again while they start', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const subscriptions = await Promise.all(
      ['a', 'b', 'c'].map((queue) => channel.consume(queue, {}, ignore)),
    )
    let breaks = 6
    const interrupt = (_: unknown, link: BrokerLink): typeof SILENT | undefined => {
      if (breaks-- <= 0) return undefined
      if (breaks % 2 === 0) return undefined
      link.drop()
      return SILENT
    }
    broker.on('queue.declare', interrupt).on('basic.consume', interrupt)
    const link = await reconnect(broker, connection)
    const consumed = link.all('basic.consume').map(({ args }) => args.queue)
    expect(consumed.toSorted()).toEqual(['a', 'b', 'c'])
    expect(subscriptions.map(({ queue }) => queue)).toEqual(['a', 'b', 'c'])
    expect(broker.links.length).toBeGreaterThan(2)
    await channel.publish('', 'q', Buffer.from('x'))
  })

  it('starts no consumer again that is cancelled while it starts', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, ignore)
    let cancelled: Promise<void> | undefined
    broker.on('queue.declare', () => void (cancelled ??= subscription.cancel()))
    const link = await reconnect(broker, connection)
    await cancelled
    expect(link.all('basic.consume')).toEqual([])
    expect(await subscription.closed).toEqual({})
  })

  it('consumes again although the signal of the first start has aborted since', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const controller = new AbortController()
    await channel.consume('q', { signal: controller.signal, timeoutMs: 60_000 }, ignore)
    controller.abort()
    const link = await reconnect(broker, connection)
    expect(link.all('basic.consume')).toHaveLength(1)
    await channel.publish('', 'q', Buffer.from('x'))
  })

  it('ends a consumer that is refused now, alone', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const [refused, fine] = await Promise.all([
      channel.consume('refused', {}, ignore),
      channel.consume('fine', {}, ignore),
    ])
    const refusal = "ACCESS_REFUSED - read access to queue 'refused' in vhost '/' refused for user 'user'"
    const closed = new Set<number>()
    broker.on('basic.consume', ({ channel: number, args }, link) => {
      if (closed.has(number)) return SILENT
      if (args.queue !== 'refused') return
      closed.add(number)
      link.closeChannel(number, 403, refusal, 60, 20)
      return SILENT
    })
    const link = await reconnect(broker, connection)
    expect((await refused?.closed)?.error).toMatchObject({ code: 'E_CHANNEL', replyCode: 403 })
    expect(link.all('basic.consume').map(({ args }) => args.queue)).toEqual(['refused', 'fine'])
    await channel.publish('', 'q', Buffer.from('x'))
    await fine?.cancel()
  })

  it('waits for an exclusive consumer that its dead connection still holds', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', { exclusive: true }, ignore)
    let held = 2
    broker.on('basic.consume', ({ channel: number }, link) => {
      if (held-- <= 0) return
      link.closeChannel(number, 403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use", 60, 20)
      return SILENT
    })
    const link = await reconnect(broker, connection)
    await link.method('basic.consume', 2)
    await turns()
    expect(link.all('basic.consume')[2]?.args.consumerTag).toBe(subscription.consumerTag)
    await channel.publish('', 'q', Buffer.from('x'))
  })

  it('waits for a queue that is missing, and declares it anew only when it was ours', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('ours')
    await channel.consume('ours', {}, ignore)
    await channel.consume('theirs', {}, ignore)
    let missing = 2
    broker.on('queue.declare', ({ channel: number, args }, link) => {
      if (args.queue !== 'theirs' || missing-- <= 0) return
      link.closeChannel(number, 404, "NOT_FOUND - no queue 'theirs' in vhost '/'", 50, 10)
      return SILENT
    })
    const link = await reconnect(broker, connection)
    await link.method('basic.consume', 1)
    const declared = link.all('queue.declare').map(({ args }) => [args.queue, args.passive])
    expect(declared).toEqual([
      ['ours', false],
      ['ours', true],
      ['theirs', true],
      ['theirs', true],
      ['theirs', true],
    ])
  })

  it('opens once what is opened while it restores', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareExchange('x', 'topic')
    let meanwhile: Promise<unknown> | undefined
    broker.on('exchange.declare', () => {
      meanwhile ??= (async () => {
        const other = await connection.openChannel()
        const asked = ['a', 'b'].map((queue) => other.declareQueue(queue))
        await other.publish('', 'q', Buffer.from('x'))
        return Promise.all(asked)
      })()
    })
    const link = await reconnect(broker, connection)
    expect(await meanwhile).toMatchObject([{ queue: 'a' }, { queue: 'b' }])
    const opened = link.all('channel.open').map((method) => method.channel)
    const closed = link.all('channel.close').map((method) => method.channel)
    expect(opened).toHaveLength(new Set(opened).size)
    expect(opened.length - closed.length).toBe(2)
    expect(broker.links).toHaveLength(2)
  })

  it('gives up a connection that falls silent while it is restored, and leaves none behind', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ operationTimeoutMs: 50 })
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    await channel.consume('q', {}, ignore)
    let silent = 3
    const fallSilent = (_: unknown, link: BrokerLink): typeof SILENT | undefined => {
      if (link !== broker.link || silent-- <= 0) return undefined
      link.mute = true
      return SILENT
    }
    broker.on('queue.declare', fallSilent)
    const link = await reconnect(broker, connection)
    expect(broker.links).toHaveLength(5)
    for (const old of broker.links.slice(0, -1))
      await old.until(() => old.gone, 'the end of an old connection')
    expect(connection.state).toBe('open')
    expect(link.gone).toBe(false)
    await channel.publish('', 'q', Buffer.from('x'))
    await turns()
    expect(connection.state).toBe('open')
  })

  it('stays blocked when it comes back blocked', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    broker.on('queue.declare', (_, link) => link.send(0, 'connection.blocked', { reason: 'low on memory' }))
    const link = await reconnect(broker, connection)
    expect(connection.state).toBe('blocked')
    const sent = channel.publish('', 'q', Buffer.from('x'))
    await turns()
    expect(link.publishes).toEqual([])
    link.send(0, 'connection.unblocked', {})
    await sent
    expect(connection.state).toBe('open')
  })

  it('comes back unblocked when it was blocked before', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const blocked = nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.blocked', { reason: 'low on disk' })
    await blocked
    const sent = channel.publish('', 'q', Buffer.from('x'))
    const states: string[] = []
    connection.on('state', ({ state }) => states.push(state))
    await reconnect(broker, connection)
    await sent
    expect(states).toEqual(['reconnecting', 'open'])
  })

  it('keeps a call waiting through connections that break before the channel is ready', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    let left = 3
    broker.on('channel.open', (_, link) => {
      if (left-- <= 0) return
      link.drop()
      return SILENT
    })
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    expect(await channel.declareQueue('q')).toMatchObject({ queue: 'q' })
    expect(broker.links).toHaveLength(5)
  })
})

describe('a channel that the broker closes', () => {
  const TIMED_OUT = 'PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out'

  it('heals alone: consumers again, publishes go on, other channels are not touched', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const [channel, other] = [await connection.openChannel(), await connection.openChannel()]
    const subscription = await channel.consume('q', { prefetchCount: 9 }, ignore)
    const report = nextEvent(connection, 'channel-error')
    broker.link.closeChannel(1, 406, TIMED_OUT, 60, 80)
    expect(await report).toMatchObject({
      channelNumber: 1,
      error: { code: 'E_CHANNEL', replyCode: 406, method: 'basic.ack', message: `basic.ack: ${TIMED_OUT}` },
    })
    await channel.publish('', 'q', Buffer.from('x'))
    const { link } = broker
    expect(link.all('channel.close-ok').map((method) => method.channel)).toEqual([1])
    expect(channel.number).not.toBe(1)
    expect(link.all('basic.consume')[1]).toMatchObject({
      channel: channel.number,
      args: { queue: 'q', consumerTag: subscription.consumerTag },
    })
    await other.publish('', 'q', Buffer.from('y'))
    expect(link.publishes.map((publish) => publish.channel)).toEqual([channel.number, 2])
    expect(connection.stats().reconnects).toBe(0)
    expect(broker.links).toHaveLength(1)
  })

  it('ends when it was opened not to recover', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ recover: false })
    const subscription = await channel.consume('q', {}, ignore)
    connection.on('channel-error', () => expect.unreachable())
    broker.link.closeChannel(1, 406, TIMED_OUT, 60, 80)
    expect((await channel.closed).error).toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
    expect((await subscription.closed).error).toMatchObject({ replyCode: 406 })
    await expect(channel.publish('', 'q', Buffer.alloc(0))).rejects.toMatchObject({ replyCode: 406 })
    expect(connection.state).toBe('open')
  })

  it('heals as often as it must, also while it heals', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.consume('q', {}, ignore)
    let left = 4
    broker.on('basic.consume', ({ channel: number }, link) => {
      if (left-- <= 0) return
      link.closeChannel(number, 404, "NOT_FOUND - no queue 'q' in vhost '/'", 60, 20)
      return SILENT
    })
    const closed = nextEvent(connection, 'channel-error')
    broker.link.closeChannel(1, 406, TIMED_OUT, 60, 80)
    await closed
    await channel.publish('', 'q', Buffer.from('x'))
    expect(broker.link.all('basic.consume')).toHaveLength(6)
    expect((await channel.declareQueue('z')).queue).toBe('z')
  })
})

describe('a consumer whose queue is deleted', () => {
  it('is reported, and consumes again when the queue is back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const subscription = await channel.consume('q', {}, ignore)
    const report = nextEvent(connection, 'consumer-cancelled')
    broker.link.send(1, 'basic.cancel', { consumerTag: subscription.consumerTag, noWait: true })
    expect(await report).toEqual({ queue: 'q' })
    await broker.link.method('basic.consume', 1)
    expect(broker.link.all('queue.declare').map(({ args }) => args.passive)).toEqual([true])
  })

  it('declares it again, with its bindings, when it was ours', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.bindQueue(queue, 'amq.topic', '#')
    const subscription = await channel.consume(queue, {}, ignore)
    broker.link.send(1, 'basic.cancel', { consumerTag: subscription.consumerTag, noWait: true })
    await broker.link.method('basic.consume', 1)
    expect(subscription.queue).toBe('amq.gen-2')
    expect(broker.link.all('queue.bind').map(({ args }) => args.queue)).toEqual(['amq.gen-1', 'amq.gen-2'])
  })

  it('ends on a channel that does not recover', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ recover: false })
    const { consumerTag, closed } = await channel.consume('q', {}, ignore)
    broker.link.send(1, 'basic.cancel', { consumerTag, noWait: true })
    const { error } = await closed
    expect(isHermodError(error) && error.message).toContain("consumer of queue 'q': the queue is gone")
  })
})

import { ManualClock, methodBytes, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Channel, Connection, Message } from '../../src/index.ts'
import { fates } from './outcomes.ts'

const put = (channel: Channel, body: string): Promise<void> => channel.publish('x', 'key', Buffer.from(body))

/** A channel that has consumed messages 1 to `count`. */
async function consuming(broker: ScriptedBroker, connection: Connection, count: number) {
  const channel = await connection.openChannel()
  const messages: Message[] = []
  const subscription = await channel.consume('q', {}, (message) => messages.push(message))
  for (let tag = 1; tag <= count; tag++)
    broker.link.deliver(channel.number, subscription.consumerTag, tag, `m${tag}`)
  await settled()
  return { channel, subscription, messages }
}

describe('a channel that is being closed', () => {
  it('says nothing behind channel.close, over which RabbitMQ would end the connection', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, subscription, messages } = await consuming(broker, connection, 3)
    broker.on('channel.close', () => SILENT)
    expect(messages[0]?.ack()).toBe(true)
    const closed = channel.close()
    expect(channel.state).toBe('closing')
    expect(messages[1]?.ack()).toBe(false)
    expect(messages[2]?.requeue()).toBe(false)
    const late = put(channel, 'late')
    const cancelled = subscription.cancel()
    const { channel: number } = await broker.link.method('channel.close')
    broker.link.deliver(number, subscription.consumerTag, 4, 'm4')
    broker.link.send(number, 'channel.flow', { active: true })
    await settled()
    await expect(channel.declareQueue('q')).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
    expect(await fates([late])).toEqual(['E_CHANNEL_CLOSED'])
    broker.link.send(number, 'channel.close-ok', {})
    await Promise.all([closed, cancelled])
    expect(messages).toHaveLength(3)
    expect(broker.link.all('basic.ack').map(({ args }) => args)).toEqual([
      { deliveryTag: 1, multiple: false },
    ])
    expect(broker.link.methods.at(-1)?.name).toBe('channel.close')
    expect(connection.stats()).toMatchObject({ staleSettles: 2, channels: 0 })
  })

  it('still resolves what is confirmed before its answer', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ maxUnconfirmed: 2 })
    broker.onPublish = () => SILENT
    const sent = ['a', 'b', 'waits'].map((body) => put(channel, body))
    await broker.link.published(2)
    broker.on('channel.close', ({ channel: number }, link) => link.confirm(number, 1))
    await channel.close()
    expect(await fates(sent)).toEqual(['ok', 'E_UNCERTAIN', 'E_CHANNEL_CLOSED'])
    expect(broker.link.publishes).toHaveLength(2)
  })

  it('is closed after 5 s whatever the broker does', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    broker.on('channel.close', () => SILENT)
    const closed = channel.close()
    await clock.pass(5_000)
    await closed
    expect(await channel.closed).toEqual({})
  })
})

describe('a connection that is being closed', () => {
  it('hands over nothing more, and takes late acks for what they are', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, subscription, messages } = await consuming(broker, connection, 2)
    broker.on('connection.close', () => SILENT)
    messages[0]?.ack()
    const closed = connection.close()
    expect(messages[1]?.ack()).toBe(false)
    await broker.link.method('connection.close')
    broker.link.deliver(channel.number, subscription.consumerTag, 3, 'm3')
    await settled()
    expect(messages).toHaveLength(2)
    broker.link.send(0, 'connection.close-ok', {})
    await closed
    expect(broker.link.all('basic.ack')).toHaveLength(1)
    expect(await channel.closed).toEqual({})
    expect(await subscription.closed).toEqual({})
  })

  it('ends within 5 s while blocked, and says what became of each publish', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    broker.onPublish = () => SILENT
    const sent = [put(channel, 'a')]
    await broker.link.published(1)
    const blocked = nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    await blocked
    sent.push(put(channel, 'b'))
    broker.link.stalled = true
    const closed = connection.close()
    await clock.pass(5_000)
    await closed
    expect(await fates(sent)).toEqual(['E_UNCERTAIN', 'E_CHANNEL_CLOSED'])
    expect(await connection.closed).toEqual({})
    expect(clock.armed).toBe(0)
  })
})

describe('drain', () => {
  it('lets handlers settle what they hold and the broker confirm what was sent, then closes', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 2)
    broker.onPublish = () => SILENT
    const sent = put(channel, 'a')
    await broker.link.published(1)
    const drained = connection.drain()
    await broker.link.method('basic.cancel')
    await settled()
    expect(connection.state).toBe('open')
    for (const message of messages) expect(message.ack()).toBe(true)
    await settled()
    expect(connection.state).toBe('open')
    broker.link.confirm(channel.number, 1)
    await drained
    expect(connection.state).toBe('closed')
    expect(await fates([sent])).toEqual(['ok'])
    expect(broker.link.all('basic.ack').map(({ args }) => args)).toEqual([{ deliveryTag: 2, multiple: true }])
  })

  it.each([{}, { timeoutMs: undefined }])('gives up after operationTimeoutMs with %o', async (options) => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, operationTimeoutMs: 3_000 })
    const { messages } = await consuming(broker, connection, 1)
    const outcome = connection.drain(options).catch((reason: unknown) => reason)
    await clock.pass(3_000)
    expect(await outcome).toMatchObject({ code: 'E_TIMEOUT', details: { operation: 'connection.drain' } })
    expect(String(await outcome)).toMatch(/messages not settled: \d+, publishes not confirmed: \d+$/)
    expect(connection.state).toBe('closed')
    expect(messages[0]?.ack()).toBe(false)
  })

  it('ends within its time and 5 s when the peer is half-open', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const { channel } = await consuming(broker, connection, 1)
    broker.onPublish = () => SILENT
    const sent = put(channel, 'a')
    await broker.link.published(1)
    broker.link.mute = true
    const outcome = connection.drain({ timeoutMs: 2_000 }).catch((reason: unknown) => reason)
    await clock.pass(7_000)
    expect(await outcome).toMatchObject({ code: 'E_TIMEOUT' })
    expect(await connection.closed).toEqual({})
    expect(await fates([sent])).toEqual(['E_UNCERTAIN'])
    expect(clock.armed).toBe(0)
  })

  it('ends at once when the connection breaks meanwhile and has nothing to send', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ reconnect: { initialMs: 60_000 } })
    await consuming(broker, connection, 1)
    const drained = connection.drain()
    await broker.link.method('basic.cancel')
    broker.link.drop()
    await drained
    expect(await connection.closed).toEqual({})
  })

  it('rejects with the reason of a signal, and closes', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    await consuming(broker, connection, 1)
    const giveUp = new AbortController()
    const drained = connection.drain({ signal: giveUp.signal })
    giveUp.abort('enough')
    await expect(drained).rejects.toBe('enough')
    expect(connection.state).toBe('closed')
  })

  it('on a channel waits for confirms and leaves it open', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const sent = put(channel, 'a')
    await channel.drain()
    expect(await fates([sent])).toEqual(['ok'])
    expect(channel.state).toBe('open')
    broker.onPublish = () => SILENT
    void put(channel, 'b')
    await expect(channel.drain({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'E_TIMEOUT' })
    expect(channel.state).toBe('open')
    connection.abort()
  })
})

describe('settle', () => {
  it('cancels every consumer and waits for its messages, also for one fetched with get', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, subscription, messages } = await consuming(broker, connection, 2)
    const done = channel.settle()
    await subscription.closed
    let settledAll = false
    void done.then(() => (settledAll = true))
    messages[1]?.ack()
    await settled()
    expect([settledAll, channel.unsettled]).toEqual([false, 1])
    messages[0]?.reject()
    await done
    expect([channel.state, channel.unsettled]).toEqual(['open', 0])
  })
})

describe('abort', () => {
  it('ends at once without a word, and reports no loss and no retry', async () => {
    const broker = new ScriptedBroker()
    const seen: string[] = []
    const connection = await broker.connect({
      onStatus: (status) => seen.push(status.type === 'state' ? status.state : status.type),
    })
    const { channel, messages } = await consuming(broker, connection, 1)
    broker.onPublish = () => SILENT
    const sent = put(channel, 'a')
    await broker.link.published(1)
    connection.abort()
    expect(connection.state).toBe('closed')
    expect(await connection.closed).toEqual({})
    expect(messages[0]?.ack()).toBe(false)
    expect(await fates([sent])).toEqual(['E_UNCERTAIN'])
    expect(seen.filter((type) => type !== 'publish-failed')).toEqual(['open', 'closed'])
    await broker.link.until(() => broker.link.gone, 'the end')
    expect(broker.link.all('connection.close')).toHaveLength(0)
    connection.abort()
    await connection.close()
  })

  it('cuts a close short', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    broker.on('connection.close', () => SILENT)
    const closed = connection.close()
    await broker.link.method('connection.close')
    connection.abort()
    await closed
    expect(await connection.closed).toEqual({})
  })

  it.each(['open', 'blocked'] as const)(
    'may be called by who is told that the connection is %s',
    async (state) => {
      const broker = new ScriptedBroker()
      const connection = await broker.connect({ reconnect: { initialMs: 1 } })
      connection.on('state', (event) => {
        if (event.state === state) connection.abort()
      })
      broker.on('connection.open', (_, link) => {
        const both = [
          methodBytes(0, 'connection.open-ok', {}),
          methodBytes(0, 'connection.blocked', { reason: 'low on memory' }),
        ]
        link.raw(Buffer.concat(both))
        return SILENT
      })
      broker.link.drop()
      expect(await connection.closed).toEqual({})
      await settled()
      expect(connection.state).toBe('closed')
    },
  )
})

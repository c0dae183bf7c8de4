import {
  contentBytes,
  deliveryBytes,
  ManualClock,
  methodBytes,
  nextEvent,
  ScriptedBroker,
  SILENT,
} from '@hermod/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Message } from '../../src/index.ts'
import { turns } from './outcomes.ts'

describe('a session', () => {
  it('ignores frames of channels that it does not have', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.link.raw(
      Buffer.concat([
        deliveryBytes(77, 'somebody', 1, 'x'),
        methodBytes(77, 'queue.bind-ok', {}),
        methodBytes(77, 'channel.close', { replyCode: 404, replyText: 'NO', classId: 0, methodId: 0 }),
      ]),
    )
    await channel.publish('', 'q', Buffer.from('x'))
    expect(connection.stats()).toMatchObject({ reconnects: 0, publishesFailed: 0, staleSettles: 0 })
  })

  it.each([
    ['noise', Buffer.alloc(64, 0xff)],
    ['a frame without its end', Buffer.from('01000100000004000a000b00', 'hex')],
    ['an unknown method', Buffer.from('0100010000000400630063ce', 'hex')],
    ['a method of a client', methodBytes(1, 'queue.purge', { queue: 'q', noWait: false })],
    ['a body without its header', Buffer.from('0300010000000178ce', 'hex')],
    ['a body on channel 0', Buffer.from('0300000000000178ce', 'hex')],
    ['a header without its method', Buffer.from('0200010000000e003c000000000000000000000000ce', 'hex')],
    ['a handshake once more', methodBytes(0, 'connection.open-ok', {})],
    [
      'a method in the middle of a content',
      Buffer.concat([
        contentBytes(
          1,
          'basic.deliver',
          { consumerTag: 't', deliveryTag: 1, redelivered: false, exchange: '', routingKey: '' },
          {},
          'abc',
        ).subarray(0, -4 - 8),
        methodBytes(1, 'basic.qos-ok', {}),
      ]),
    ],
  ])('says 501 to %s, and connects again', async (_, bytes) => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const lost = nextEvent(connection, 'lost')
    const restored = nextEvent(connection, 'restored')
    broker.link.raw(bytes)
    expect((await lost).error.code).toBe('E_PROTOCOL')
    await restored
    expect(broker.links[0]?.all('connection.close')[0]?.args.replyCode).toBe(501)
    await channel.publish('', 'q', Buffer.from('x'))
  })

  it('answers the close of a broker in the middle of everything, and loses no promise', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.onPublish = ({ tag }, link) => {
      if (tag === 50)
        link.closeConnection(
          320,
          "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        )
      return tag >= 50 ? SILENT : undefined
    }
    const sent = Array.from({ length: 100 }, (_, at) => channel.publish('', 'q', Buffer.from(`${at}`)))
    const { error } = await nextEvent(connection, 'lost')
    expect(error.message).toContain("reason 'shutdown'")
    const fates = (await Promise.allSettled(sent)).map(({ status }) => status)
    expect(fates.filter((status) => status === 'fulfilled')).toHaveLength(49)
    await broker.links[0]?.method('connection.close-ok')
  })

  it('ends a silent connection, and sends heartbeats of its own meanwhile', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker({ tune: { heartbeat: 10 } })
    const connection = await broker.connect({ clock, heartbeatMs: 20_000 })
    const { link } = broker
    for (let second = 0; second < 60; second += 5) {
      link.heartBeat()
      await turns()
      clock.advance(5000)
      await turns()
    }
    expect(connection.state).toBe('open')
    expect(link.heartbeats).toBeGreaterThanOrEqual(11)
    const lost = nextEvent(connection, 'lost')
    clock.advance(25_000)
    expect((await lost).error).toMatchObject({ code: 'E_HEARTBEAT', retryable: true })
    await link.until(() => link.gone, 'the end')
    await connection.close()
    expect(clock.armed).toBe(0)
  })
})

describe('closing a connection', () => {
  it('is shared by all who ask, sends what was written first, and ends every channel', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const channel = await connection.openChannel()
    const messages: Message[] = []
    const { consumerTag, closed } = await channel.consume('q', {}, (message) => messages.push(message))
    broker.link.raw(Buffer.concat([1, 2].map((tag) => deliveryBytes(1, consumerTag, tag))))
    await turns()
    for (const message of messages) message.ack()
    const sent = channel.publish('', 'q', Buffer.from('x'))
    await Promise.all([connection.close(), connection.close(), connection[Symbol.asyncDispose]()])
    await sent
    const { link } = broker
    expect(link.all('basic.ack').map(({ args }) => args)).toEqual([{ deliveryTag: 2, multiple: true }])
    expect(link.all('connection.close')).toHaveLength(1)
    expect(link.methods.at(-1)?.name).toBe('connection.close')
    expect(await connection.closed).toEqual({})
    expect(await closed).toEqual({})
    expect(messages[0]?.state).toBe('acked')
    await connection.close()
    await expect(connection.openChannel()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    await expect(connection.queueStatus('q')).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
  })

  it.each(['falls silent', 'does not read'])('takes no more than 5 s when the broker %s', async (how) => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    broker.link.mute = true
    broker.link.stalled = how === 'does not read'
    const sent = channel.publish('', 'q', Buffer.alloc(100_000))
    const blocked = nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    await blocked
    let ended = false
    const closed = connection.close().then(() => (ended = true))
    const asked = channel.declareQueue('q')
    asked.catch(() => {})
    clock.advance(4999)
    await turns()
    expect(ended).toBe(false)
    clock.advance(1)
    await closed
    await expect(sent).rejects.toMatchObject({ code: 'E_UNCERTAIN' })
    await expect(asked).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
    expect(connection.state).toBe('closed')
    expect(clock.armed).toBe(0)
  })

  it('works while it waits for the next attempt, while it dials, shakes hands and restores', async () => {
    for (const moment of ['waiting', 'connection.start', 'connection.open', 'queue.declare'] as const) {
      const broker = new ScriptedBroker()
      const reconnect = moment === 'waiting' ? { initialMs: 60_000 } : { initialMs: 1 }
      const connection = await broker.connect({ reconnect })
      const channel = await connection.openChannel()
      await channel.declareQueue('q')
      const sent = channel.publish('', 'q', Buffer.from('x'))
      await sent
      let closed: Promise<void> | undefined
      if (moment === 'waiting') {
        connection.on('retry', () => queueMicrotask(() => void (closed = connection.close())))
      } else {
        broker.on(moment, () => {
          closed = connection.close()
          return SILENT
        })
      }
      connection.on('restored', () => expect.unreachable())
      broker.link.drop()
      const late = nextEvent(connection, 'lost').then(() => channel.publish('', 'q', Buffer.from('late')))
      await expect(late).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
      await closed
      expect(await connection.closed).toEqual({})
      for (const link of broker.links) await link.until(() => link.gone, `the end (${moment})`)
    }
  })
})

describe('a publish that nobody awaits', () => {
  it('never ends the process when it fails, and is counted', async () => {
    // What would end the process: an unhandled rejection. The listeners of the test runner stand aside.
    const unhandled: unknown[] = []
    const listeners = process.rawListeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (error) => unhandled.push(error))
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const listener of listeners) process.on('unhandledRejection', listener as never)
    })
    const broker = new ScriptedBroker()
    broker.onPublish = () => SILENT
    const connection = await broker.connect({ reconnect: false })
    const channel = await connection.openChannel({ maxUnconfirmed: 1 })
    const codes: string[] = []
    connection.on('publish-failed', ({ error }) => codes.push(error.code))
    void channel.publish('', 'q', Buffer.from('uncertain'))
    void channel.publish('', 'q', Buffer.from('never sent'))
    const aborted = AbortSignal.abort()
    void channel.publish('', 'q', Buffer.from('cancelled, which is no failure'), { signal: aborted })
    await broker.link.published(1)
    const other = await connection.openChannel()
    void other.publish('', 'q', Buffer.from('unwritable'), { properties: { priority: 1000 } })
    broker.link.drop()
    await connection.closed
    void channel.publish('', 'q', Buffer.from('too late'))
    await turns()
    expect(codes).toEqual(['E_FIELD', 'E_UNCERTAIN', 'E_CHANNEL_CLOSED', 'E_CONN_LOST'])
    expect(connection.stats().publishesFailed).toBe(4)
    expect(unhandled).toEqual([])
    // The instrument works: this is what would have been seen.
    void Promise.reject(new RangeError('unawaited'))
    await turns()
    expect(unhandled).toEqual([new RangeError('unawaited')])
  })
})

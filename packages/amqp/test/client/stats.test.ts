import { ManualClock, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../src/index.ts'
import { fates } from './outcomes.ts'

const body = Buffer.from('body')

describe('connection.stats()', () => {
  it('counts what was published, confirmed, returned and refused, over all channels', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const [one, two] = [await connection.openChannel({ maxUnconfirmed: 1 }), await connection.openChannel()]
    broker.onPublish = (publish, link) => {
      if (publish.routingKey === 'lost') link.giveBack(publish)
      if (publish.routingKey !== 'no') return undefined
      link.send(publish.channel, 'basic.nack', { deliveryTag: publish.tag, multiple: false, requeue: false })
      return SILENT
    }
    const sent = [
      one.publish('x', 'yes', body),
      one.publish('x', 'yes', body),
      two.publish('x', 'lost', body, { mandatory: true }),
      two.publish('x', 'no', body),
    ]
    expect(connection.stats()).toMatchObject({
      published: 3,
      confirmed: 0,
      unconfirmed: 3,
      waiting: 1,
      channels: 2,
    })
    expect(await fates(sent)).toEqual(['ok', 'ok', 'E_UNROUTABLE', 'E_NACKED'])
    expect(connection.stats()).toMatchObject({
      published: 4,
      confirmed: 2,
      returned: 1,
      publishesFailed: 2,
      unconfirmed: 0,
      waiting: 0,
    })
    await two.close()
    expect(connection.stats()).toMatchObject({ published: 4, channels: 1 })
  })

  it('counts what was delivered and how it was settled, stale settles apart', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const messages: Message[] = []
    const { consumerTag } = await channel.consume('q', {}, (message) => messages.push(message))
    for (let tag = 1; tag <= 6; tag++) broker.link.deliver(channel.number, consumerTag, tag)
    await settled()
    messages[0]?.ack()
    messages[1]?.reject()
    messages[2]?.requeue()
    messages[4]?.ack({ multiple: true })
    expect(connection.stats()).toMatchObject({
      delivered: 6,
      acked: 3,
      rejected: 1,
      requeued: 1,
      unsettled: 1,
    })
    const failed = nextEvent(connection, 'channel-error')
    broker.link.closeChannel(channel.number, 406, 'PRECONDITION_FAILED - timed out')
    await failed
    expect(messages[5]?.ack()).toBe(false)
    expect(connection.stats()).toMatchObject({ acked: 3, staleSettles: 1, unsettled: 0, channelErrors: 1 })
  })

  it('counts bytes, reconnects and the time that it was blocked over all sessions', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    await channel.publish('x', 'key', body)
    const first = connection.stats()
    expect(first.bytesWritten).toBeGreaterThan(100)
    expect(first.bytesRead).toBeGreaterThan(50)
    const blocked = nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.blocked', { reason: 'r' })
    await blocked
    await clock.pass(700)
    expect(connection.stats()).toMatchObject({ state: 'blocked', blockedMs: 700 })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await clock.pass(100)
    await restored
    const second = connection.stats()
    expect(second).toMatchObject({ state: 'open', reconnects: 1, blockedMs: 700 })
    expect(second.bytesWritten).toBeGreaterThan(first.bytesWritten)
    expect(second.bytesRead).toBeGreaterThan(first.bytesRead)
    await connection.close()
    expect(connection.stats()).toMatchObject({ state: 'closed', channels: 0, published: 1, confirmed: 1 })
    expect(connection.stats().bytesWritten).toBeGreaterThan(second.bytesWritten)
  })

  it('gives figures of the moment, which do not change any more', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const before = connection.stats()
    await (await connection.openChannel()).publish('x', 'key', body)
    expect([before.published, connection.stats().published]).toEqual([0, 1])
  })
})

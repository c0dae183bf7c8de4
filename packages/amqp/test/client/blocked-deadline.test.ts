import { ManualClock, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Channel, Connection, ConnectionStatus } from '../../src/index.ts'
import { bodies, fates } from './outcomes.ts'

const put = (channel: Channel, body: string, resend = false): Promise<void> =>
  channel.publish('x', 'key', Buffer.from(body), { resend })

async function block(
  broker: ScriptedBroker,
  connection: Connection,
  reason = 'low on memory',
): Promise<void> {
  const blocked = nextEvent(connection, 'blocked')
  broker.link.send(0, 'connection.blocked', { reason })
  expect(await blocked).toEqual({ reason })
}

async function unblock(broker: ScriptedBroker, connection: Connection): Promise<void> {
  const unblocked = nextEvent(connection, 'unblocked')
  broker.link.send(0, 'connection.unblocked', {})
  await unblocked
}

describe('a connection that the broker has blocked', () => {
  it('holds publishes back until it is unblocked, and says so in its state', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await block(broker, connection)
    expect(connection.state).toBe('blocked')
    const sent = [put(channel, 'a'), put(channel, 'b')]
    await settled()
    expect(broker.link.publishes).toHaveLength(0)
    expect(connection.stats()).toMatchObject({ state: 'blocked', waiting: 2, unconfirmed: 0 })
    await unblock(broker, connection)
    expect(await fates(sent)).toEqual(['ok', 'ok'])
    expect(connection.state).toBe('open')
    expect(bodies(broker.link.publishes)).toEqual(['a', 'b'])
  })

  it('rejects after blockedTimeoutMs what waits and what is unconfirmed, then everything until it is unblocked', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, blockedTimeoutMs: 5_000 })
    const channel = await connection.openChannel()
    broker.onPublish = () => SILENT
    const written = [put(channel, 'written'), put(channel, 'written, to be sent again', true)]
    await broker.link.published(2)
    await block(broker, connection)
    const waiting = put(channel, 'waits', true)
    await clock.pass(4_999)
    expect(connection.stats()).toMatchObject({ unconfirmed: 2, waiting: 1, publishesFailed: 0 })
    const tooLong = nextEvent(connection, 'blocked-too-long')
    await clock.pass(1)
    const { error } = await tooLong
    expect(error).toMatchObject({
      code: 'E_BLOCKED',
      details: { reason: 'low on memory', blockedMs: 5_000 },
    })
    expect(await fates([...written, waiting])).toEqual(['E_UNCERTAIN', 'E_UNCERTAIN', 'E_BLOCKED'])
    expect(await fates([put(channel, 'at once')])).toEqual(['E_BLOCKED'])
    expect(await fates([put(await connection.openChannel(), 'on a new channel')])).toEqual(['E_BLOCKED'])
    broker.onPublish = () => undefined
    await unblock(broker, connection)
    broker.link.confirm(channel.number, 2, true)
    expect(await fates([put(channel, 'after')])).toEqual(['ok'])
    // Nothing that was given up is sent later, or counts for the wrong message.
    expect(bodies(broker.link.publishes)).toEqual(['written', 'written, to be sent again', 'after'])
    expect(connection.stats()).toMatchObject({ publishesFailed: 5, blockedMs: 5_000 })
  })

  it('does not begin the time anew when the broker blocks for another reason, and does when it blocks again', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, blockedTimeoutMs: 1_000 })
    const channel = await connection.openChannel()
    await block(broker, connection)
    const first = put(channel, 'first')
    await clock.pass(600)
    await block(broker, connection, 'low on disk')
    await clock.pass(400)
    await expect(first).rejects.toMatchObject({ details: { reason: 'low on disk' } })
    await unblock(broker, connection)
    await block(broker, connection)
    const second = put(channel, 'second')
    await clock.pass(999)
    await unblock(broker, connection)
    expect(await fates([second])).toEqual(['ok'])
    expect(connection.stats().blockedMs).toBe(1_999)
  })

  it('never gives up with Infinity, and at once with 0', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using patient = await broker.connect({ clock, blockedTimeoutMs: Infinity })
    const channel = await patient.openChannel()
    await block(broker, patient)
    const sent = put(channel, 'a')
    await clock.pass(3_600_000)
    await unblock(broker, patient)
    expect(await fates([sent])).toEqual(['ok'])
    await using hasty = await broker.connect({ clock, blockedTimeoutMs: 0 })
    const other = await hasty.openChannel()
    await block(broker, hasty)
    const refused = put(other, 'b')
    await clock.pass(0)
    expect(await fates([refused])).toEqual(['E_BLOCKED'])
  })

  it('is not blocked any more when it comes back, and the old deadline is over', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, blockedTimeoutMs: 1_000 })
    const channel = await connection.openChannel()
    connection.on('blocked-too-long', () => expect.unreachable())
    await block(broker, connection)
    const sent = put(channel, 'a')
    await clock.pass(900)
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await clock.pass(500)
    await restored
    expect(await fates([sent])).toEqual(['ok'])
    expect(connection.state).toBe('open')
  })

  it('refuses no longer after the broker had blocked for too long and the connection was lost', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, blockedTimeoutMs: 100 })
    const channel = await connection.openChannel()
    await block(broker, connection)
    await clock.pass(100)
    expect(await fates([put(channel, 'a')])).toEqual(['E_BLOCKED'])
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    const sent = put(channel, 'b')
    await clock.pass(10)
    expect(await fates([sent])).toEqual(['ok'])
  })

  it('still consumes, acks and asks', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await block(broker, connection)
    const acked: boolean[] = []
    const { consumerTag } = await channel.consume('q', {}, (message) => acked.push(message.ack()))
    broker.link.deliver(channel.number, consumerTag, 1)
    await broker.link.method('basic.ack')
    expect(acked).toEqual([true])
    expect((await channel.declareQueue('other')).queue).toBe('other')
  })

  it('refuses a transaction too, which is not committed without what was refused', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, blockedTimeoutMs: 100 })
    const channel = await connection.openChannel({ transactional: true })
    await block(broker, connection)
    await clock.pass(100)
    expect(await fates([put(channel, 'a')])).toEqual(['E_BLOCKED'])
    await expect(channel.commit()).rejects.toMatchObject({
      code: 'E_TRANSACTION',
      cause: { code: 'E_BLOCKED' },
    })
    await unblock(broker, connection)
    const sent = put(channel, 'b')
    await channel.commit()
    expect(await fates([sent])).toEqual(['ok'])
  })
})

describe('a flood of blocked and unblocked', () => {
  it('loses no publish, keeps their order and leaves no timer', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const channel = await connection.openChannel()
    const seen: ConnectionStatus['type'][] = []
    for (const name of ['blocked', 'unblocked'] as const) connection.on(name, () => seen.push(name))
    const sent: Promise<void>[] = []
    for (let round = 0; round < 1_000; round++) {
      broker.link.send(0, 'connection.blocked', { reason: `no. ${round}` })
      if (round % 10 === 0) sent.push(put(channel, String(round)))
      if (round % 3 === 0) broker.link.send(0, 'connection.unblocked', {})
      if (round % 50 === 0) await settled()
    }
    await settled()
    broker.link.send(0, 'connection.unblocked', {})
    expect(new Set(await fates(sent))).toEqual(new Set(['ok']))
    expect(bodies(broker.link.publishes)).toEqual(sent.map((_, at) => String(at * 10)))
    await expect.poll(() => seen.filter((type) => type === 'blocked').length).toBe(1_000)
    expect(connection.state).toBe('open')
    expect(clock.armed).toBe(0)
  })
})

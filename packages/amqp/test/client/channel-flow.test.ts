import { nextEvent, ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { turns } from './outcomes.ts'

describe('channel.flow', () => {
  const body = Buffer.from('b')

  it('holds publishes back until the broker lets them flow again, whatever connection.blocked says', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.link.send(channel.number, 'channel.flow', { active: false })
    await broker.link.method('channel.flow-ok')
    const held = channel.publish('x', 'key', body)
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    await nextEvent(connection, 'blocked')
    broker.link.send(0, 'connection.unblocked', {})
    await nextEvent(connection, 'unblocked')
    await turns()
    expect(broker.link.publishes).toHaveLength(0)
    broker.link.send(channel.number, 'channel.flow', { active: true })
    await held
    expect(broker.link.publishes).toHaveLength(1)
  })

  it('ends with the channel that it came on', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { number } = channel
    broker.link.send(number, 'channel.flow', { active: false })
    await broker.link.method('channel.flow-ok')
    const held = channel.publish('x', 'key', body)
    broker.link.closeChannel(number, 406, 'PRECONDITION_FAILED - no reason')
    await held
    expect(broker.link.publishes).toHaveLength(1)
  })
})

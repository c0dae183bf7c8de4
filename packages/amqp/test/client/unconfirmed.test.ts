import { ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { bodies } from './outcomes.ts'

describe('a channel without confirms', () => {
  it('asks for none, and resolves when a message is written', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ confirms: false })
    await channel.publish('', 'q', Buffer.from('one'))
    await channel.publish('', 'q', Buffer.from('two'))
    await broker.link.published(2)
    expect(bodies(broker.link.publishes)).toEqual(['one', 'two'])
    expect(broker.link.all('confirm.select')).toEqual([])
    expect(connection.stats()).toMatchObject({ published: 2, confirmed: 0, unconfirmed: 0, waiting: 0 })
  })

  it('holds messages back while the connection is away, or blocked', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ confirms: false })
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    await expect.poll(() => connection.state).toBe('blocked')
    const waiting = channel.publish('', 'q', Buffer.from('waits'))
    expect(channel.pendingPublishes).toEqual({ unconfirmed: 0, waiting: 1 })
    broker.link.drop()
    await waiting
    const next = await broker.linked(1)
    await next.published(1)
    expect(bodies(next.publishes)).toEqual(['waits'])
  })

  it('refuses what only a confirm can tell', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ confirms: false })
    for (const option of [{ mandatory: true }, { resend: true }]) {
      const published = channel.publish('', 'q', Buffer.from('x'), option)
      await expect(published).rejects.toMatchObject({ code: 'E_CONFIG' })
    }
  })
})

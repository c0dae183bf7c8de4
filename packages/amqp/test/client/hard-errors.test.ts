import { nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { fates } from './outcomes.ts'

describe('a broker that closes the whole connection over what it is asked', () => {
  it('is not asked again for the declaration that it does so over; the rest is declared', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    for (const exchange of ['before', 'unknown-type', 'behind'])
      await channel.declareExchange(exchange, 'topic')
    await channel.declareQueue('q')
    await channel.bindQueue('q', 'unknown-type', '#')
    await channel.bindQueue('q', 'behind', '#')
    const refused: string[] = []
    connection.on('topology-error', ({ what, error }) => refused.push(`${what}: ${error.message}`))
    broker.on('exchange.declare', ({ args }, link) => {
      if (args.exchange !== 'unknown-type') return undefined
      link.closeConnection(503, "COMMAND_INVALID - unknown exchange type 'x-gone'", 40, 10)
      return SILENT
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(refused).toEqual([
      "exchange 'unknown-type': the broker closed the connection: COMMAND_INVALID - unknown exchange type 'x-gone'",
    ])
    // Lost once, then refused with all the others, then refused alone, then without it.
    expect(broker.links).toHaveLength(4)
    const bound = broker.link.methods.filter(({ name }) => name === 'queue.bind')
    expect(bound.map(({ args }) => (args as { exchange: string }).exchange)).toEqual(['behind'])
  })

  it('ends the channel whose consumer it does so over, and no other', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const doomed = await connection.openChannel()
    const other = await connection.openChannel()
    await doomed.consume('stream', {}, () => {})
    await other.consume('queue', {}, () => {})
    broker.on('basic.consume', ({ args }, link) => {
      if (args.queue !== 'stream') return undefined
      link.closeConnection(540, 'NOT_IMPLEMENTED - no such offset', 60, 20)
      return SILENT
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect((await doomed.closed).error?.message).toContain('NOT_IMPLEMENTED')
    expect(other.state).toBe('open')
    expect(broker.links.length).toBeLessThanOrEqual(4)
  })

  it('is not sent again the message that it does so over, and gets the others', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.onPublish = (publish, link) => {
      if (publish.body.toString() !== 'poison') return undefined
      link.closeConnection(501, 'FRAME_ERROR - it cannot be read', 60, 40)
      return SILENT
    }
    const bodies = ['one', 'poison', 'two', 'three']
    const published = bodies.map((body) => channel.publish('', 'q', Buffer.from(body), { resend: true }))
    const outcomes = await fates(published)
    expect(outcomes).toEqual(['ok', 'E_CONN_LOST', 'ok', 'ok'])
  })
})

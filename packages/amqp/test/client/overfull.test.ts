import { ManualClock, nextEvent, ScriptedBroker, settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Connection, Message } from '../../src/index.ts'

const HEARTBEAT_MS = 20_000

/** More than may wait to be written before nothing is read any more. */
const TOO_MUCH = Buffer.alloc(17 * 1024 * 1024)

/** A connection whose broker has stopped reading while this much waits to be written. */
async function overfull(
  broker: ScriptedBroker,
  clock: ManualClock,
): Promise<{
  connection: Connection
  sent: Promise<void>
  messages: Message[]
  deliver: (tag: number) => void
}> {
  const connection = await broker.connect({ clock, heartbeatMs: HEARTBEAT_MS })
  const channel = await connection.openChannel()
  const messages: Message[] = []
  const { consumerTag } = await channel.consume('q', { noAck: true }, (message) => messages.push(message))
  const { link } = broker
  link.stalled = true
  const sent = channel.publish('x', 'key', TOO_MUCH)
  const deliver = (tag: number): void => link.deliver(1, consumerTag, tag)
  return { connection, sent, messages, deliver }
}

describe('a broker that does not read', () => {
  it('is not read from either while too much waits, and then goes on where it stopped', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { connection, sent, messages, deliver } = await overfull(broker, clock)
    for (let tag = 1; tag <= 50; tag++) {
      deliver(tag)
      await settled()
    }
    // What the stream holds already comes; it is not refilled.
    expect(messages.length).toBeLessThan(10)
    broker.link.stalled = false
    await sent
    await settled()
    expect(messages.map(({ deliveryTag }) => deliveryTag)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    )
    await connection.close()
  })

  it('is not called dead as long as it sends heartbeats: RabbitMQ does not read for as long as an alarm lasts', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { connection, sent } = await overfull(broker, clock)
    connection.on('lost', () => expect.unreachable())
    broker.link.send(0, 'connection.blocked', { reason: 'low on memory' })
    await nextEvent(connection, 'blocked')
    for (let passedMs = 0; passedMs < 10 * HEARTBEAT_MS; passedMs += HEARTBEAT_MS / 2) {
      broker.link.heartBeat()
      await clock.pass(HEARTBEAT_MS / 2)
    }
    expect(connection.state).toBe('blocked')
    const unblocked = nextEvent(connection, 'unblocked')
    broker.link.stalled = false
    broker.link.send(0, 'connection.unblocked', {})
    await unblocked
    await expect(sent).rejects.toMatchObject({ code: 'E_UNCERTAIN', cause: { code: 'E_BLOCKED' } })
    expect(connection.state).toBe('open')
    await connection.close()
  })

  it('is called dead when it sends nothing either', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { connection, sent } = await overfull(broker, clock)
    const lost = nextEvent(connection, 'lost')
    await clock.pass(3 * HEARTBEAT_MS)
    expect(await lost).toMatchObject({ error: { code: 'E_HEARTBEAT' } })
    await expect(sent).rejects.toMatchObject({ code: 'E_UNCERTAIN' })
    connection.abort()
  })
})

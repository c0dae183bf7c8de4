import {
  deliveryBytes,
  ManualClock,
  methodBytes,
  nextEvent,
  ScriptedBroker,
  settled,
  SILENT,
} from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Channel, Connection, Message } from '../../src/index.ts'

/** A channel that consumes, and all that it was handed. */
async function consuming(broker: ScriptedBroker, connection: Connection, noAck = false) {
  const channel = await connection.openChannel()
  const messages: Message[] = []
  const { consumerTag } = await channel.consume('q', { noAck }, (message) => messages.push(message))
  const deliver = async (...tags: number[]): Promise<void> => {
    for (const tag of tags) broker.link.deliver(channel.number, consumerTag, tag, `m${tag}`)
    await settled()
  }
  return { channel, messages, consumerTag, deliver }
}

const acks = (broker: ScriptedBroker): object[] => broker.link.all('basic.ack').map(({ args }) => args)
const tags = (messages: readonly Message[]): number[] => messages.map(({ deliveryTag }) => deliveryTag)

describe('channel.recover', () => {
  it('makes every unsettled message stale, and lets its new delivery be settled', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages, deliver } = await consuming(broker, connection)
    await deliver(1, 2, 3)
    expect(messages[1]?.ack()).toBe(true)
    expect(channel.unsettled).toBe(2)
    await channel.recover()
    expect(channel.unsettled).toBe(0)
    expect([messages[0]?.ack(), messages[2]?.requeue({ multiple: true })]).toEqual([false, false])
    await deliver(4, 5)
    expect(messages[4]?.ack()).toBe(true)
    expect(messages[3]?.ack()).toBe(true)
    await settled()
    expect(acks(broker)).toEqual([
      { deliveryTag: 2, multiple: false },
      { deliveryTag: 5, multiple: true },
    ])
    expect(broker.link.methods.map(({ name }) => name).slice(-3)).toEqual([
      'basic.ack',
      'basic.recover',
      'basic.ack',
    ])
    expect(connection.stats()).toMatchObject({ acked: 3, staleSettles: 2, unsettled: 0 })
  })

  it('hands over what comes with its answer in one read', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages, consumerTag, deliver } = await consuming(broker, connection)
    await deliver(1)
    broker.on('basic.recover', ({ channel: number }, link) => {
      const all = [
        deliveryBytes(number, consumerTag, 2, 'sent before it was read'),
        methodBytes(number, 'basic.recover-ok', {}),
        deliveryBytes(number, consumerTag, 3, 'm1', true),
        deliveryBytes(number, consumerTag, 4, 'm2', true),
      ]
      link.raw(Buffer.concat(all))
      return SILENT
    })
    await channel.recover()
    await settled()
    expect(tags(messages)).toEqual([1, 3, 4])
    for (const message of messages.slice(1)) expect(message.ack()).toBe(true)
    await settled()
    expect(acks(broker)).toEqual([{ deliveryTag: 4, multiple: true }])
  })

  it('that the broker answers late settles nothing meanwhile, and does not lose what needs no ack', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages, deliver } = await consuming(broker, connection)
    const unacked: number[] = []
    const { consumerTag } = await channel.consume('other', { noAck: true }, (message) =>
      unacked.push(message.deliveryTag),
    )
    await deliver(1)
    broker.on('basic.recover', () => SILENT)
    const recovered = channel.recover()
    await broker.link.method('basic.recover')
    await deliver(2, 3)
    broker.link.deliver(channel.number, consumerTag, 4, 'n')
    await settled()
    expect(messages[0]?.ack()).toBe(false)
    expect([tags(messages), unacked]).toEqual([[1], [4]])
    broker.link.send(channel.number, 'basic.recover-ok', {})
    await recovered
    await deliver(5, 6)
    expect(tags(messages)).toEqual([1, 5, 6])
    for (const message of messages.slice(1)) expect(message.ack()).toBe(true)
    await settled()
    expect(acks(broker)).toEqual([{ deliveryTag: 6, multiple: true }])
    expect(channel.unsettled).toBe(0)
  })

  it('twice at once settles nothing between the two answers: the second takes back what came after the first', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages, deliver } = await consuming(broker, connection)
    await deliver(1)
    broker.on('basic.recover', () => SILENT)
    const both = [channel.recover(), channel.recover()]
    await broker.link.method('basic.recover', 1)
    broker.link.send(channel.number, 'basic.recover-ok', {})
    await both[0]
    await deliver(2)
    expect(tags(messages)).toEqual([1])
    broker.link.send(channel.number, 'basic.recover-ok', {})
    await both[1]
    await deliver(3)
    expect(messages[1]?.ack()).toBe(true)
    await settled()
    expect([tags(messages), acks(broker)]).toEqual([[1, 3], [{ deliveryTag: 3, multiple: false }]])
  })

  it('that its caller gave up stays under way: an ack meanwhile would name what the broker has put back', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock })
    const { channel, messages, deliver } = await consuming(broker, connection)
    await deliver(1)
    broker.on('basic.recover', () => SILENT)
    const outcome = channel.recover({ timeoutMs: 500 }).catch((reason: unknown) => reason)
    await clock.pass(500)
    expect(await outcome).toMatchObject({ code: 'E_TIMEOUT', details: { operation: 'basic.recover' } })
    expect(messages[0]?.ack()).toBe(false)
    broker.link.send(channel.number, 'basic.recover-ok', {})
    await deliver(2)
    expect(messages[1]?.ack()).toBe(true)
    await settled()
    expect(acks(broker)).toEqual([{ deliveryTag: 2, multiple: false }])
  })

  it('ends a wait for handlers that hold messages, and with its channel', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, deliver } = await consuming(broker, connection)
    await deliver(1)
    const settledAll = channel.settle()
    await channel.recover()
    await settledAll
    broker.on('basic.recover', () => SILENT)
    const recovered = channel.recover()
    await broker.link.method('basic.recover', 1)
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    await expect(recovered).rejects.toMatchObject({ code: 'E_CONN_LOST' })
  })

  it('waits for the connection and puts back nothing of the next one', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages, deliver } = await consuming(broker, connection)
    await deliver(1)
    const lost = nextEvent(connection, 'lost')
    broker.link.drop()
    await lost
    await (channel satisfies Channel).recover()
    expect(messages[0]?.ack()).toBe(false)
    expect(broker.links).toHaveLength(2)
    expect(broker.link.all('basic.recover')).toHaveLength(1)
  })
})

import { ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { DIAGNOSTICS, type PublishDiagnostics, type PublishSettledDiagnostics } from '../../src/index.ts'
import { fates } from './outcomes.ts'

type Kind = keyof typeof DIAGNOSTICS

describe('the diagnostics channels', () => {
  const undo: (() => void)[] = []
  afterEach(() => {
    for (const one of undo.splice(0)) one()
  })

  function subscribe<T>(kind: Kind): T[] {
    const events: T[] = []
    const listener = (event: unknown): void => void events.push(event as T)
    DIAGNOSTICS[kind].subscribe(listener)
    undo.push(() => DIAGNOSTICS[kind].unsubscribe(listener))
    return events
  }

  it('have the names under which others subscribe', () => {
    expect(Object.values(DIAGNOSTICS).map(({ name }) => name)).toEqual([
      'hermod.amqp.connection',
      'hermod.amqp.publish',
      'hermod.amqp.publish.settled',
      'hermod.amqp.deliver',
      'hermod.amqp.settle',
    ])
  })

  it('tell of each publish and, with the same object, of its end', async () => {
    const published = subscribe<PublishDiagnostics>('publish')
    const ended = subscribe<PublishSettledDiagnostics>('publishSettled')
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ name: 'billing' })
    const channel = await connection.openChannel()
    broker.onPublish = ({ channel: number, tag, routingKey }, link) => {
      if (routingKey === 'yes') return undefined
      link.send(number, 'basic.nack', { deliveryTag: tag, multiple: false, requeue: false })
      return SILENT
    }
    const properties = { messageId: 'm' }
    const sent = [
      channel.publish('x', 'yes', Buffer.from('body'), { properties }),
      channel.publish('x', 'no', Buffer.alloc(0)),
    ]
    expect(published).toEqual([
      { connection: 'billing', exchange: 'x', routingKey: 'yes', properties, bodyBytes: 4 },
      { connection: 'billing', exchange: 'x', routingKey: 'no', properties: {}, bodyBytes: 0 },
    ])
    expect(await fates(sent)).toEqual(['ok', 'E_NACKED'])
    await settled()
    expect(ended.map(({ publish }) => publish)).toEqual(published)
    expect(ended[0]?.publish).toBe(published[0])
    expect(ended[0]).not.toHaveProperty('error')
    expect(ended[1]?.error).toMatchObject({ code: 'E_NACKED' })
  })

  it('do not make an unhandled rejection of a publish that nobody awaits', async () => {
    subscribe('publishSettled')
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.onPublish = () => SILENT
    void channel.publish('x', 'key', Buffer.alloc(0))
    connection.abort()
    await settled()
    expect(connection.stats().publishesFailed).toBe(1)
  })

  it('tell of deliveries before their handler, and of how each was settled', async () => {
    const order: unknown[] = []
    const note = (kind: string) => (event: unknown) => order.push({ kind, ...(event as object) })
    const [delivered, settledAs] = [note('deliver'), note('settle')]
    DIAGNOSTICS.deliver.subscribe(delivered)
    DIAGNOSTICS.settle.subscribe(settledAs)
    undo.push(() => {
      DIAGNOSTICS.deliver.unsubscribe(delivered)
      DIAGNOSTICS.settle.unsubscribe(settledAs)
    })
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ name: 'billing' })
    const channel = await connection.openChannel()
    const { consumerTag } = await channel.consume('q', {}, (message) => {
      order.push({ kind: 'handler' })
      message.requeue({ multiple: true })
    })
    broker.link.deliver(channel.number, consumerTag, 1, 'm', true)
    await settled()
    const common = { connection: 'billing', deliveryTag: 1 }
    expect(order).toEqual([
      { kind: 'deliver', ...common, consumerTag, exchange: '', routingKey: 'key', redelivered: true },
      { kind: 'handler' },
      { kind: 'settle', ...common, how: 'requeue', multiple: true, stale: false },
    ])
  })

  it('tell of stale settles, and of everything that a connection reports', async () => {
    const statuses = subscribe<{ connection: string; status: { type: string } }>('connection')
    const settles = subscribe<{ stale: boolean }>('settle')
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ name: 'billing' })
    const channel = await connection.openChannel()
    const held: { ack(): boolean }[] = []
    const { consumerTag } = await channel.consume('q', {}, (message) => held.push(message))
    broker.link.deliver(channel.number, consumerTag, 1)
    await settled()
    await connection.close()
    expect(held[0]?.ack()).toBe(false)
    expect(settles).toEqual([expect.objectContaining({ deliveryTag: 1, how: 'ack', stale: true })])
    expect(statuses.map(({ connection: name, status }) => [name, status.type])).toEqual(
      Array.from({ length: 3 }, () => ['billing', 'state']),
    )
  })
})

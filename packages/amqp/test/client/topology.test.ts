import { nextEvent, ScriptedBroker, type BrokerLink } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/index.ts'

async function reconnect(broker: ScriptedBroker, connection: Connection): Promise<BrokerLink> {
  const restored = nextEvent(connection, 'restored')
  broker.link.drop()
  await restored
  return broker.link
}

/** What was declared on a connection, by name. */
const declared = (link: BrokerLink): string[] => [
  ...link.all('exchange.declare').map(({ args }) => args.exchange),
  ...link.all('queue.declare').flatMap(({ args }) => (args.passive ? [] : [args.queue])),
  ...link.all('queue.bind').map(({ args }) => `${args.exchange} → ${args.queue}`),
  ...link.all('exchange.bind').map(({ args }) => `${args.source} → ${args.destination}`),
]
const ignore = (): void => {}

describe('what is declared again after a reconnect', () => {
  it('leaves out an auto-delete queue that went with its last consumer, with its bindings', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareExchange('x', 'topic')
    await channel.declareQueue('auto', { autoDelete: true })
    await channel.bindQueue('auto', 'x', '#')
    const consumers = [await channel.consume('auto', {}, ignore), await channel.consume('auto', {}, ignore)]
    await consumers[0]?.cancel()
    expect(declared(await reconnect(broker, connection))).toEqual(['x', 'auto', 'x → auto'])
    await consumers[1]?.cancel()
    expect(declared(await reconnect(broker, connection))).toEqual(['x'])
  })

  it('keeps an auto-delete queue that was never consumed, and one whose consumer waits', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareQueue('unused', { autoDelete: true })
    await channel.declareQueue('used', { autoDelete: true })
    const subscription = await channel.consume('used', {}, ignore)
    const { link } = broker
    link.send(1, 'basic.cancel', { consumerTag: subscription.consumerTag, noWait: true })
    await link.method('basic.consume', 1)
    expect(declared(link)).toEqual(['unused', 'used', 'used'])
    expect(declared(await reconnect(broker, connection))).toEqual(['unused', 'used'])
  })

  it('leaves out a server-named auto-delete queue under whatever name it had last', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { autoDelete: true, exclusive: true })
    const subscription = await channel.consume(queue, {}, ignore)
    await reconnect(broker, connection)
    expect(subscription.queue).not.toBe(queue)
    await subscription.cancel()
    expect(declared(await reconnect(broker, connection))).toEqual([])
  })

  it('leaves out an auto-delete queue when the channel of its consumer ends', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const [channel, other] = [await connection.openChannel(), await connection.openChannel()]
    await channel.declareQueue('auto', { autoDelete: true })
    await other.consume('auto', {}, ignore)
    await other.close()
    expect(declared(await reconnect(broker, connection))).toEqual([])
  })

  it('leaves out an auto-delete exchange that went with its last binding, and what went with it', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    for (const exchange of ['a', 'b']) await channel.declareExchange(exchange, 'fanout', { autoDelete: true })
    await channel.declareQueue('q')
    await channel.declareQueue('r')
    await channel.bindExchange('b', 'a', '')
    await channel.bindQueue('q', 'b', '')
    await channel.bindQueue('r', 'b', '')
    await channel.unbindQueue('q', 'b', '')
    expect(declared(await reconnect(broker, connection))).toEqual(['a', 'b', 'q', 'r', 'b → r', 'a → b'])
    // b loses its last binding with the queue, and a with b.
    await channel.deleteQueue('r')
    expect(declared(await reconnect(broker, connection))).toEqual(['q'])
  })

  it('keeps an auto-delete exchange that never had a binding, and one that lasts', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareExchange('auto', 'fanout', { autoDelete: true })
    await channel.declareExchange('lasting', 'fanout')
    await channel.declareQueue('q')
    await channel.bindQueue('q', 'lasting', '')
    await channel.unbindQueue('q', 'lasting', '')
    expect(declared(await reconnect(broker, connection))).toEqual(['auto', 'lasting', 'q'])
  })

  it('takes bindings apart by their arguments, of whatever kind', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await channel.declareExchange('h', 'headers')
    await channel.declareQueue('q')
    for (const n of [1, 1n, 2n ** 60n, '1']) await channel.bindQueue('q', 'h', '', { arguments: { n } })
    await channel.unbindQueue('q', 'h', '', { arguments: { n: '1' } })
    const link = await reconnect(broker, connection)
    expect(link.all('queue.bind').map(({ args }) => args.arguments['n'])).toEqual([1, 1, 2n ** 60n])
  })
})

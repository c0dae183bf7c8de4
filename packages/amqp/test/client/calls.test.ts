import { ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

describe('calls on one channel', () => {
  it('take their answers by kind and consumer, because RabbitMQ answers consume and cancel out of turn', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    connection.on('lost', () => expect.unreachable())
    const channel = await connection.openChannel()
    const old = await channel.consume('old', {}, () => {})
    for (const name of ['basic.consume', 'basic.cancel', 'queue.declare', 'basic.get'] as const)
      broker.on(name, () => SILENT)
    const done: string[] = []
    const note = <T>(what: string, work: Promise<T>): Promise<T> => work.finally(() => done.push(what))
    const cancelled = note('cancel', old.cancel())
    const consumed = ['p', 'q'].map((queue) =>
      note(
        `consume ${queue}`,
        channel.consume(queue, {}, () => {}),
      ),
    )
    const declared = note('declare', channel.declareQueue('r'))
    const got = note('get', channel.get('r', { noAck: true }))
    await broker.link.method('basic.get')
    const { link } = broker
    const tags = link.all('basic.consume').map(({ args }) => args.consumerTag)
    link.send(1, 'queue.declare-ok', { queue: 'r', messageCount: 0, consumerCount: 0 })
    link.send(1, 'basic.get-empty', {})
    link.send(1, 'basic.consume-ok', { consumerTag: tags[2] as string })
    link.send(1, 'basic.cancel-ok', { consumerTag: tags[0] as string })
    link.send(1, 'basic.consume-ok', { consumerTag: tags[1] as string })
    const [first, second] = await Promise.all(consumed)
    await Promise.all([cancelled, declared, got])
    expect([first?.queue, second?.queue]).toEqual(['p', 'q'])
    expect(done).toEqual(['declare', 'get', 'consume q', 'cancel', 'consume p'])
    broker.off('basic.cancel')
  })

  it.each([
    ['queue.purge-ok', { messageCount: 0 }],
    ['basic.consume-ok', { consumerTag: 'nobody' }],
    ['tx.commit-ok', {}],
  ] as const)(
    'that were never made are not answered by %s: the connection is made anew',
    async (name, args) => {
      const broker = new ScriptedBroker()
      await using connection = await broker.connect()
      const channel = await connection.openChannel()
      broker.on('queue.declare', (_, link) => {
        if (link !== broker.links[0]) return undefined
        link.send(1, name, args)
        return SILENT
      })
      const failed = channel.declareQueue('q')
      await expect(failed).rejects.toMatchObject({ code: 'E_PROTOCOL', message: `${name} came unasked` })
      await broker.linked(1)
      await settled()
    },
  )
})

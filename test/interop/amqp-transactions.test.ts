import { Connection, type Channel, type Message } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findBroker('administer'))

describe.skipIf(gate.skip)(`transactions with RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  let watcher: Connection
  let queues = 0
  let queue: string

  beforeAll(async () => {
    broker = await startBroker()
    watcher = await Connection.connect(broker.url)
  })
  afterAll(async () => {
    await watcher?.close()
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url, { reconnect: { initialMs: 20, maxMs: 200 } })
    channel = await connection.openChannel({ transactional: true })
    queue = `tx.${++queues}`
    await channel.declareQueue(queue)
  })
  afterEach(() => connection.close())

  const put = (body: string, mandatory = false, routingKey = queue): Promise<void> =>
    channel.publish('', routingKey, Buffer.from(body), { mandatory })
  const fates = async (sent: readonly Promise<void>[]): Promise<string[]> =>
    (await Promise.allSettled(sent)).map((fate) =>
      fate.status === 'fulfilled' ? 'ok' : (fate.reason as { code: string }).code,
    )
  async function contents(): Promise<string[]> {
    const reader = await watcher.openChannel()
    const bodies: string[] = []
    for (;;) {
      const message = await reader.get(queue)
      if (message === undefined) break
      bodies.push(String(message.body))
    }
    await reader.close()
    return bodies
  }
  const ready = async (): Promise<number> => (await watcher.queueStatus(queue))?.messageCount ?? 0

  it('shows nothing before the commit, and everything after it', async () => {
    const sent = ['a', 'b', 'c'].map((body) => put(body))
    await channel.declareQueue(queue)
    expect(await ready()).toBe(0)
    await channel.commit()
    expect(await fates(sent)).toEqual(['ok', 'ok', 'ok'])
    expect(await contents()).toEqual(['a', 'b', 'c'])
  })

  it('takes back what was published', async () => {
    const sent = [put('a'), put('b')]
    await channel.rollback()
    expect(await fates(sent)).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
    const next = put('c')
    await channel.commit()
    expect(await fates([next])).toEqual(['ok'])
    expect(await contents()).toEqual(['c'])
  })

  it('gives back with the commit what no queue took', async () => {
    const sent = [put('a', true), put('b', true, 'nowhere'), put('c', true)]
    await channel.commit()
    expect(await fates(sent)).toEqual(['ok', 'E_UNROUTABLE', 'ok'])
    expect(await contents()).toEqual(['a', 'c'])
  })

  it('settles with the commit, and has acks taken back by the rollback until recover', async () => {
    const sent = ['a', 'b'].map((body) => put(body))
    await channel.commit()
    await Promise.all(sent)
    const messages: Message[] = []
    await channel.consume(queue, {}, (message) => messages.push(message))
    await eventually(() => messages.length === 2)
    messages[0]?.ack()
    messages[1]?.ack()
    await channel.rollback()
    await channel.recover()
    await eventually(() => messages.length === 4)
    expect(messages.slice(2).map(({ redelivered }) => redelivered)).toEqual([true, true])
    messages[2]?.ack()
    messages[3]?.reject()
    await channel.commit()
    await channel.close()
    expect(await contents()).toEqual([])
  })

  it('is lost with its connection: nothing of it was done, and the next one works', async () => {
    const work = put('work')
    await channel.commit()
    await work
    const messages: Message[] = []
    await channel.consume(queue, { prefetchCount: 1 }, (message) => messages.push(message))
    await eventually(() => messages.length === 1)
    const output = `${queue}.out`
    await channel.declareQueue(output)
    const result = put('result', false, output)
    messages[0]?.ack()
    await broker.closeConnections('a test')
    await eventually(() => messages.length === 2)
    // The handler does its work again without having noticed.
    const again = put('result', false, output)
    messages[1]?.ack()
    await expect(channel.commit()).rejects.toMatchObject({ code: 'E_TRANSACTION' })
    expect(await fates([result, again])).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
    // Its ack was rolled back with it: the message is not gone.
    await channel.recover()
    await eventually(() => messages.length === 3)
    const third = put('result', false, output)
    messages[2]?.ack()
    await channel.commit()
    expect(await fates([third])).toEqual(['ok'])
    await channel.close()
    watcher = watcher.state === 'open' ? watcher : await Connection.connect(broker.url)
    expect(await contents()).toEqual([])
    expect((await watcher.queueStatus(output))?.messageCount).toBe(1)
  })

  it('is lost over a message that the broker refuses, and is not uncertain', async () => {
    const sent = [put('a'), channel.publish('no.such.exchange', 'k', Buffer.from('b'))]
    const error = await channel.commit().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_TRANSACTION', cause: { replyCode: 404 } })
    expect((error as { details: object }).details).not.toHaveProperty('uncertain')
    expect(await fates(sent)).toEqual(['E_TRANSACTION', 'E_TRANSACTION'])
    await eventually(() => channel.state === 'open')
    const next = put('c')
    await channel.commit()
    expect(await fates([next])).toEqual(['ok'])
    expect(await contents()).toEqual(['c'])
  })

  it('keeps confirms of other channels apart', async () => {
    const confirmed = await connection.openChannel()
    const open = put('in the transaction')
    await confirmed.publish('', queue, Buffer.from('confirmed'))
    expect(await ready()).toBe(1)
    await channel.rollback()
    expect(await fates([open])).toEqual(['E_TRANSACTION'])
    expect(await contents()).toEqual(['confirmed'])
  })

  it('commits 2000 transactions, each whole', async () => {
    const sent: Promise<void>[] = []
    for (let no = 0; no < 2_000; no++) {
      sent.push(put(`${no}.0`), put(`${no}.1`))
      if (no % 3 === 2) await channel.rollback()
      else await channel.commit()
    }
    const outcomes = await fates(sent)
    const expected = outcomes.flatMap((fate, at) => (fate === 'ok' ? [`${at >> 1}.${at & 1}`] : []))
    expect(expected).toHaveLength(2 * 1_334)
    expect(await contents()).toEqual(expected)
  })
})

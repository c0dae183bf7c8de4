import { Connection, type Channel, type Message } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const gate = needs(findBroker('administer'))

describe.skipIf(gate.skip)(`settling messages of RabbitMQ${gate.note}`, () => {
  let broker: BrokerFixture
  let connection: Connection
  let channel: Channel
  let queues = 0
  let queue: string

  beforeAll(async () => {
    broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
    queue = `settle.${++queues}`
    await channel.declareQueue(`${queue}.dead`)
    await channel.declareQueue(queue, {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `${queue}.dead` },
    })
  })
  afterEach(() => connection.close())

  async function fill(count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, (_, no) => channel.publish('', queue, Buffer.from(`${no}`))),
    )
  }
  async function consumed(count: number): Promise<Message[]> {
    const messages: Message[] = []
    await channel.consume(queue, { prefetchCount: 0 }, (message) => messages.push(message))
    await eventually(() => messages.length === count)
    return messages
  }
  const waiting = async (name = queue): Promise<number> =>
    (await connection.queueStatus(name))?.messageCount ?? -1
  const bodies = (messages: readonly Message[]): number[] => messages.map(({ body }) => Number(body))

  it.each([
    ['ack', 0, 0],
    ['reject', 0, 6],
    ['requeue', 6, 0],
  ] as const)('%s takes everything up to the message with it', async (how, back, dead) => {
    await fill(10)
    const messages = await consumed(10)
    // One in the middle has gone its own way before.
    messages[2]?.ack()
    expect(messages[6]?.[how]({ multiple: true })).toBe(true)
    expect(channel.unsettled).toBe(3)
    if (back > 0) await eventually(() => messages.length === 10 + back)
    expect(bodies(messages.slice(10)).toSorted((a, b) => a - b)).toEqual(back > 0 ? [0, 1, 3, 4, 5, 6] : [])
    await eventually(async () => (await waiting(`${queue}.dead`)) === dead)
    await channel.close()
    channel = await connection.openChannel()
    expect(await waiting()).toBe(3 + back)
    expect(connection.stats()).toMatchObject({ channelErrors: 0, reconnects: 0 })
  })

  it('puts back with recover what is not settled, and takes the new deliveries for what they are', async () => {
    await fill(1_000)
    const messages = await consumed(1_000)
    for (const message of messages.slice(0, 300)) message.ack()
    await channel.recover()
    await eventually(() => messages.length === 1_700)
    const again = messages.slice(1_000)
    expect(again.every(({ redelivered }) => redelivered)).toBe(true)
    expect(bodies(again).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 700 }, (_, at) => 300 + at))
    expect(messages[999]?.ack()).toBe(false)
    for (const message of again) expect(message.ack()).toBe(true)
    await channel.close()
    channel = await connection.openChannel()
    expect(await waiting()).toBe(0)
    expect(connection.stats()).toMatchObject({ channelErrors: 0, staleSettles: 1 })
  })

  it('recovers several times at once, while messages are published, delivered and acked', async () => {
    const settled = new Set<number>()
    const held: Message[] = []
    await channel.consume(queue, { prefetchCount: 50 }, (message) => {
      // Every third delivery is kept and never settled: recover brings it back.
      if (held.length % 3 === 0) held.push(message)
      else {
        held.push(message)
        if (message.ack()) settled.add(Number(message.body))
      }
    })
    const sent = fill(5_000)
    for (let time = 0; time < 200 && settled.size < 5_000; time++) {
      await Promise.all([channel.recover(), channel.recover()])
      await new Promise((resolve) => setImmediate(resolve))
    }
    await sent
    await eventually(
      async () => {
        await channel.recover()
        return settled.size === 5_000
      },
      { timeoutMs: 30_000 },
    )
    await channel.close()
    channel = await connection.openChannel()
    expect(await waiting()).toBe(0)
    expect(connection.stats()).toMatchObject({ channelErrors: 0, reconnects: 0 })
  })

  it('does not end the connection by an ack or a publish behind channel.close, and tells no ack that it was in time', async () => {
    const other = await connection.openChannel()
    let lies = 0
    for (let round = 0; round < 100; round++) {
      await other.publish('', queue, Buffer.from('x'))
      const closing = await connection.openChannel()
      const message = await eventually(async () => (await closing.get(queue)) ?? false)
      const closed = closing.close()
      for (let turn = 0; turn < round % 12; turn++) await new Promise((resolve) => setImmediate(resolve))
      const late = closing.publish('', queue, Buffer.from('late'))
      const inTime = message.ack()
      await expect(late).rejects.toMatchObject({ code: 'E_CHANNEL_CLOSED' })
      await closed
      const again = await other.get(queue, { noAck: true })
      if (inTime === (again !== undefined)) lies++
    }
    expect(lies).toBe(0)
    expect(connection.stats()).toMatchObject({ reconnects: 0, channelErrors: 0 })
  })

  it('settles before it ends, and leaves nothing unacked behind', async () => {
    await fill(200)
    const messages: Message[] = []
    const subscription = await channel.consume(queue, { prefetchCount: 20 }, (message) => {
      messages.push(message)
      setTimeout(() => message.ack(), 1)
    })
    await eventually(() => messages.length >= 40)
    await channel.settle()
    expect(await subscription.closed).toEqual({})
    expect(channel.unsettled).toBe(0)
    const { length } = messages
    expect(await waiting()).toBe(200 - length)
    expect(messages.every(({ state }) => state === 'acked' || state === 'requeued')).toBe(true)
  })

  it('consumes, cancels, declares and gets all at once, whatever is answered first', async () => {
    for (let round = 0; round < 50; round++) {
      const subscriptions = await Promise.all([
        channel.consume(queue, {}, (message) => message.ack()),
        channel.declareQueue(queue, {
          arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `${queue}.dead` },
        }),
        channel.consume(`${queue}.dead`, {}, (message) => message.ack()),
        channel.get(queue, { noAck: true }),
      ])
      await Promise.all([
        subscriptions[0].cancel(),
        channel.purgeQueue(queue),
        subscriptions[2].cancel(),
        channel.get(queue),
        channel.declareQueue(`${queue}.dead`),
      ])
    }
    expect(connection.stats()).toMatchObject({ reconnects: 0, channelErrors: 0 })
  })

  it('refuses channel.flow(false) before RabbitMQ ends the connection over it', async () => {
    await expect(channel.flow(false)).rejects.toMatchObject({ code: 'E_UNSUPPORTED' })
    await channel.flow(true)
    expect(connection.state).toBe('open')
  })
})

import { Connection, Consumer, Exchange, Producer, Queue, type Channel } from '@hermod/amqp'
import {
  eventually,
  findPython,
  findBroker,
  needs,
  startBroker,
  type BrokerFixture,
  type PythonPeer,
} from '@hermod/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'

const gate = needs(findBroker('administer'), findPython(['kombu']))
const lasting = needs(findBroker('durable'))

describe.skipIf(gate.skip)(`Producer on RabbitMQ, and beside kombu's${gate.note}`, () => {
  let broker: BrokerFixture
  let content: PythonPeer
  let emit: PythonPeer
  let connection: Connection
  let channel: Channel
  beforeAll(async () => {
    broker = await startBroker()
    content = startPeer('kombu_content', { url: broker.url })
    emit = startPeer('kombu_emit')
  })
  afterAll(async () => {
    await content?.[Symbol.asyncDispose]()
    await emit?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    connection = await Connection.connect(broker.url)
    channel = await connection.openChannel()
  })
  afterEach(() => connection?.close())

  it.each(['ours first', 'theirs first'])('declares an exchange as kombu does, %s', async (who) => {
    const name = `declared ${who}`
    const exchange = new Exchange(name, 'topic')
    const queue = new Queue(name, { exchange, routingKey: '#' })
    const producer = new Producer(connection, { exchange, declare: [queue], routingKey: 'a.b' })
    const theirs = {
      url: broker.url,
      exchange: { name, durable: true },
      routing_key: 'a.b',
      body: { from: 'kombu' },
    }
    if (who === 'ours first') await producer.publish({ from: 'hermod' })
    await emit.ask(theirs)
    await producer.publish({ from: 'hermod' })
    expect((await connection.queueStatus(name))?.messageCount).toBe(who === 'ours first' ? 3 : 1)
  })

  it('says 406 when the exchange exists otherwise, also when its name was declared before', async () => {
    const producer = new Producer(connection, { exchange: new Exchange('typed', 'topic') })
    await producer.publish(1)
    const publishing = [
      producer.publish(2),
      producer.publish(3, { exchange: new Exchange('typed', 'fanout') }),
      producer.publish(4),
    ]
    const fates = await Promise.allSettled(publishing)
    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(fates[1]).toMatchObject({ reason: { code: 'E_CHANNEL', replyCode: 406 } })
  })

  it('heals when its exchange was deleted behind its back', async () => {
    const exchange = new Exchange('deleted', 'fanout', { durable: false })
    const producer = new Producer(connection, { exchange })
    await producer.publish(1)
    await channel.deleteExchange('deleted')
    await expect(producer.publish(2)).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 404 })
    await producer.publish(3)
    expect(producer.stats()).toMatchObject({ confirmed: 2, failed: 1 })
  })

  it('rejects exactly what no queue took', async () => {
    const exchange = new Exchange('mandatory', 'direct', { durable: false })
    const queue = new Queue('mandatory', { exchange, routingKey: 'yes', durable: false })
    const producer = new Producer(connection, { exchange, declare: [queue], mandatory: true })
    const fates = await Promise.allSettled(
      Array.from({ length: 200 }, (_, id) =>
        producer.publish({ id }, { routingKey: id % 3 === 0 ? 'no' : 'yes' }),
      ),
    )
    expect(fates.map(({ status }) => status)).toEqual(
      Array.from({ length: 200 }, (_, id) => (id % 3 === 0 ? 'rejected' : 'fulfilled')),
    )
    expect(producer.stats()).toMatchObject({ published: 200, confirmed: 133, failed: 67, returned: 67 })
  })

  it('has its reply read by kombu, and reads kombu’s', async () => {
    const requests = await new Queue('requests', { durable: false }).declare(channel)
    const answers = new Queue('answers', { durable: false })
    await answers.declare(channel)
    const options = { reply_to: 'answers', correlation_id: 'c7', serializer: 'json' }
    await content.ask({ do: 'publish', queue: requests, value: 'from kombu', options })
    const producer = new Producer(connection)
    const request = await channel.get(requests, { noAck: true })
    await producer.reply(request as never, 'from hermod')
    expect(await content.ask({ do: 'get', queue: 'answers', accept: ['json'] })).toMatchObject({
      type: 'str',
      text: 'from hermod',
      content_type: 'application/json',
      properties: { correlation_id: 'c7' },
    })

    await producer.publish({ ask: 1 }, { routingKey: requests, replyTo: answers, correlationId: 'c8' })
    await content.ask({ do: 'reply', queue: requests, value: [1, 2], accept: ['json'] })
    const reply = await channel.get('answers', { noAck: true })
    expect(reply?.properties).toMatchObject({ correlationId: 'c8', contentType: 'application/json' })
    expect(String(reply?.body)).toBe('[1, 2]')
  })

  it.skipIf(lasting.skip)(
    'loses nothing that it confirmed when the broker restarts under it, and keeps the order',
    async () => {
      const queue = new Queue('restarted', { exchange: new Exchange('restarted'), routingKey: 'key' })
      const producer = new Producer(connection, {
        exchange: new Exchange('restarted'),
        routingKey: 'key',
        declare: [queue],
        resend: true,
        maxUnconfirmed: 100,
      })
      const count = 2000
      const sent: Promise<void>[] = []
      for (let id = 0; id < count; id++) {
        sent.push(producer.publish({ id }))
        if (id === 1000) {
          await sent[id]
          void broker.restart()
          await eventually(() => connection.state === 'reconnecting', { timeoutMs: 60_000 })
        }
      }
      await Promise.all(sent)
      const seen: number[] = []
      await using consumer = new Consumer(connection, [queue], (body, message) => {
        seen.push((body as { id: number }).id)
        message.ack()
      })
      await consumer.start()
      await eventually(() => new Set(seen).size === count, { timeoutMs: 60_000 })
      expect(seen.filter((id, at) => seen.indexOf(id) === at)).toEqual(
        Array.from({ length: count }, (_, id) => id),
      )
      expect(producer.stats()).toMatchObject({ published: count, confirmed: count, failed: 0 })
    },
  )
})

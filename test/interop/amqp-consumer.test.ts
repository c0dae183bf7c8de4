import { Connection, Consumer, Exchange, Queue, type ConsumerEvents } from '@hermod/amqp'
import { eventually, findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const gate = needs(findBroker())

describe.skipIf(gate.skip)('Consumer on a real broker' + gate.note, () => {
  let broker: BrokerFixture
  let connection: Connection

  beforeAll(async () => {
    broker = await startBroker()
    connection = await Connection.connect(broker.url)
  })

  afterAll(async () => {
    await connection?.close()
    await broker?.[Symbol.asyncDispose]()
  })

  const json = { properties: { contentType: 'application/json' } }

  it('declares its queues and takes from all of them with one handler', async () => {
    const exchange = new Exchange('hermod.test.topic', 'topic', { durable: false, autoDelete: true })
    const queues = ['a', 'b'].map(
      (key) =>
        new Queue(`hermod.test.${key}`, {
          exchange,
          routingKey: `${key}.#`,
          durable: false,
          autoDelete: true,
          expiresMs: 60_000,
        }),
    )
    const seen: unknown[] = []
    await using consumer = new Consumer(connection, queues, (body, message) => {
      seen.push([message.routingKey, body])
      message.ack()
    })
    await consumer.start()
    const channel = await connection.openChannel()
    await channel.publish(exchange.name, 'a.x', Buffer.from('{"n": 1}'), json)
    await channel.publish(exchange.name, 'b.y', Buffer.from('{"n": 2}'), json)
    await channel.publish(exchange.name, 'c.z', Buffer.from('{"n": 3}'), json)
    await eventually(() => seen.length === 2)
    expect(seen).toEqual([
      ['a.x', { n: 1 }],
      ['b.y', { n: 2 }],
    ])
    expect(consumer.stats()).toMatchObject({ received: 2, undecodable: 0 })
    await channel.close()
  })

  it('rejects what it cannot read, counts it, reports it, and has it dead-lettered', async () => {
    const dead = new Queue('hermod.test.dead', { durable: false, autoDelete: true, expiresMs: 60_000 })
    const queue = new Queue('hermod.test.poison', {
      durable: false,
      autoDelete: true,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead.name,
    })
    const channel = await connection.openChannel()
    await dead.declare(channel)
    const seen: unknown[] = []
    const errors: ConsumerEvents['decode-error'][] = []
    await using consumer = new Consumer(connection, [queue], (body, message) => {
      seen.push(body)
      message.ack()
    })
    consumer.on('decode-error', (event) => errors.push(event))
    await consumer.start()
    await channel.publish('', queue.name, Buffer.from('{"broken'), json)
    await channel.publish('', queue.name, Buffer.from('cos'), {
      properties: { contentType: 'application/x-python-serialize' },
    })
    await channel.publish('', queue.name, Buffer.from('"fine"'), json)
    await eventually(() => seen.length === 1 && errors.length === 2)
    expect(errors.map(({ error }) => error.code)).toEqual(['E_DECODE', 'E_CONTENT'])
    expect(consumer.stats()).toMatchObject({ received: 1, undecodable: 2, failed: 0 })
    await eventually(async () => (await connection.queueStatus(dead.name))?.messageCount === 2)
    await channel.deleteQueue(dead.name)
    await channel.close()
  })

  it('rejects the start when the broker refuses a declaration', async () => {
    const channel = await connection.openChannel()
    await channel.declareQueue('hermod.test.other', { durable: false, exclusive: true })
    const queue = new Queue('hermod.test.other', { durable: false, exclusive: true, maxLength: 3 })
    const consumer = new Consumer(connection, [queue], () => {})
    await expect(consumer.start()).rejects.toMatchObject({ code: 'E_CHANNEL', replyCode: 406 })
    await channel.deleteQueue('hermod.test.other')
    await channel.close()
  })
})

import { Connection, Queue, type Message } from '@hermod/amqp'
import { AsyncQueue } from '@hermod/kernel'
import { eventually, nextEvent } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createBroker, type Broker } from '../src/index.ts'

const URL = 'amqp://guest:guest@in-process/'
const FAST = { initialMs: 5, maxMs: 20 }

const open: AsyncDisposable[] = []
const start = (): Broker => {
  const broker = createBroker()
  open.push(broker)
  return broker
}
const connect = async (broker: Broker): Promise<Connection> => {
  const connection = await Connection.connect(URL, { dial: async () => broker.connect(), reconnect: FAST })
  open.unshift(connection)
  return connection
}

afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

describe('the client of @hermod/amqp on a broker in process', () => {
  it('publishes with confirms and consumes ten thousand messages in order', async () => {
    const connection = await connect(start())
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    const bodies: string[] = []
    const done = new AsyncQueue<true>()
    const handler = (message: Message): void => {
      bodies.push(message.body.toString())
      message.ack()
      if (bodies.length === 10_000) done.put(true)
    }
    await channel.consume('q', { prefetchCount: 100 }, handler)
    const sent = Array.from({ length: 10_000 }, (_, index) => String(index))
    await Promise.all(sent.map((body) => channel.publish('', 'q', Buffer.from(body))))
    await done.next()
    expect(bodies).toEqual(sent)
  })

  it('comes back after the broker has dropped its connection, and so do its queues and consumers', async () => {
    const broker = start()
    const connection = await connect(broker)
    const channel = await connection.openChannel()
    await new Queue('q', { durable: false, exclusive: true }).declare(channel)
    const bodies = new AsyncQueue<string>()
    await channel.consume('q', {}, (message) => {
      bodies.put(message.body.toString())
      message.ack()
    })
    const restored = nextEvent(connection, 'restored')
    broker.connections()[0]?.drop()
    await restored
    await eventually(() => expect(broker.consumers()).toHaveLength(1))
    await channel.publish('', 'q', Buffer.from('again'))
    expect((await bodies.next()).value).toBe('again')
  })

  it('is told when the broker is short of memory, and goes on when it is no longer', async () => {
    const broker = start()
    const connection = await connect(broker)
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    broker.setAlarm('memory', true)
    const published = channel.publish('', 'q', Buffer.from('waits'))
    await eventually(() => expect(connection.state).toBe('blocked'))
    expect(broker.connections()[0]?.state).toBe('blocked')
    broker.setAlarm('memory', false)
    await published
    expect(broker.queues()[0]?.ready).toBe(1)
  })
})

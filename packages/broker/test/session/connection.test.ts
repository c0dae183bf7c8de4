import { afterEach, describe, expect, it } from 'vitest'
import { createBroker, type Broker } from '../../src/index.ts'
import { FrameClient } from '../frame-client.ts'

const QUEUE = {
  queue: 'q',
  passive: false,
  durable: false,
  exclusive: false,
  autoDelete: false,
  noWait: false,
  arguments: {},
}
const CONSUME = {
  queue: 'q',
  consumerTag: 'c',
  noLocal: false,
  noAck: false,
  exclusive: false,
  noWait: false,
  arguments: {},
}

const brokers: Broker[] = []
const start = (): Broker => {
  const broker = createBroker()
  brokers.push(broker)
  return broker
}
const client = (broker: Broker): Promise<FrameClient> => new FrameClient(broker.connect()).open()

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

describe('a connection', () => {
  it('publishes, delivers and settles', async () => {
    const peer = await client(start())
    await peer.call(1, 'channel.open', {})
    await peer.call(1, 'queue.declare', QUEUE)
    await peer.call(1, 'basic.consume', CONSUME)
    peer.publish(1, '', 'q', 'hello', { contentType: 'text/plain' })
    expect(await peer.expect('basic.deliver')).toMatchObject({
      args: { consumerTag: 'c', deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'q' },
      properties: { contentType: 'text/plain' },
      body: 'hello',
    })
    peer.send(1, 'basic.ack', { deliveryTag: 1, multiple: false })
    expect((await peer.call(1, 'queue.declare', { ...QUEUE, passive: true })).args).toMatchObject({
      messageCount: 0,
      consumerCount: 1,
    })
    await peer.call(1, 'channel.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 })
    await peer.call(1, 'channel.open', {})
    await peer.call(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 })
  })
})

import { TypedField } from '@hermod/amqp'
import { frame, headerPayload, publishMethod, shortString } from '../raw-frames.ts'
import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

/** RabbitMQ takes nothing on the channel until the queues have what is committed. */
async function commit(stage: Stage, a: FramePeer): Promise<void> {
  a.say(1, 'tx.commit')
  await stage.until(a, 1, 'tx.commit-ok')
}

export const publishing = scriptGroup('publishing', (script) => {
  script('every property comes out as it went in', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const headers = {
      text: 'é',
      yes: true,
      int: 1,
      long: 2n ** 40n,
      double: 1.5,
      bytes: Buffer.from('x'),
      time: new Date(0),
      nothing: null,
      list: [1, 'a', [true]],
      table: { deep: { deeper: 1 } },
      byte: TypedField.int8(-1),
      unsigned: TypedField.uint8(200),
      short: TypedField.int16(-2),
      wide: TypedField.uint32(4_000_000_000),
      float: TypedField.float(0.5),
      decimal: TypedField.decimal(2, 1999),
    }
    const properties = {
      contentType: 'text/plain',
      contentEncoding: 'utf-8',
      headers,
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: new Date(1_700_000_000_000),
      type: 't',
      userId: 'guest',
      appId: 'a',
      clusterId: 'k',
    }
    await stage.publish(a, 1, { routingKey: 'q', properties, body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('an empty body, and empty headers', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', properties: { headers: {} } })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('a body of several frames is cut anew', async (stage) => {
    const a = await stage.open({ tune: { frameMax: 4096 } })
    const b = await stage.open()
    await stage.do(b, 1, 'queue.declare', { queue: 'q' })
    await stage.publish(b, 1, { routingKey: 'q', body: Buffer.alloc(9000, 'y') })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.publish(a, 1, { routingKey: 'q', body: Buffer.alloc(9000, 'z') })
    await stage.do(b, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('a body in frames of one byte', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const parts = Array.from('slowly', (byte) => frame(3, 1, Buffer.from(byte)))
    a.bytes(
      Buffer.concat([publishMethod(1), frame(2, 1, headerPayload(6)), ...parts]),
      'a publish in small frames',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('an exchange and a key of 255 bytes', async (stage) => {
    const a = await stage.open()
    const [exchange, routingKey] = ['x'.repeat(255), 'k'.repeat(255)]
    await stage.do(a, 1, 'exchange.declare', { exchange, type: 'fanout', autoDelete: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange })
    await stage.publish(a, 1, { exchange, routingKey, body: 'x', mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('a mandatory message that nobody takes', async (stage) => {
    const a = await stage.open()
    await stage.publish(a, 1, {
      routingKey: 'nowhere',
      mandatory: true,
      properties: { messageId: 'm', headers: { n: 1 } },
      body: 'back',
    })
    await stage.publish(a, 1, { exchange: 'amq.topic', routingKey: 'no.where', mandatory: true, body: '' })
    await stage.publish(a, 1, {
      exchange: 'amq.topic',
      routingKey: 'no.where',
      mandatory: false,
      body: 'gone',
    })
  })
  script('a property list without flags, and reply-to of the default exchange', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    const properties = Buffer.concat([Buffer.of(0x02, 0x00), shortString('r')])
    a.bytes(
      Buffer.concat([publishMethod(1), frame(2, 1, headerPayload(0, { properties }))]),
      'a publish with reply-to',
    )
    await stage.settle()
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
})

export const confirms = scriptGroup('confirms', (script) => {
  script('confirms count from 1', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: 'before' })
    await stage.do(a, 1, 'confirm.select')
    for (let n = 0; n < 3; n++) {
      a.publish(1, { routingKey: 'q', body: 'x' })
      await stage.confirmed(a, 1)
    }
  })
  script('many at once', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'confirm.select')
    for (let n = 0; n < 50; n++) a.publish(1, { routingKey: n % 2 === 0 ? 'q' : 'nowhere', body: 'x' })
    await stage.confirmed(a, 1, 50)
  })
  script('a return comes before its confirm', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'confirm.select')
    a.publish(1, { routingKey: 'nowhere', body: 'x', mandatory: true })
    await stage.confirmed(a, 1)
    a.publish(1, { routingKey: 'nowhere', body: 'x' })
    await stage.confirmed(a, 1)
  })
  script('a persistent message in a durable queue', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', durable: true })
    await stage.do(a, 1, 'confirm.select')
    a.publish(1, { routingKey: 'q', body: 'x', properties: { deliveryMode: 2 } })
    await stage.confirmed(a, 1)
  })
  script('a publish that closes the channel is not confirmed', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'confirm.select')
    a.publish(1, { routingKey: 'nowhere', body: '1' })
    await stage.confirmed(a, 1)
    await stage.publish(a, 1, { exchange: 'nowhere', body: '2' })
  })
  script('the count begins anew with the channel', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'confirm.select')
    a.publish(1, { routingKey: 'nowhere', body: '1' })
    await stage.confirmed(a, 1)
    await stage.do(a, 1, 'channel.close')
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'confirm.select')
    a.publish(1, { routingKey: 'nowhere', body: '1' })
    await stage.confirmed(a, 1)
  })
  script('a queue that refuses', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    })
    await stage.do(a, 1, 'queue.declare', { queue: 'r', exclusive: true })
    for (const queue of ['q', 'r']) await stage.do(a, 1, 'queue.bind', { queue, exchange: 'amq.fanout' })
    await stage.do(a, 1, 'confirm.select')
    for (let n = 1; n <= 3; n++) {
      a.publish(1, { exchange: 'amq.fanout', body: String(n) })
      await stage.confirmed(a, 1)
    }
    for (const queue of ['q', 'q', 'r', 'r', 'r', 'r'])
      await stage.do(a, 1, 'basic.get', { queue, noAck: true })
    a.publish(1, { exchange: 'amq.fanout', body: '4' })
    await stage.confirmed(a, 1)
  })
})

export const transactions = scriptGroup('transactions', (script) => {
  script('publishes count from their commit', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 2, 'basic.get', { queue: 'q', noAck: true })
    await commit(stage, a)
    await stage.do(a, 2, 'basic.get', { queue: 'q', noAck: true })
  })
  script('publishes that are rolled back', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'tx.rollback')
    await stage.publish(a, 1, { routingKey: 'q', body: '2' })
    await commit(stage, a)
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
  })
  script('publishes to a queue that was deleted and declared anew', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    for (const queue of ['q', 'gone']) await stage.do(a, 1, 'queue.declare', { queue, exclusive: true })
    await stage.do(a, 1, 'tx.select')
    for (const routingKey of ['q', 'gone'])
      await stage.publish(a, 1, { routingKey, mandatory: true, body: `for ${routingKey}` })
    for (const queue of ['q', 'gone']) await stage.do(a, 2, 'queue.delete', { queue })
    await stage.do(a, 2, 'queue.declare', { queue: 'q', exclusive: true })
    await commit(stage, a)
    await stage.do(a, 2, 'basic.get', { queue: 'q', noAck: true })
  })
  script('returns come with the commit', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { routingKey: 'nowhere', mandatory: true, body: '1' })
    await stage.publish(a, 1, { routingKey: 'neither', mandatory: true, body: '2' })
    await commit(stage, a)
  })
  script('acks count from their commit', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 2, { routingKey: 'q', body })
    await stage.do(a, 1, 'tx.select')
    for (let n = 0; n < 3; n++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 2 })
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
    await commit(stage, a)
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'channel.close')
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
  })
  script('acks that are rolled back can be given again', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'tx.select')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'tx.rollback')
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await commit(stage, a)
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
  })
  script('an ack twice in one transaction', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'tx.select')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
  })
  script('an ack of what was never delivered', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'tx.select')
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 5 })
    await commit(stage, a)
  })
  script('a publish to nowhere fails at once', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { exchange: 'nowhere', body: '1' })
  })
  script('a transaction is lost with its channel', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'channel.close')
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('recover within a transaction', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'q', body })
    await stage.do(a, 1, 'tx.select')
    for (let n = 0; n < 2; n++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.recover')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await commit(stage, a)
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
})

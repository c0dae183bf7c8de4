import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'
import type { FramePeer } from '../frame-peer.ts'

/** Publishes numbered messages into `q`, one step each. */
async function fill(stage: Stage, peer: FramePeer, count: number, first = 1): Promise<void> {
  for (let n = first; n < first + count; n++) peer.publish(1, { routingKey: 'q', body: String(n) })
  await stage.settle()
}

/** Empties `q` by get. */
async function drain(stage: Stage, peer: FramePeer, count: number, channel = 1): Promise<void> {
  for (let n = 0; n < count; n++) await stage.do(peer, channel, 'basic.get', { queue: 'q', noAck: true })
}

export const consuming = scriptGroup('consuming', (script) => {
  script('deliveries to a consumer that was there before, and to one that comes after', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 2)
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await fill(stage, a, 2, 3)
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 4, multiple: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a consumer that is named by the broker', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: '' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: '' })
    await stage.do(a, 1, 'basic.cancel', { consumerTag: a.latest('basic.consume-ok').consumerTag })
  })
  script('a consumer without an answer', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', noWait: true })
    await fill(stage, a, 1)
    await stage.do(a, 1, 'basic.cancel', { noWait: true })
    await fill(stage, a, 1, 2)
  })
  script('no-local means nothing', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', noLocal: true })
    await fill(stage, a, 1)
  })
  script('what a cancelled consumer holds stays with the channel', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 2)
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.do(a, 1, 'basic.cancel')
    await fill(stage, a, 1, 3)
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 2 })
    await drain(stage, a, 3)
  })
  script('a tag can be used again when its consumer is cancelled', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (let i = 0; i < 2; i++) {
      await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
      await stage.do(a, 1, 'basic.cancel', { consumerTag: 't' })
    }
  })
  script('consumers take turns', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const channel of [1, 2, 3])
      await stage.do(a, channel, 'basic.consume', { queue: 'q', consumerTag: `c${channel}` })
    for (let n = 1; n <= 7; n++) await fill(stage, a, 1, n)
  })
  script('consumers with prefetch take turns and wait', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const channel of [1, 2]) {
      await stage.do(a, channel, 'basic.qos', { prefetchCount: channel })
      await stage.do(a, channel, 'basic.consume', { queue: 'q', consumerTag: `c${channel}` })
    }
    for (let n = 1; n <= 6; n++) await fill(stage, a, 1, n)
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 3, multiple: true })
  })
  script('prefetch of each consumer of a channel', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'one' })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 2 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'two' })
    for (let n = 1; n <= 5; n++) await fill(stage, a, 1, n)
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 0 })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
  })
  script('prefetch of a channel', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 2, global: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'one' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'two' })
    for (let n = 1; n <= 5; n++) await fill(stage, a, 1, n)
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 3, global: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 0, global: true })
  })
  script('prefetch counts neither get nor what needs no ack', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await fill(stage, a, 5)
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', noAck: true })
  })
  script('prefetch of a channel holds up what needs no ack, and does not count it', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'r', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1, global: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'r', consumerTag: 'free', noAck: true })
    for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'r', body })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'acks' })
    await stage.publish(a, 1, { routingKey: 'q', body: '3' })
    for (const body of ['4', '5']) await stage.publish(a, 1, { routingKey: 'r', body })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 3 })
  })
  script('get counts what is left', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 2)
    await drain(stage, a, 3)
  })
  script('nack gives back in order', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 4)
    for (let i = 0; i < 3; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 2 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 3 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
    await drain(stage, a, 5)
  })
  script('nack of many gives back in order', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 4)
    for (let i = 0; i < 3; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 0, multiple: true })
    await drain(stage, a, 5)
  })
  script('nack without requeue drops', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 3)
    for (let i = 0; i < 3; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 2, multiple: true, requeue: false })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 3, requeue: false })
    await drain(stage, a, 1)
  })
  script('reject gives back', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 2)
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 1, requeue: true })
    await drain(stage, a, 3)
  })
  script('a consumer gets again what it gave back', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await fill(stage, a, 2)
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 2, requeue: true })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 3 })
  })
  script('who gives back has room for it before the others are asked', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', arguments: { 'x-priority': 1 } })
    await fill(stage, a, 1)
    await stage.do(a, 2, 'basic.consume', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
  })
  script('recover gives back everything', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await fill(stage, a, 3)
    for (let i = 0; i < 3; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 2 })
    await stage.do(a, 1, 'basic.recover')
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 3 })
    await stage.reopen(a)
    await drain(stage, a, 3)
  })
  script('recover of a consumer', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await fill(stage, a, 2)
    await stage.do(a, 1, 'basic.recover')
    await stage.do(a, 1, 'basic.recover-async')
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 0, multiple: true })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a connection that breaks gives back what it held', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q' })
    await fill(stage, a, 3)
    await stage.do(b, 1, 'basic.qos', { prefetchCount: 2 })
    await stage.do(b, 1, 'basic.consume', { queue: 'q' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    b.drop()
    await stage.until(a, 1, 'basic.deliver', 2)
  })
  script('a consumer whose queue is deleted, and its tag', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
    await fill(stage, a, 1)
    await stage.do(a, 1, 'queue.delete', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 't' })
  })
  script('consumer priorities', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const [channel, priority] of [
      [1, 0],
      [2, 10],
      [3, -5],
    ] as const) {
      await stage.do(a, channel, 'basic.qos', { prefetchCount: 2 })
      await stage.do(a, channel, 'basic.consume', { queue: 'q', arguments: { 'x-priority': priority } })
    }
    for (let n = 1; n <= 6; n++) await fill(stage, a, 1, n)
    await fill(stage, a, 1, 7)
    await stage.do(a, 3, 'basic.ack', { deliveryTag: 1 })
  })
  for (const priority of ['high', 1.5, true, null]) {
    script(`a consumer priority of ${String(priority)}`, async (stage) => {
      const a = await stage.open()
      await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
      await stage.do(a, 1, 'basic.consume', { queue: 'q', arguments: { 'x-priority': priority } })
    })
  }
  script('an exclusive consumer', async (stage) => {
    const [a, b] = [await stage.open({ channels: [1, 2] }), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q' })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', exclusive: true })
    await stage.do(b, 1, 'basic.consume', { queue: 'q' })
    await stage.do(a, 2, 'basic.consume', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.cancel')
    await stage.reopen(b)
    await stage.do(b, 1, 'basic.consume', { queue: 'q' })
    await stage.reopen(a, 2)
    await stage.do(a, 2, 'basic.consume', { queue: 'q', exclusive: true })
  })
  script('get beside an exclusive consumer', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', exclusive: true })
    await fill(stage, a, 2)
    await drain(stage, a, 1, 2)
  })
  script('what is refused and comes round finds room where it was', async (stage) => {
    const a = await stage.open()
    const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q' }
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: dead })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'high' })
    const low = { consumerTag: 'low', noAck: true, arguments: { 'x-priority': -1 } }
    await stage.do(a, 1, 'basic.consume', { queue: 'q', ...low })
    for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'q', body })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await stage.until(a, 1, 'basic.deliver')
  })
  script('what waits is delivered before what is refused comes round', async (stage) => {
    const a = await stage.open()
    const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q', 'x-max-length': 1 }
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: dead })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'q', body })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await stage.until(a, 1, 'basic.deliver')
    a.say(1, 'basic.ack', { deliveryTag: 2 })
    await stage.until(a, 1, 'basic.deliver')
  })
  for (const how of ['nack', 'recover'] as const) {
    script(
      `the room of a channel is for the highest priority, whoever gives back by ${how}`,
      async (stage) => {
        const a = await stage.open()
        await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
        for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'q', body })
        await stage.do(a, 1, 'basic.qos', { prefetchCount: 1, global: true })
        await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'low' })
        const high = { consumerTag: 'high', arguments: { 'x-priority': 1 } }
        await stage.do(a, 1, 'basic.consume', { queue: 'q', ...high })
        if (how === 'nack') await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
        else await stage.do(a, 1, 'basic.recover')
      },
    )
  }
  script('a limit of the channel that is lifted serves the highest priority first', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1, global: true })
    await stage.do(a, 1, 'basic.consume', {
      queue: 'q',
      consumerTag: 'low',
      arguments: { 'x-priority': -1 },
    })
    await stage.do(a, 1, 'basic.consume', { queue: 'q', consumerTag: 'high' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 0, global: true })
  })
})

export const singleActiveConsumer = scriptGroup('single active consumer', (script) => {
  const declaration = {
    queue: 'q',
    exclusive: true,
    arguments: { 'x-single-active-consumer': true },
  } as const
  script('the next takes over', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', declaration)
    for (const channel of [2, 3])
      await stage.do(a, channel, 'basic.consume', { queue: 'q', consumerTag: `c${channel}` })
    await fill(stage, a, 3)
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 2, 'basic.cancel', { consumerTag: 'c2' })
    await fill(stage, a, 1, 4)
    await stage.do(a, 2, 'channel.close')
    await stage.settle()
  })
  script('what waits when the active one goes', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', declaration)
    await stage.do(a, 2, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 2, 'basic.consume', { queue: 'q', consumerTag: 'first' })
    await stage.do(a, 3, 'basic.consume', { queue: 'q', consumerTag: 'next' })
    await fill(stage, a, 2)
    await stage.do(a, 2, 'basic.cancel', { consumerTag: 'first' })
    a.publish(1, { routingKey: 'q', body: '3' })
    // RabbitMQ's queue fails over it, which takes a while.
    await stage.pause(100)
  })
  script('get', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', declaration)
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.reopen(a)
    await fill(stage, a, 1)
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.reopen(a)
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('an exclusive consumer is refused', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', declaration)
    await stage.do(a, 1, 'basic.consume', { queue: 'q', exclusive: true })
  })
  script('prefetch of the active one holds the queue', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', declaration)
    for (const channel of [2, 3]) {
      await stage.do(a, channel, 'basic.qos', { prefetchCount: 1 })
      await stage.do(a, channel, 'basic.consume', { queue: 'q', consumerTag: `c${channel}` })
    }
    await fill(stage, a, 3)
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 1 })
  })
  script('a consumer of higher priority waits all the same', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3] })
    await stage.do(a, 1, 'queue.declare', declaration)
    await stage.do(a, 2, 'basic.consume', { queue: 'q', consumerTag: 'low' })
    await stage.do(a, 3, 'basic.consume', {
      queue: 'q',
      consumerTag: 'high',
      arguments: { 'x-priority': 10 },
    })
    await fill(stage, a, 2)
  })
})

import type { FieldTable } from '@hermod/amqp'
import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

/** A queue `dead`, and `q`, whose dead letters go there. */
async function declare(stage: Stage, a: FramePeer, args: FieldTable = {}): Promise<void> {
  await stage.do(a, 1, 'queue.declare', { queue: 'dead', exclusive: true })
  const dlx = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' }
  await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: { ...dlx, ...args } })
}

const get = (stage: Stage, a: FramePeer, queue: string): Promise<void> =>
  stage.do(a, 1, 'basic.get', { queue, noAck: true })

/** A consumer of the dead letters, which waits for `count` of them. */
async function awaitDead(stage: Stage, a: FramePeer, count = 1): Promise<void> {
  a.say(1, 'basic.consume', { queue: 'dead', consumerTag: 'undertaker', noAck: true })
  await stage.until(a, 1, 'basic.deliver', count)
}

export const expiry = scriptGroup('expiry', (script) => {
  script('a message of its own ttl', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    a.publish(1, { routingKey: 'q', properties: { expiration: '20' }, body: 'x' })
    await awaitDead(stage, a)
    await get(stage, a, 'q')
  })
  script('the ttl of a queue', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 20 })
    a.publish(1, { routingKey: 'q', body: 'x' })
    await awaitDead(stage, a)
  })
  script('the shorter of both', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 30 })
    a.publish(1, { routingKey: 'q', properties: { expiration: '600000' }, body: 'x' })
    await awaitDead(stage, a)
  })
  script('a ttl of 0 with nobody to take the message', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    a.publish(1, { routingKey: 'q', properties: { expiration: '0' }, body: 'x' })
    await awaitDead(stage, a)
  })
  script('a ttl of 0 with a consumer', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 0 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: 'in time' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
  })
  script('a ttl of 0 behind a consumer that is full', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 0 })
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    a.publish(1, { routingKey: 'q', body: '2' })
    await awaitDead(stage, a)
  })
  script('only the head of a queue expires', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await declare(stage, a)
    await stage.publish(a, 1, { routingKey: 'q', body: 'lasting' })
    await stage.publish(a, 1, { routingKey: 'q', properties: { expiration: '10' }, body: 'short' })
    await stage.publish(a, 1, { routingKey: 'q', body: 'lasting too' })
    await stage.pause(40)
    await get(stage, a, 'dead')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await get(stage, a, 'q')
    await awaitDead(stage, a)
    await get(stage, a, 'q')
  })
  script('what is due behind a higher priority waits', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-priority': 5 })
    for (const priority of [3, 1])
      await stage.publish(a, 1, {
        routingKey: 'q',
        properties: { priority, expiration: priority === 1 ? '10' : '600000' },
        body: `${priority}`,
      })
    await stage.pause(40)
    await get(stage, a, 'dead')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await get(stage, a, 'q')
    await awaitDead(stage, a)
    await get(stage, a, 'q')
  })
  script('what a limit of length brings to the head is due at once', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 2 })
    await stage.publish(a, 1, { routingKey: 'q', body: 'lasting' })
    await stage.publish(a, 1, { routingKey: 'q', properties: { expiration: '10' }, body: 'short' })
    await stage.pause(40)
    await stage.publish(a, 1, { routingKey: 'q', body: 'one too many' })
    await stage.pause(20)
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await awaitDead(stage, a, 2)
  })
  script('what was given back expires', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 50 })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.pause(60)
    a.say(1, 'basic.nack', { deliveryTag: 1 })
    await awaitDead(stage, a)
  })
  script('what is delivered does not expire', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-message-ttl': 20 })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.pause(40)
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await get(stage, a, 'dead')
  })
  script('a queue that expires', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'queue.declare', { queue: 'q', arguments: { 'x-expires': 100 } })
    await stage.do(b, 1, 'basic.consume', { queue: 'q' })
    await stage.pause(150)
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
    await stage.do(b, 1, 'basic.cancel')
    await stage.pause(250)
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a queue that expires sends nothing to its dead-letter exchange', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-expires': 50 })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.pause(150)
    await get(stage, a, 'dead')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
})

export const deadLetters = scriptGroup('dead letters', (script) => {
  script('what is refused', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    const properties = { headers: { own: 1 }, messageId: 'm', deliveryMode: 1 }
    await stage.publish(a, 1, { routingKey: 'q', properties, body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await awaitDead(stage, a)
  })
  script('what is nacked, many at once', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    for (let n = 0; n < 3; n++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: false })
    await awaitDead(stage, a, 3)
  })
  script('what is too much', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 1 })
    for (const body of ['1', '2']) a.publish(1, { routingKey: 'q', body })
    await awaitDead(stage, a)
    await get(stage, a, 'q')
  })
  script('what is refused at the gate', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 1, 'x-overflow': 'reject-publish-dlx' })
    await stage.do(a, 1, 'confirm.select')
    for (const body of ['1', '2']) {
      a.publish(1, { routingKey: 'q', body })
      await stage.confirmed(a, 1)
    }
    await awaitDead(stage, a)
    await get(stage, a, 'q')
  })
  script('the routing key of the message where none is set', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'exchange.declare', { exchange: 'x', type: 'topic' })
    await stage.do(a, 1, 'queue.declare', { queue: 'dead', exclusive: true })
    await stage.do(a, 1, 'queue.bind', { queue: 'dead', exchange: 'x', routingKey: '#' })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': 'x' },
    })
    await stage.do(a, 1, 'queue.bind', { queue: 'q', exchange: 'amq.fanout' })
    await stage.publish(a, 1, {
      exchange: 'amq.fanout',
      routingKey: 'its.own',
      properties: { headers: { CC: ['copy'], BCC: ['blind'] } },
      body: 'x',
    })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await awaitDead(stage, a)
  })
  script('a routing key of its own takes the copies away', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await stage.do(a, 1, 'queue.declare', { queue: 'copy', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', properties: { headers: { CC: ['copy'] } }, body: 'x' })
    await get(stage, a, 'copy')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.reject', { deliveryTag: 2, requeue: false })
    await awaitDead(stage, a)
    await get(stage, a, 'copy')
  })
  script('an exchange that is not there', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': 'nowhere' },
    })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('twice through the same queue', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'r' },
    })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'r',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q' },
    })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    for (const [tag, queue] of [
      [1, 'q'],
      [2, 'r'],
      [3, 'q'],
      [4, 'r'],
    ] as const) {
      await stage.do(a, 1, 'basic.consume', { queue, consumerTag: queue + String(tag) })
      await stage.do(a, 1, 'basic.cancel', { consumerTag: queue + String(tag) })
      await stage.do(a, 1, 'basic.reject', { deliveryTag: tag, requeue: false })
    }
    await get(stage, a, 'q')
    await get(stage, a, 'r')
  })
  script('round through three queues, refused in one', async (stage) => {
    const a = await stage.open()
    const to = (key: string, more: FieldTable = {}): object => ({
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': key, ...more },
    })
    await stage.do(a, 1, 'queue.declare', { queue: 'work', ...to('wait') })
    await stage.do(a, 1, 'queue.declare', { queue: 'wait', ...to('again', { 'x-message-ttl': 1 }) })
    await stage.do(a, 1, 'queue.declare', { queue: 'again', ...to('work', { 'x-message-ttl': 1 }) })
    await stage.do(a, 1, 'basic.consume', { queue: 'work' })
    await stage.publish(a, 1, { routingKey: 'work', body: 'x' })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await stage.until(a, 1, 'basic.deliver')
    a.say(1, 'basic.reject', { deliveryTag: 2, requeue: false })
    await stage.pause(150)
  })
  script('a circle of expiry ends', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-message-ttl': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'r' },
    })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'r',
      exclusive: true,
      arguments: { 'x-message-ttl': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q' },
    })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.pause(20)
    await get(stage, a, 'q')
    await get(stage, a, 'r')
  })
  script('a queue that sends its dead to itself', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-dead-letter-exchange': '' },
    })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 2, requeue: false })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('different ends in different queues', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'dead', exclusive: true })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-message-ttl': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'r' },
    })
    await stage.do(a, 1, 'queue.declare', {
      queue: 'r',
      exclusive: true,
      arguments: { 'x-max-length': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' },
    })
    a.publish(1, { routingKey: 'q', properties: { expiration: '5000' }, body: 'x' })
    await awaitDead(stage, a)
  })
  script('headers that pretend a history', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await stage.publish(a, 1, {
      routingKey: 'q',
      properties: { headers: { 'x-death': [{ queue: 'q', reason: 'rejected', count: 5 }] } },
      body: 'x',
    })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await awaitDead(stage, a)
  })
  script('headers that pretend a history and repeat themselves', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    const old = { queue: 'old', reason: 'expired' }
    const deaths = [{ ...old, count: 7 }, { ...old, count: 3 }, { ...old }]
    for (const history of [[old, old, old], deaths, [old]])
      await stage.publish(a, 1, {
        routingKey: 'q',
        properties: { headers: { 'x-death': history } },
        body: 'x',
      })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.nack', { deliveryTag: 3, multiple: true, requeue: false })
    await awaitDead(stage, a, 3)
  })
  script('a history that is no history', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await stage.publish(a, 1, {
      routingKey: 'q',
      properties: { headers: { 'x-death': 'plague' } },
      body: 'x',
    })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false })
    await awaitDead(stage, a)
  })
  script('purge and delete bury nothing', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'queue.purge', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'queue.delete', { queue: 'q' })
    await get(stage, a, 'dead')
  })
})

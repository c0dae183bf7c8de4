import type { FieldTable } from '@hermod/amqp'
import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

/** A quorum queue `q`, on a channel with confirms. */
async function declare(stage: Stage, a: FramePeer, args: FieldTable = {}): Promise<void> {
  a.say(1, 'queue.declare', { queue: 'q', durable: true, arguments: { 'x-queue-type': 'quorum', ...args } })
  await stage.until(a, 1, 'queue.declare-ok')
  await stage.do(a, 1, 'confirm.select')
}

async function put(stage: Stage, a: FramePeer, ...bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    a.publish(1, { routingKey: 'q', body })
    await stage.confirmed(a, 1)
  }
}

/** Says something upon which `count` deliveries come. */
async function delivered(stage: Stage, a: FramePeer, count: number, say: () => void): Promise<void> {
  say()
  await stage.until(a, 1, 'basic.deliver', count)
}

export const quorumQueues = scriptGroup('quorum queues', (script) => {
  script('publish, consume and ack', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await put(stage, a, '1', '2')
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await delivered(stage, a, 1, () => a.say(1, 'basic.consume', { queue: 'q' }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.ack', { deliveryTag: 1 }))
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 2 })
    await stage.do(a, 1, 'basic.cancel')
  })
  script('get and its counts', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await put(stage, a, '1', '2')
    a.say(1, 'basic.get', { queue: 'q' })
    await stage.until(a, 1, 'basic.get-ok')
    a.say(1, 'basic.get', { queue: 'q', noAck: true })
    await stage.until(a, 1, 'basic.get-ok')
    a.say(1, 'basic.get', { queue: 'q', noAck: true })
    await stage.until(a, 1, 'basic.get-empty')
  })
  script('what is given back counts its deliveries', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await put(stage, a, '1')
    await delivered(stage, a, 1, () => a.say(1, 'basic.consume', { queue: 'q' }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.nack', { deliveryTag: 1 }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.reject', { deliveryTag: 2, requeue: true }))
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 3 })
  })
  script('a delivery limit', async (stage) => {
    const a = await stage.open()
    a.say(1, 'queue.declare', { queue: 'dead', exclusive: true })
    await declare(stage, a, {
      'x-delivery-limit': 1,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'dead',
    })
    await stage.do(a, 1, 'basic.consume', { queue: 'dead', consumerTag: 'undertaker', noAck: true })
    await put(stage, a, '1')
    await delivered(stage, a, 1, () => a.say(1, 'basic.consume', { queue: 'q' }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.nack', { deliveryTag: 1 }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.nack', { deliveryTag: 2 }))
  })
  script('what a channel held is given back to the next', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await declare(stage, a)
    await put(stage, a, '1', '2')
    a.say(2, 'basic.consume', { queue: 'q' })
    await stage.until(a, 2, 'basic.deliver', 2)
    await stage.do(a, 2, 'channel.close')
    await delivered(stage, a, 2, () => a.say(1, 'basic.consume', { queue: 'q' }))
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 0, multiple: true })
  })
  script('what is refused goes to its dead letters', async (stage) => {
    const a = await stage.open()
    a.say(1, 'queue.declare', { queue: 'dead', exclusive: true })
    await declare(stage, a, { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' })
    await stage.do(a, 1, 'basic.consume', { queue: 'dead', consumerTag: 'undertaker', noAck: true })
    await put(stage, a, '1')
    await delivered(stage, a, 1, () => a.say(1, 'basic.consume', { queue: 'q' }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.reject', { deliveryTag: 1, requeue: false }))
    await stage.reopen(a)
  })
  script('a length limit', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 1 })
    await put(stage, a, '1', '2')
    await delivered(stage, a, 1, () => a.say(1, 'basic.consume', { queue: 'q', noAck: true }))
  })
  script('global prefetch', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1, global: true })
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
  })
  script('single active consumer', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await declare(stage, a, { 'x-single-active-consumer': true })
    a.say(1, 'basic.consume', { queue: 'q', consumerTag: 'first' })
    await stage.until(a, 1, 'basic.consume-ok')
    a.say(2, 'basic.consume', { queue: 'q', consumerTag: 'second' })
    await stage.until(a, 2, 'basic.consume-ok')
    a.publish(1, { routingKey: 'q', body: '1' })
    await a.heard(1, 'basic.deliver')
    await stage.confirmed(a, 1)
    // It closes the channel of the first consumer, and the second has its turn, once the members agree.
    a.say(1, 'basic.get', { queue: 'q' })
    await stage.until(a, 2, 'basic.deliver')
  })
  script('a limit of length that refuses', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 2, 'x-overflow': 'reject-publish' })
    for (const body of ['1', '2', '3', '4']) {
      await put(stage, a, body)
      // The queue tells the channel that it is full.
      await stage.pause(100)
    }
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('a limit of length with the mode of classic queues', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, { 'x-max-length': 1, 'x-overflow': 'reject-publish-dlx' })
    await put(stage, a, '1', '2', '3')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('dead letters at least once that nobody takes count for the limit', async (stage) => {
    const a = await stage.open()
    await declare(stage, a, {
      'x-max-length': 2,
      'x-overflow': 'reject-publish',
      'x-dead-letter-strategy': 'at-least-once',
      'x-dead-letter-exchange': 'none',
    })
    for (const deliveryTag of [1, 2, 3]) {
      await put(stage, a, `${deliveryTag}`)
      a.say(1, 'basic.get', { queue: 'q' })
      await stage.until(a, 1, 'basic.get-ok')
      a.say(1, 'basic.reject', { deliveryTag, requeue: false })
      await stage.pause(100)
    }
    await put(stage, a, '4')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('who came first is active next, whatever the priorities', async (stage) => {
    const a = await stage.open({ channels: [1, 2, 3, 4] })
    await declare(stage, a, { 'x-single-active-consumer': true })
    for (const [channel, priority] of [
      [2, 5],
      [3, 1],
      [4, 9],
    ] as const) {
      a.say(channel, 'basic.consume', {
        queue: 'q',
        consumerTag: `c${channel}`,
        arguments: { 'x-priority': priority },
      })
      await stage.until(a, channel, 'basic.consume-ok')
    }
    a.publish(1, { routingKey: 'q', body: '1' })
    await a.heard(2, 'basic.deliver')
    await stage.confirmed(a, 1)
    a.say(2, 'basic.ack', { deliveryTag: 1 })
    a.say(2, 'basic.cancel', { consumerTag: 'c2' })
    await stage.until(a, 2, 'basic.cancel-ok')
    a.publish(1, { routingKey: 'q', body: '2' })
    await a.heard(3, 'basic.deliver')
    await stage.confirmed(a, 1)
  })
  script('an exclusive consumer', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    a.say(1, 'basic.consume', { queue: 'q', exclusive: true })
    await stage.until(a, 1, 'basic.consume-ok')
  })
  script('purge and delete', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    await put(stage, a, '1', '2')
    a.say(1, 'queue.purge', { queue: 'q' })
    await stage.until(a, 1, 'queue.purge-ok')
    await put(stage, a, '3')
    a.say(1, 'queue.delete', { queue: 'q' })
    await stage.until(a, 1, 'queue.delete-ok')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  for (const conditions of [{ ifUnused: true }, { ifEmpty: true }]) {
    script(`delete with ${Object.keys(conditions).join()}`, async (stage) => {
      const a = await stage.open()
      await declare(stage, a)
      a.say(1, 'queue.delete', { queue: 'q', ...conditions })
      await stage.until(a, 1, 'queue.delete-ok')
    })
  }
  script('delete of a queue that is consumed', async (stage) => {
    const a = await stage.open()
    await declare(stage, a)
    a.say(1, 'basic.consume', { queue: 'q' })
    await stage.until(a, 1, 'basic.consume-ok')
    a.say(1, 'queue.delete', { queue: 'q' })
    await a.heard(1, 'basic.cancel')
    await stage.until(a, 1, 'queue.delete-ok')
  })
})

/** A stream `q` with messages in it. */
async function stream(stage: Stage, a: FramePeer, ...bodies: readonly string[]): Promise<void> {
  a.say(1, 'queue.declare', { queue: 'q', durable: true, arguments: { 'x-queue-type': 'stream' } })
  await stage.until(a, 1, 'queue.declare-ok')
  await stage.do(a, 1, 'confirm.select')
  for (const body of bodies) {
    a.publish(1, { routingKey: 'q', body })
    await stage.confirmed(a, 1)
  }
}

export const streams = scriptGroup('streams', (script) => {
  for (const [offset, count] of [
    ['first', 3],
    [1, 2],
    [0, 3],
  ] as const) {
    script(`from offset ${offset}`, async (stage) => {
      const a = await stage.open()
      await stream(stage, a, '0', '1', '2')
      await stage.do(a, 1, 'basic.qos', { prefetchCount: 10 })
      await delivered(stage, a, count, () =>
        a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': offset } }),
      )
      await stage.do(a, 1, 'basic.ack', { deliveryTag: count, multiple: true })
      await stage.do(a, 1, 'basic.cancel')
    })
  }
  for (const offset of ['next', undefined]) {
    script(`from offset ${offset}`, async (stage) => {
      const a = await stage.open()
      await stream(stage, a, '0', '1')
      await stage.do(a, 1, 'basic.qos', { prefetchCount: 10 })
      a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': offset } })
      await stage.until(a, 1, 'basic.consume-ok')
      a.publish(1, { routingKey: 'q', body: '2' })
      await a.heard(1, 'basic.deliver')
      await stage.confirmed(a, 1)
    })
  }
  script('prefetch holds a stream, and acks let it go on', async (stage) => {
    const a = await stage.open()
    await stream(stage, a, '0', '1', '2')
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await delivered(stage, a, 1, () =>
      a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': 'first' } }),
    )
    await delivered(stage, a, 1, () => a.say(1, 'basic.ack', { deliveryTag: 1 }))
    await delivered(stage, a, 1, () => a.say(1, 'basic.nack', { deliveryTag: 2, requeue: true }))
  })
  script('reject in a stream', async (stage) => {
    const a = await stage.open()
    await stream(stage, a, '0')
    await stage.do(a, 1, 'basic.qos', { prefetchCount: 1 })
    await delivered(stage, a, 1, () =>
      a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': 'first' } }),
    )
    await stage.do(a, 1, 'basic.reject', { deliveryTag: 1, requeue: false })
  })
  script('two consumers read by themselves', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stream(stage, a, '0')
    for (const channel of [1, 2]) {
      await stage.do(a, channel, 'basic.qos', { prefetchCount: 10 })
      a.say(channel, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': 'first' } })
      await stage.until(a, channel, 'basic.deliver')
    }
  })
  const refused: readonly (readonly [title: string, say: (a: FramePeer) => void])[] = [
    ['consume without prefetch', (a) => a.say(1, 'basic.consume', { queue: 'q' })],
    [
      'consume without acks',
      (a) => {
        a.say(1, 'basic.qos', { prefetchCount: 1 })
        a.say(1, 'basic.consume', { queue: 'q', noAck: true })
      },
    ],
    [
      'consume from an offset that is none',
      (a) => {
        a.say(1, 'basic.qos', { prefetchCount: 1 })
        a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': 'middle' } })
      },
    ],
    [
      'consume from an offset of a wrong type',
      (a) => {
        a.say(1, 'basic.qos', { prefetchCount: 1 })
        a.say(1, 'basic.consume', { queue: 'q', arguments: { 'x-stream-offset': true } })
      },
    ],
    [
      'an exclusive consumer',
      (a) => {
        a.say(1, 'basic.qos', { prefetchCount: 1 })
        a.say(1, 'basic.consume', { queue: 'q', exclusive: true })
      },
    ],
    [
      'global prefetch',
      (a) => {
        a.say(1, 'basic.qos', { prefetchCount: 1, global: true })
        a.say(1, 'basic.consume', { queue: 'q' })
      },
    ],
    ['get', (a) => a.say(1, 'basic.get', { queue: 'q' })],
    ['purge', (a) => a.say(1, 'queue.purge', { queue: 'q' })],
    ['delete if unused', (a) => a.say(1, 'queue.delete', { queue: 'q', ifUnused: true })],
    ['delete if empty', (a) => a.say(1, 'queue.delete', { queue: 'q', ifEmpty: true })],
    [
      'declared again with another max-age',
      (a) =>
        a.say(1, 'queue.declare', {
          queue: 'q',
          durable: true,
          arguments: { 'x-queue-type': 'stream', 'x-max-age': '1h' },
        }),
    ],
  ]
  for (const [title, say] of refused) {
    script(title, async (stage) => {
      const a = await stage.open()
      await stream(stage, a)
      say(a)
      await stage.settle()
    })
  }
})

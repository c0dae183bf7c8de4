import type { FramePeer } from '../frame-peer.ts'
import { headerPayload, frame, publishMethod } from '../raw-frames.ts'
import { scriptGroup } from '../script.ts'

export const channelErrors = scriptGroup('errors of channels', (script) => {
  const refused: readonly (readonly [title: string, say: (a: FramePeer) => void])[] = [
    ['get from a queue that is not there', (a) => a.say(1, 'basic.get', { queue: 'nowhere' })],
    ['get without a queue', (a) => a.say(1, 'basic.get')],
    ['consume from a queue that is not there', (a) => a.say(1, 'basic.consume', { queue: 'nowhere' })],
    ['consume without a queue', (a) => a.say(1, 'basic.consume')],
    ['purge of a queue that is not there', (a) => a.say(1, 'queue.purge', { queue: 'nowhere' })],
    ['delete without a queue', (a) => a.say(1, 'queue.delete')],
    ['a passive declaration without a queue', (a) => a.say(1, 'queue.declare', { passive: true })],
    ['bind without a queue', (a) => a.say(1, 'queue.bind', { exchange: 'amq.direct', routingKey: 'k' })],
    [
      'bind of a queue that is not there',
      (a) => a.say(1, 'queue.bind', { queue: 'nowhere', exchange: 'amq.direct' }),
    ],
    [
      'publish to an exchange that is not there',
      (a) => a.publish(1, { exchange: 'nowhere', routingKey: 'k', body: 'x' }),
    ],
    [
      'a passive declaration of an exchange that is not there',
      (a) => a.say(1, 'exchange.declare', { exchange: 'nowhere', passive: true }),
    ],
    ['ack of a tag that was not given', (a) => a.say(1, 'basic.ack', { deliveryTag: 7 })],
    ['ack of tag 0', (a) => a.say(1, 'basic.ack', { deliveryTag: 0 })],
    [
      'multiple ack of a tag that was not given',
      (a) => a.say(1, 'basic.ack', { deliveryTag: 7, multiple: true }),
    ],
    ['nack of a tag that was not given', (a) => a.say(1, 'basic.nack', { deliveryTag: 7 })],
    [
      'multiple nack of a tag that was not given',
      (a) => a.say(1, 'basic.nack', { deliveryTag: 7, multiple: true }),
    ],
    ['reject of a tag that was not given', (a) => a.say(1, 'basic.reject', { deliveryTag: 7 })],
    ['commit without a transaction', (a) => a.say(1, 'tx.commit')],
    ['rollback without a transaction', (a) => a.say(1, 'tx.rollback')],
    [
      'a user id of somebody else',
      (a) => a.publish(1, { routingKey: 'q', properties: { userId: 'somebody' } }),
    ],
    [
      'an expiration that is no number',
      (a) => a.publish(1, { routingKey: 'q', properties: { expiration: 'soon' } }),
    ],
    ['an expiration below zero', (a) => a.publish(1, { routingKey: 'q', properties: { expiration: '-1' } })],
    [
      'an expiration that is a fraction',
      (a) => a.publish(1, { routingKey: 'q', properties: { expiration: '1.5' } }),
    ],
    ['an empty expiration', (a) => a.publish(1, { routingKey: 'q', properties: { expiration: '' } })],
    [
      'an expiration with something behind it',
      (a) => a.publish(1, { routingKey: 'q', properties: { expiration: '100ms' } }),
    ],
    [
      'an expiration beyond 32 bits',
      (a) => a.publish(1, { routingKey: 'q', properties: { expiration: '4294967296' } }),
    ],
    ['a CC that is no array', (a) => a.publish(1, { routingKey: 'q', properties: { headers: { CC: 'q' } } })],
    ['a BCC that is no array', (a) => a.publish(1, { routingKey: 'q', properties: { headers: { BCC: 1 } } })],
  ]
  for (const [title, say] of refused) {
    script(title, async (stage) => {
      const a = await stage.open()
      say(a)
      await stage.settle()
    })
  }
  const taken: readonly (readonly [title: string, say: (a: FramePeer) => void])[] = [
    [
      'multiple ack of tag 0 with nothing to ack',
      (a) => a.say(1, 'basic.ack', { deliveryTag: 0, multiple: true }),
    ],
    ['cancel of a consumer that is not there', (a) => a.say(1, 'basic.cancel', { consumerTag: 'nobody' })],
    [
      'cancel without an answer of a consumer that is not there',
      (a) => a.say(1, 'basic.cancel', { consumerTag: 'nobody', noWait: true }),
    ],
    ['delete of a queue that is not there', (a) => a.say(1, 'queue.delete', { queue: 'nowhere' })],
    ['delete of an exchange that is not there', (a) => a.say(1, 'exchange.delete', { exchange: 'nowhere' })],
    ['publish to a queue that is not there', (a) => a.publish(1, { routingKey: 'nowhere', body: 'x' })],
    ['the own user id', (a) => a.publish(1, { routingKey: 'nowhere', properties: { userId: 'guest' } })],
    [
      'a CC with something that is no text',
      (a) => a.publish(1, { routingKey: 'nowhere', properties: { headers: { CC: [1, null] } } }),
    ],
    [
      'a CC that is longer than a routing key',
      (a) => a.publish(1, { routingKey: 'nowhere', properties: { headers: { CC: ['k'.repeat(256)] } } }),
    ],
    ['access.request', (a) => a.say(1, 'access.request')],
    ['recover with nothing to recover', (a) => a.say(1, 'basic.recover')],
    ['recover-async with nothing to recover', (a) => a.say(1, 'basic.recover-async')],
    ['channel.flow', (a) => a.say(1, 'channel.flow', { active: true })],
    ['channel.flow-ok out of the blue', (a) => a.say(1, 'channel.flow-ok')],
    ['basic.cancel-ok out of the blue', (a) => a.say(1, 'basic.cancel-ok')],
    ['qos', (a) => a.say(1, 'basic.qos', { prefetchCount: 10 })],
    ['qos of a channel', (a) => a.say(1, 'basic.qos', { prefetchCount: 10, global: true })],
    [
      'confirm.select twice',
      (a) => {
        a.say(1, 'confirm.select')
        a.say(1, 'confirm.select')
      },
    ],
    ['confirm.select without an answer', (a) => a.say(1, 'confirm.select', { noWait: true })],
    [
      'tx.select twice',
      (a) => {
        a.say(1, 'tx.select')
        a.say(1, 'tx.select')
      },
    ],
    [
      'confirm.select in a transaction',
      (a) => {
        a.say(1, 'tx.select')
        a.say(1, 'confirm.select')
      },
    ],
    [
      'tx.select with confirms',
      (a) => {
        a.say(1, 'confirm.select')
        a.say(1, 'tx.select')
      },
    ],
  ]
  for (const [title, say] of taken) {
    script(title, async (stage) => {
      const a = await stage.open()
      say(a)
      await stage.settle()
    })
  }
  script('a text of more than 255 bytes', async (stage) => {
    const a = await stage.open()
    for (const exchange of ['n'.repeat(255), 'é'.repeat(127)]) {
      await stage.do(a, 1, 'exchange.declare', { exchange, passive: true })
      await stage.reopen(a)
    }
  })
  script('close of a channel, and its number used again', async (stage) => {
    const a = await stage.open()
    a.say(1, 'channel.close')
    await stage.until(a, 1, 'channel.close-ok')
    a.say(1, 'channel.open')
    await stage.until(a, 1, 'channel.open-ok')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
  })
  script('what comes behind the error of a channel is not heard until close-ok', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.say(1, 'queue.declare', { queue: 'nowhere', passive: true })
    a.say(1, 'queue.declare', { queue: 'q', exclusive: true })
    a.publish(1, { exchange: 'nowhere', body: 'x' })
    a.say(1, 'basic.ack', { deliveryTag: 99 })
    await stage.until(a, 1, 'channel.close')
    a.say(1, 'queue.declare', { queue: 'q', exclusive: true })
    a.publish(1, { routingKey: 'q', body: 'x' })
    a.say(1, 'channel.close-ok')
    a.say(1, 'channel.open')
    await stage.until(a, 1, 'channel.open-ok')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })
  })
  script('an open channel number is opened again while it is being closed', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.say(1, 'queue.declare', { queue: 'nowhere', passive: true })
    await stage.until(a, 1, 'channel.close')
    a.answersClose = true
    a.say(1, 'channel.open')
    await stage.settle()
  })
  script('two closes of a channel that cross', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.say(1, 'queue.declare', { queue: 'nowhere', passive: true })
    a.say(1, 'channel.close')
    await a.heard(1, 'channel.close')
    await stage.settle()
    a.say(1, 'channel.close-ok')
    a.say(1, 'channel.open')
    await stage.settle()
  })
  script('content behind the error of a channel', async (stage) => {
    const a = await stage.open()
    a.answersClose = false
    a.bytes(Buffer.concat([publishMethod(1, 'q'), frame(2, 1, headerPayload(0))]), 'a publish')
    a.publish(1, { exchange: 'nowhere', body: 'first' })
    a.publish(1, { exchange: 'nowhere', body: 'second' })
    await stage.until(a, 1, 'channel.close')
    a.answersClose = true
    a.say(1, 'channel.close-ok')
    a.say(1, 'channel.open')
    await stage.until(a, 1, 'channel.open-ok')
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
  })
  script('the end of one channel leaves the others alone', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.do(a, 2, 'queue.declare', { queue: 'nowhere', passive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('the end of a channel gives back what it held', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
    await stage.do(a, 2, 'basic.get', { queue: 'q' })
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 99 })
    for (let i = 0; i < 4; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('an ack of what was acked', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
  })
  script('an ack of what needs none', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: 'x' })
    await stage.do(a, 1, 'basic.get', { queue: 'q', noAck: true })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 1 })
  })
  script('a multiple ack of what was acked in part', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const body of ['1', '2', '3']) await stage.publish(a, 1, { routingKey: 'q', body })
    for (let i = 0; i < 3; i++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 2 })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 2, multiple: true })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 3, multiple: true })
  })
  script('a multiple ack beyond what was given acks nothing', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.ack', { deliveryTag: 2, multiple: true })
    await stage.do(a, 1, 'channel.open')
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
  })
  script('an ack on another channel', async (stage) => {
    const a = await stage.open({ channels: [1, 2] })
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 2, 'basic.ack', { deliveryTag: 1 })
  })
})

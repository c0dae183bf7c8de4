import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

const PSEUDO = 'amq.rabbitmq.reply-to'

/** A request of `a` that `b` gets out of `q`; what `b` sees as its reply-to. */
async function request(stage: Stage, a: FramePeer, b: FramePeer): Promise<string> {
  await stage.do(b, 1, 'queue.declare', { queue: 'q', exclusive: true })
  await stage.publish(a, 1, {
    routingKey: 'q',
    properties: { replyTo: PSEUDO, correlationId: 'c1' },
    body: 'question',
  })
  await stage.do(b, 1, 'basic.get', { queue: 'q', noAck: true })
  return b.replyTo
}

export const directReply = scriptGroup('direct reply-to', (script) => {
  script('a request and its reply', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true })
    const replyTo = await request(stage, a, b)
    await stage.publish(b, 1, {
      routingKey: replyTo,
      properties: { correlationId: 'c1' },
      body: 'answer',
      mandatory: true,
    })
    await stage.do(b, 1, 'queue.declare', { queue: replyTo, passive: true })
    await stage.do(b, 1, 'queue.declare', { queue: replyTo })
    await stage.do(a, 1, 'basic.cancel')
    await stage.publish(b, 1, { routingKey: replyTo, body: 'too late', mandatory: true })
    await stage.do(b, 1, 'queue.declare', { queue: replyTo })
  })
  script('with acks', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO })
  })
  script('a second consumer', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true, consumerTag: 'c' })
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true, consumerTag: 'd' })
  })
  script('a request without a consumer', async (stage) => {
    const a = await stage.open()
    await stage.publish(a, 1, { routingKey: 'q', properties: { replyTo: PSEUDO }, body: 'question' })
  })
  script('a consumer that was cancelled can be had again', async (stage) => {
    const a = await stage.open()
    for (let n = 0; n < 2; n++) {
      await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true, consumerTag: '' })
      await stage.do(a, 1, 'basic.cancel', { consumerTag: a.latest('basic.consume-ok').consumerTag })
    }
  })
  script('exclusive and without an answer', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true, exclusive: true, noWait: true })
    const replyTo = await request(stage, a, b)
    await stage.publish(b, 1, { routingKey: replyTo, body: 'answer' })
  })
  script('a caller that is gone', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true })
    const replyTo = await request(stage, a, b)
    await stage.do(a, 1, 'channel.close')
    await stage.publish(b, 1, { routingKey: replyTo, body: 'answer', mandatory: true })
    await stage.do(b, 1, 'queue.declare', { queue: replyTo, passive: true })
  })
  script('replies that are confirmed, to somebody and to nobody', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true })
    const replyTo = await request(stage, a, b)
    await stage.do(b, 1, 'confirm.select')
    b.publish(1, { routingKey: replyTo, body: 'answer' })
    await stage.confirmed(b, 1)
    b.publish(1, { routingKey: 'amq.rabbitmq.reply-to.forged', body: 'answer', mandatory: true })
    await stage.confirmed(b, 1)
  })
  script('a reply through an exchange', async (stage) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await stage.do(a, 1, 'basic.consume', { queue: PSEUDO, noAck: true })
    const replyTo = await request(stage, a, b)
    await stage.publish(b, 1, {
      exchange: 'amq.direct',
      routingKey: replyTo,
      body: 'answer',
      mandatory: true,
    })
  })
  const refused: readonly (readonly [title: string, say: (a: FramePeer) => void])[] = [
    ['declared', (a) => a.say(1, 'queue.declare', { queue: PSEUDO })],
    ['declared passively', (a) => a.say(1, 'queue.declare', { queue: PSEUDO, passive: true })],
    ['got from', (a) => a.say(1, 'basic.get', { queue: PSEUDO })],
    ['purged', (a) => a.say(1, 'queue.purge', { queue: PSEUDO })],
    ['deleted', (a) => a.say(1, 'queue.delete', { queue: PSEUDO })],
    ['bound', (a) => a.say(1, 'queue.bind', { queue: PSEUDO, exchange: 'amq.direct', routingKey: 'k' })],
    ['published to', (a) => a.publish(1, { routingKey: PSEUDO, body: 'x', mandatory: true })],
    [
      'consumed under a forged name',
      (a) => a.say(1, 'basic.consume', { queue: `${PSEUDO}.forged`, noAck: true }),
    ],
    [
      'declared passively under a forged name',
      (a) => a.say(1, 'queue.declare', { queue: `${PSEUDO}.forged`, passive: true }),
    ],
    ['declared under a forged name', (a) => a.say(1, 'queue.declare', { queue: `${PSEUDO}.forged` })],
  ]
  for (const [title, say] of refused) {
    script(`the pseudo-queue ${title}`, async (stage) => {
      const a = await stage.open()
      say(a)
      await stage.settle()
    })
  }
})

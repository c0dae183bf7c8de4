import type { FramePeer } from '../frame-peer.ts'
import { scriptGroup } from '../script.ts'
import type { Stage } from '../stage.ts'

async function get(stage: Stage, a: FramePeer, count: number, queue = 'q'): Promise<void> {
  for (let n = 0; n < count; n++) await stage.do(a, 1, 'basic.get', { queue, noAck: true })
}

const ready = (stage: Stage, a: FramePeer): Promise<void> =>
  stage.do(a, 1, 'queue.declare', { queue: 'q', passive: true })

export const lengthLimits = scriptGroup('length limits', (script) => {
  script('the oldest goes first', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: { 'x-max-length': 2 } })
    for (const body of ['1', '2', '3', '4']) await stage.publish(a, 1, { routingKey: 'q', body })
    await get(stage, a, 3)
  })
  script('a length of 0', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: { 'x-max-length': 0 } })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await get(stage, a, 1)
    await stage.do(a, 1, 'basic.consume', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: '2' })
  })
  script('bytes', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-max-length-bytes': 10 },
    })
    for (const body of ['aaaa', 'bbbb', 'cccc', 'd']) await stage.publish(a, 1, { routingKey: 'q', body })
    await ready(stage, a)
    await stage.publish(a, 1, { routingKey: 'q', body: 'more than ten bytes' })
    await get(stage, a, 4)
  })
  script('what is delivered does not count', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true, arguments: { 'x-max-length': 1 } })
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: '2' })
    await ready(stage, a)
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
    await ready(stage, a)
    await get(stage, a, 2)
  })
  script('publishes that are refused', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    })
    for (const body of ['1', '2']) await stage.publish(a, 1, { routingKey: 'q', body, mandatory: true })
    await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.publish(a, 1, { routingKey: 'q', body: '3' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
    await ready(stage, a)
    await get(stage, a, 3)
  })
  script('bytes with publishes that are refused', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-max-length-bytes': 5, 'x-overflow': 'reject-publish' },
    })
    await stage.do(a, 1, 'confirm.select')
    for (const body of ['aaa', 'bbb', 'c']) {
      a.publish(1, { routingKey: 'q', body })
      await stage.confirmed(a, 1)
    }
    await get(stage, a, 3)
  })
  script('refused by one queue of two in a transaction', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      queue: 'q',
      exclusive: true,
      arguments: { 'x-max-length': 0, 'x-overflow': 'reject-publish' },
    })
    await stage.do(a, 1, 'tx.select')
    await stage.publish(a, 1, { routingKey: 'q', body: '1' })
    a.say(1, 'tx.commit')
    await a.heard(1, 'tx.commit-ok')
  })
})

export const priorities = scriptGroup('priorities', (script) => {
  const declaration = { queue: 'q', exclusive: true, arguments: { 'x-max-priority': 5 } } as const
  script('higher first, and in order within', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', declaration)
    for (const [body, priority] of [
      ['low 1', 1],
      ['none', undefined],
      ['high 1', 5],
      ['beyond', 200],
      ['low 2', 1],
      ['zero', 0],
    ] as const)
      await stage.publish(a, 1, { routingKey: 'q', properties: { priority }, body })
    await get(stage, a, 7)
  })
  script('what is given back keeps its place', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', declaration)
    for (const [body, priority] of [
      ['low', 1],
      ['high 1', 4],
      ['high 2', 4],
    ] as const)
      await stage.publish(a, 1, { routingKey: 'q', properties: { priority }, body })
    for (let n = 0; n < 3; n++) await stage.do(a, 1, 'basic.get', { queue: 'q' })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 3 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 1 })
    await stage.do(a, 1, 'basic.nack', { deliveryTag: 2 })
    await get(stage, a, 4)
  })
  script('a queue without priorities ignores them', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', { queue: 'q', exclusive: true })
    for (const [body, priority] of [
      ['1', 1],
      ['2', 9],
    ] as const)
      await stage.publish(a, 1, { routingKey: 'q', properties: { priority }, body })
    await get(stage, a, 2)
  })
  script('the least goes when there is too much', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', {
      ...declaration,
      arguments: { 'x-max-priority': 5, 'x-max-length': 2 },
    })
    for (const [body, priority] of [
      ['low', 1],
      ['high', 4],
      ['middle', 2],
    ] as const)
      await stage.publish(a, 1, { routingKey: 'q', properties: { priority }, body })
    await get(stage, a, 3)
  })
  script('counts and purge over all priorities', async (stage) => {
    const a = await stage.open()
    await stage.do(a, 1, 'queue.declare', declaration)
    for (const priority of [1, 2, 3])
      await stage.publish(a, 1, { routingKey: 'q', properties: { priority }, body: 'x' })
    await ready(stage, a)
    await stage.do(a, 1, 'queue.purge', { queue: 'q' })
    await ready(stage, a)
  })
})

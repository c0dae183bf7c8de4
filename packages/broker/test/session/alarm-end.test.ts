import { contentBytes, eventually } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/index.ts'
import { FrameClient } from '../frame-client.ts'
import { queueNamed, SessionFixture } from './session-fixture.ts'

const fixture = new SessionFixture()
afterEach(() => fixture.end())

const LIMIT = 1_000_000
const TOLD = { capabilities: { 'connection.blocked': true } }

/** Publishes until it is blocked, with frames behind that which blocked it. */
async function blocked(broker: Broker, client: FrameClient, queue: string): Promise<void> {
  client.batch(() => {
    for (let n = 0; n < 60; n++) client.publish(1, '', queue, 'x'.repeat(20_000))
  })
  await client.expect('connection.blocked')
  await eventually(() => expect(broker.connections().map(({ state }) => state)).toContain('blocked'))
}

describe('the end of a memory alarm lets nobody in before what ended it is done:', () => {
  it('a connection that is closed with the queue that filled the memory', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const client = await fixture.client(broker, TOLD)
    await client.call(1, 'queue.declare', queueNamed('q', { exclusive: true }))
    await blocked(broker, client, 'q')
    broker.closeConnection(broker.connections()[0]?.id ?? 0, { reason: 'because' })
    expect((await client.expect('connection.close')).args).toMatchObject({ replyCode: 320 })
    client.send(0, 'connection.close-ok', {})
    expect(await client.next()).toBe('end')
    expect(broker.stats()).toMatchObject({ memoryBytes: 0, declaredBytes: 0, alarms: [] })
  })

  it('a connection that holds messages of a deleted queue, with a refusal among the frames that wait', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const client = await fixture.client(broker, TOLD)
    await client.call(1, 'queue.declare', queueNamed('taken'))
    await client.call(1, 'queue.declare', queueNamed('q'))
    for (let n = 0; n < 4; n++) {
      client.publish(1, '', 'taken', 'x'.repeat(50_000))
      client.send(1, 'basic.get', { queue: 'taken', noAck: false })
      await client.expect('basic.get-ok')
    }
    broker.deleteQueue('taken')
    client.batch(() => {
      for (let n = 0; n < 60; n++) client.publish(1, '', 'q', 'x'.repeat(20_000))
      client.send(1, 'basic.qos', { prefetchSize: 1, prefetchCount: 0, global: false })
    })
    await client.expect('connection.blocked')
    const { ready } = broker.stats()
    broker.closeConnection(broker.connections()[0]?.id ?? 0, { reason: 'because' })
    expect((await client.expect('connection.close')).args).toMatchObject({ replyCode: 320 })
    expect(broker.stats().ready).toBe(ready)
    client.stream.destroy()
    await eventually(() => expect(broker.connections()).toEqual([]))
    broker.deleteQueue('q')
    expect(broker.stats()).toMatchObject({ memoryBytes: 0, declaredBytes: 0 })
  })

  it('a publish to two queues, of which one drops what filled the memory and a frame that waits deletes the other', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const [filling, fanning] = [await fixture.client(broker, TOLD), await fixture.client(broker)]
    await filling.call(1, 'queue.declare', queueNamed('short', { arguments: { 'x-max-length': 1 } }))
    for (const name of ['other', 'full']) await filling.call(1, 'queue.declare', queueNamed(name))
    for (const queue of ['short', 'other'])
      await filling.call(1, 'queue.bind', {
        queue,
        exchange: 'amq.fanout',
        routingKey: '',
        noWait: false,
        arguments: {},
      })
    filling.publish(1, '', 'short', 'x'.repeat(130_000))
    filling.publish(1, '', 'full', 'x'.repeat(860_000))
    await eventually(() => expect(broker.stats().ready).toBe(2))
    expect(broker.stats().alarms).toEqual([])
    filling.batch(() => {
      filling.publish(1, '', 'full', 'x'.repeat(20_000))
      filling.send(1, 'queue.delete', { queue: 'other', ifUnused: false, ifEmpty: false, noWait: false })
    })
    await filling.expect('connection.blocked')
    // An alarm blocks who publishes behind its beginning: the first message of this connection still comes through.
    fanning.publish(1, 'amq.fanout', '', '')
    await filling.expect('connection.unblocked')
    await filling.expect('queue.delete-ok')
    for (const name of ['short', 'full']) broker.deleteQueue(name)
    expect(broker.stats()).toMatchObject({ queues: 0, memoryBytes: 0 })
  })
})

describe('memory that is full of messages which have not come whole', () => {
  it('raises no alarm, which nobody could end: they come whole', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const clients = [await fixture.client(broker), await fixture.client(broker)]
    await clients[0]?.call(1, 'queue.declare', queueNamed('q'))
    clients[0]?.publish(1, '', 'q', 'x'.repeat(300_000))
    for (const client of clients) {
      await client.call(1, 'confirm.select', { noWait: false })
      client.raw(publishOf(450_000).subarray(0, 440_000))
    }
    await eventually(() => expect(broker.stats().memoryBytes).toBeGreaterThan(1_100_000))
    expect(broker.stats().alarms).toEqual([])
    for (const client of clients) client.raw(publishOf(450_000).subarray(440_000))
    for (const client of clients) await client.expect('basic.ack')
    expect(broker.stats()).toMatchObject({ ready: 3, alarms: ['memory'] })
    broker.deleteQueue('q')
    expect(broker.stats()).toMatchObject({ memoryBytes: 0, alarms: [] })
  })

  it('costs who would have it grow further their connection', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const [first, second] = [await fixture.client(broker), await fixture.client(broker)]
    first.raw(publishOf(900_000).subarray(0, 600_000))
    await eventually(() => expect(broker.stats().memoryBytes).toBeGreaterThan(550_000))
    second.raw(publishOf(900_000).subarray(0, 800_000))
    expect((await second.expect('connection.close')).args).toMatchObject({
      replyCode: 506,
      replyText:
        'RESOURCE_ERROR - messages that have not come whole or are not committed take more than the memory limit (1000000 bytes)',
    })
    first.raw(publishOf(900_000).subarray(600_000))
    await first.call(1, 'queue.declare', queueNamed('q'))
    expect(broker.stats().memoryBytes).toBe(0)
  })

  it('and so does a transaction that never ends', async () => {
    const broker = fixture.broker({ memoryLimitBytes: LIMIT })
    const client = await fixture.client(broker)
    await client.call(1, 'queue.declare', queueNamed('q'))
    await client.call(1, 'tx.select', {})
    for (let n = 0; n < 60; n++) client.publish(1, '', 'q', 'x'.repeat(20_000))
    expect((await client.expect('connection.close')).args).toMatchObject({ replyCode: 506 })
    client.stream.destroy()
    await eventually(() => expect(broker.connections()).toEqual([]))
    expect(broker.stats()).toMatchObject({ memoryBytes: 0, ready: 0, alarms: [] })
  })
})

/** All bytes of a publish to the queue `q`. */
function publishOf(size: number): Buffer {
  const to = { exchange: '', routingKey: 'q', mandatory: false, immediate: false }
  return contentBytes(1, 'basic.publish', to, {}, 'x'.repeat(size))
}

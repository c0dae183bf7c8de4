import { eventually } from '@hermod/testkit'
import { describe, expect, test, vi } from 'vitest'
import { bodyOf, messageOf, ModelFixture, propertiesOf } from './model-fixture.ts'

describe('the account of memory', () => {
  test('raises its alarm above the limit and ends it at nine tenths', () => {
    const fixture = new ModelFixture('rabbitmq-4.2', {}, 100_000)
    const queue = fixture.queue('q')
    for (let i = 0; i < 9; i++) fixture.fill('q', 'x'.repeat(10_000))
    expect(fixture.alarms).toEqual([])
    fixture.fill('q', 'x'.repeat(10_000))
    expect([fixture.alarms, fixture.model.memory.raised]).toEqual([[true], true])
    queue.get(true)
    expect(fixture.alarms).toEqual([true])
    queue.get(true)
    expect([fixture.alarms, fixture.model.memory.raised]).toEqual([[true, false], false])
  })

  test('counts what consumers hold', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const consumer = fixture.consume(queue)
    fixture.fill('q', 'x'.repeat(1000))
    expect(fixture.model.memory.bytes).toBeGreaterThan(1000)
    queue.acknowledge(consumer.take())
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('counts keys, and what consumers of a stream hold of messages that it has dropped', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's', { 'x-max-length-bytes': 1 })
    const consumer = fixture.consume(stream, { prefetch: 100 })
    const key = 'k'.repeat(250)
    fixture.bind('s', 'amq.fanout')
    for (let i = 0; i < 10; i++) fixture.publish('amq.fanout', key, 'x'.repeat(1000))
    expect(stream.messageCount).toBe(1)
    expect(fixture.model.memory.bytes).toBeGreaterThan(10 * 1250)
    stream.giveBack(consumer.held.splice(0, 5), 'closed')
    for (const queued of consumer.held) stream.acknowledge(queued)
    expect(fixture.model.memory.bytes).toBeLessThan(2000)
    stream.end()
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('counts what has died and waits to be sent on', async () => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead')
    const terms = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' }
    const queue = fixture.queue('q', { 'x-max-length': 0, ...terms })
    let nowMs = 0
    // Each turn has time for a few of them.
    vi.spyOn(fixture.clock, 'monotonicMs').mockImplementation(() => (nowMs += 10))
    for (let i = 0; i < 100; i++) fixture.fill('q', 'x'.repeat(1000))
    expect([queue.messageCount, dead.messageCount]).toEqual([0, expect.toSatisfy((count) => count < 50)])
    expect(fixture.model.memory.bytes).toBeGreaterThan(100_000)
    await eventually(() => expect(dead.messageCount).toBe(100))
    dead.purge()
    await eventually(() => expect(fixture.model.memory.bytes).toBe(0))
  })
})

describe('a message that stays', () => {
  test('gets memory of its own, and is the same message', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const message = messageOf('', 'q', 'first ', { appId: 'a' })
    const pieces = [Buffer.from('second '), Buffer.from('third')]
    message.setBody(message.body, message.bodyStart, message.bodyEnd, pieces)
    Object.assign(message, { bodySize: 'first second third'.length })
    const chunk = message.header
    fixture.send(message)
    expect(message.header).toBe(chunk)
    fixture.clock.advance(20)
    expect(message.header).not.toBe(chunk)
    expect([message.body, message.more]).toEqual([message.header, null])
    expect([bodyOf(message), propertiesOf(message)]).toEqual(['first second third', { appId: 'a' }])
    expect(queue.get(true)?.message).toBe(message)
  })

  test('shares a page with others, unless it is larger than one', () => {
    const fixture = new ModelFixture()
    fixture.queue('q')
    const [a, b, large] = [
      messageOf('', 'q', 'a'),
      messageOf('', 'q', 'b'),
      messageOf('', 'q', 'x'.repeat(300_000)),
    ]
    for (const message of [a, b, large]) fixture.send(message)
    fixture.clock.advance(20)
    expect(a.body).toBe(b.body)
    expect(large.body).not.toBe(a.body)
    expect([a, b].map(bodyOf)).toEqual(['a', 'b'])
    expect(bodyOf(large)).toHaveLength(300_000)
  })

  test('leaves a page of which less than half is held, and is the same message', () => {
    const fixture = new ModelFixture()
    const [many, few] = [fixture.queue('many'), fixture.queue('few')]
    for (let i = 0; i < 8000; i++) fixture.fill(i % 2000 === 0 ? 'few' : 'many', `message ${i}`.padEnd(100))
    fixture.clock.advance(20)
    const stays = few.get(false)?.message
    const page = stays?.header
    for (let i = 0; i < 7900; i++) many.get(true)
    // The page is there, and the account says so.
    expect(fixture.model.memory.bytes).toBeGreaterThan(8000 * 370)
    fixture.clock.advance(20)
    expect(stays?.header).not.toBe(page)
    expect(stays === undefined ? '' : bodyOf(stays).trim()).toBe('message 0')
    // What is being filled stays.
    expect(fixture.model.memory.bytes).toBeLessThan(2500 * 370)
    expect(fixture.drain(few).map((body) => body.trim())).toEqual([
      'message 2000',
      'message 4000',
      'message 6000',
    ])
  })

  test('is left where it is when it has gone soon', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const message = messageOf('', 'q', 'a')
    const chunk = message.header
    fixture.send(message)
    queue.get(true)
    fixture.clock.advance(20)
    expect(message.header).toBe(chunk)
  })
})

test('a model that is closed lets go of everything', () => {
  const fixture = new ModelFixture()
  const queue = fixture.queue('q', { 'x-message-ttl': 1000, 'x-expires': 5000 })
  const consumer = fixture.consume(queue, { prefetch: 1 })
  fixture.fill('q', '1', '2')
  fixture.model.close()
  expect([consumer.ended, fixture.clock.armed, fixture.vhost.queueStats()]).toEqual([true, 0, []])
})

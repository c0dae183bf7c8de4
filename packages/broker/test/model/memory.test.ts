import { describe, expect, test } from 'vitest'
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

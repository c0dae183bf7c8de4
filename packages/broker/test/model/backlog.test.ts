import { describe, expect, test } from 'vitest'
import { ModelFixture } from './model-fixture.ts'

describe('a limit of length', () => {
  test('drops the oldest', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length': 2 })
    fixture.fill('q', '1', '2', '3', '4')
    expect(queue.stats()).toMatchObject({ ready: 2, dropped: 2 })
    expect(fixture.drain(queue)).toEqual(['3', '4'])
  })

  test('counts bytes of bodies as well', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length-bytes': 10 })
    fixture.fill('q', '12345', '67890', 'a')
    expect(queue.stats()).toMatchObject({ ready: 2, readyBytes: 6 })
    fixture.fill('q', 'larger than all of it')
    expect(queue.messageCount).toBe(0)
  })

  test('counts what waits and not what is held', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length': 1 })
    const consumer = fixture.consume(queue, { prefetch: 2 })
    fixture.fill('q', '1', '2', '3')
    expect([consumer.bodies, queue.messageCount]).toEqual([['1', '2'], 1])
    queue.cancel(consumer)
    queue.giveBack(consumer.held.splice(0), 'closed')
    expect(fixture.drain(queue)).toEqual(['3'])
  })

  test('of none lets through what somebody waits for', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length': 0 })
    fixture.fill('q', 'lost')
    const consumer = fixture.consume(queue)
    fixture.fill('q', 'seen')
    expect(consumer.bodies).toEqual(['seen'])
  })

  test.each(['reject-publish', 'reject-publish-dlx'])('refuses with %s', (overflow) => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead')
    const queue = fixture.queue('q', {
      'x-max-length': 2,
      'x-overflow': overflow,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'dead',
    })
    expect(['1', '2', '3'].map((body) => fixture.publish('', 'q', body))).toEqual([
      'taken',
      'taken',
      'refused',
    ])
    expect(queue.stats()).toMatchObject({ ready: 2, refused: 1 })
    expect(fixture.drain(dead)).toEqual(overflow === 'reject-publish' ? [] : ['3'])
    expect(fixture.drain(queue)).toEqual(['1', '2'])
  })

  test('that one queue refuses by is a refusal, though others took the message', () => {
    const fixture = new ModelFixture()
    fixture.queue('full', { 'x-max-length': 0, 'x-overflow': 'reject-publish' })
    const open = fixture.queue('open')
    fixture.bind('full', 'amq.fanout')
    fixture.bind('open', 'amq.fanout')
    expect(fixture.publish('amq.fanout', '', '1')).toBe('refused')
    expect(open.messageCount).toBe(1)
  })

  test('costs the highest priority first, as it stands at the head', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length': 2, 'x-max-priority': 5 })
    fixture.publish('', 'q', 'high', { priority: 5 })
    fixture.publish('', 'q', 'low', { priority: 0 })
    fixture.publish('', 'q', 'last', { priority: 0 })
    expect(fixture.drain(queue)).toEqual(['low', 'last'])
  })
})

describe('time', () => {
  test('of a queue ends what waits too long', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 1000 })
    fixture.fill('q', '1')
    fixture.clock.advance(600)
    fixture.fill('q', '2')
    fixture.clock.advance(399)
    expect(queue.messageCount).toBe(2)
    fixture.clock.advance(1)
    expect(queue.messageCount).toBe(1)
    fixture.clock.advance(600)
    expect(queue.stats()).toMatchObject({ ready: 0, expired: 2 })
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('of a message counts where it is shorter', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 1000 })
    fixture.publish('', 'q', 'short', { expiration: '100' })
    fixture.publish('', 'q', 'long', { expiration: '5000' })
    fixture.clock.advance(100)
    expect(queue.messageCount).toBe(1)
    fixture.clock.advance(900)
    expect(queue.messageCount).toBe(0)
  })

  test('ends only what stands at the head; nobody gets the others all the same', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', 'stays')
    fixture.publish('', 'q', 'expires', { expiration: '100' })
    fixture.fill('q', 'stays too')
    fixture.clock.advance(200)
    expect(queue.messageCount).toBe(3)
    expect(fixture.drain(queue)).toEqual(['stays', 'stays too'])
    expect(queue.stats().expired).toBe(1)
  })

  test('of nothing is for who waits already', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 0 })
    fixture.fill('q', 'lost')
    const consumer = fixture.consume(queue)
    fixture.fill('q', 'seen')
    fixture.publish('', 'q', 'seen too', { expiration: '0' })
    expect(consumer.bodies).toEqual(['seen', 'seen too'])
    queue.cancel(consumer)
    fixture.publish('', 'q', 'lost too', { expiration: '0' })
    expect(queue.messageCount).toBe(0)
  })

  test('is looked at where the head is, and not in every priority', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-priority': 3 })
    fixture.publish('', 'q', 'high', { priority: 3, expiration: '80' })
    fixture.publish('', 'q', 'low', { priority: 1, expiration: '50' })
    fixture.clock.advance(50)
    expect(queue.messageCount).toBe(2)
    fixture.clock.advance(30)
    expect(queue.stats()).toMatchObject({ ready: 0, expired: 2 })
  })

  test('ends what a limit of length brings to the head', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-max-length': 2 })
    fixture.fill('q', 'first')
    fixture.publish('', 'q', 'due', { expiration: '50' })
    fixture.clock.advance(50)
    expect(queue.messageCount).toBe(2)
    fixture.fill('q', 'last')
    expect(queue.stats()).toMatchObject({ ready: 1, dropped: 1, expired: 1 })
  })

  test('goes on for what comes back', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 100 })
    fixture.fill('q', '1')
    const taken = queue.get(false)!
    fixture.clock.advance(500)
    expect(queue.stats().expired).toBe(0)
    queue.giveBack([taken], 'nack')
    expect(queue.stats()).toMatchObject({ ready: 0, expired: 1 })
  })

  test('that is over for a hundred thousand at once stops nobody', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 100 })
    for (let i = 0; i < 100_000; i++) fixture.publish('', 'q')
    fixture.clock.leap(100)
    expect(queue.messageCount).toBe(0)
    expect(queue.stats().expired).toBe(100_000)
  })

  test('may be years, and a time that no timer holds', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-message-ttl': 134_217_728_000 })
    fixture.fill('q', '1')
    fixture.clock.advance(134_217_727_999)
    expect(queue.messageCount).toBe(1)
    fixture.clock.advance(1)
    expect(queue.messageCount).toBe(0)
  })
})

describe('a queue that nobody uses', () => {
  test('goes when its lease is over', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-expires': 1000 })
    fixture.fill('q', '1')
    fixture.clock.advance(999)
    expect(queue.deleted).toBe(false)
    fixture.clock.advance(1)
    expect(queue.deleted).toBe(true)
    expect(fixture.vhost.queueStats()).toEqual([])
  })

  test.each([
    ['declared', (fixture: ModelFixture) => fixture.queue('q', { 'x-expires': 1000 })],
    ['got from', (fixture: ModelFixture) => fixture.queue('q', { 'x-expires': 1000 }).get(true)],
    ['asked for', (fixture: ModelFixture) => fixture.vhost.checkQueue('q', {})],
  ])('has a new lease when it is %s', (_how, use) => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-expires': 1000 })
    fixture.clock.advance(900)
    use(fixture)
    fixture.clock.advance(999)
    expect(queue.deleted).toBe(false)
    fixture.clock.advance(1)
    expect(queue.deleted).toBe(true)
  })

  test('stays while it has consumers, and as long again after the last', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-expires': 1000 })
    const consumer = fixture.consume(queue)
    fixture.clock.advance(10_000)
    queue.cancel(consumer)
    fixture.clock.advance(999)
    expect(queue.deleted).toBe(false)
    fixture.clock.advance(1)
    expect(queue.deleted).toBe(true)
  })
})

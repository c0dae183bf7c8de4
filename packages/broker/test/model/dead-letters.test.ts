import { describe, expect, test } from 'vitest'
import type { FieldTable } from '@hermod/amqp'
import { TypedField } from '@hermod/amqp'
import { ModelFixture, OWNER, propertiesOf } from './model-fixture.ts'

const START_SECONDS = Date.UTC(2026, 10, 22, 9) / 1000

/** Where a queue sends what has died. */
const to = (key: string, more: FieldTable = {}): FieldTable => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': key,
  ...more,
})

const headersIn = (fixture: ModelFixture, name: string): FieldTable => {
  const queued = fixture.vhost.queue(name, OWNER).get(true)
  if (queued === undefined) throw new Error(`${name} is empty`)
  return propertiesOf(queued.message).headers ?? {}
}

describe('a message that has died', () => {
  test('carries why, where and when', () => {
    const fixture = new ModelFixture()
    fixture.queue('dead')
    const queue = fixture.queue('q', to('dead'))
    fixture.exchange('x', 'topic')
    fixture.bind('q', 'x', '#')
    fixture.publish('x', 'a.b', 'body', { headers: { CC: ['c.d'], mine: 1 }, correlationId: 'id' })
    queue.reject(queue.get(false)!)
    const letter = fixture.queue('dead').get(true)!
    expect([letter.message.exchange, letter.message.routingKey]).toEqual(['', 'dead'])
    expect(propertiesOf(letter.message)).toEqual({
      correlationId: 'id',
      headers: {
        mine: 1,
        'x-first-death-exchange': 'x',
        'x-first-death-queue': 'q',
        'x-first-death-reason': 'rejected',
        'x-death': [
          {
            count: 1,
            reason: 'rejected',
            queue: 'q',
            time: new Date(START_SECONDS * 1000),
            exchange: 'x',
            'routing-keys': ['a.b', 'c.d'],
          },
        ],
      },
    })
  })

  test('keeps its keys where its queue names none, those of BCC too', () => {
    const fixture = new ModelFixture()
    fixture.exchange('dlx', 'direct')
    for (const key of ['one', 'two', 'three']) {
      fixture.queue(key)
      fixture.bind(key, 'dlx', key)
    }
    const queue = fixture.queue('q', { 'x-dead-letter-exchange': 'dlx' })
    fixture.exchange('x', 'fanout')
    fixture.bind('q', 'x')
    fixture.publish('x', 'one', 'body', { headers: { CC: ['two'], BCC: ['three'] } })
    queue.reject(queue.get(false)!)
    expect(['one', 'two', 'three'].map((name) => fixture.queue(name).messageCount)).toEqual([1, 1, 1])
    const headers = headersIn(fixture, 'three')
    expect(headers).toHaveProperty('CC', ['two'])
    expect(headers['x-death']).toMatchObject([{ 'routing-keys': ['one', 'two'] }])
  })

  test('does not expire again, and remembers by what it did', () => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead')
    fixture.queue('q', to('dead'))
    fixture.publish('', 'q', 'body', { expiration: '100', headers: {} })
    fixture.clock.advance(100)
    fixture.clock.advance(1000)
    expect(dead.messageCount).toBe(1)
    const letter = dead.get(true)!
    expect(propertiesOf(letter.message).expiration).toBe(undefined)
    expect(propertiesOf(letter.message).headers?.['x-death']).toMatchObject([
      { reason: 'expired', 'original-expiration': '100' },
    ])
  })

  test.each([
    ['maxlen', { 'x-max-length': 0 }],
    ['expired', { 'x-message-ttl': 0 }],
  ])('of %s', (reason, args) => {
    const fixture = new ModelFixture()
    fixture.queue('dead')
    fixture.queue('q', to('dead', args))
    fixture.fill('q', 'body')
    expect(headersIn(fixture, 'dead')['x-death']).toMatchObject([{ reason, queue: 'q' }])
  })

  test('is gone where its exchange is not there, or not yet, or nothing is bound', () => {
    const fixture = new ModelFixture()
    fixture.queue('q', { 'x-dead-letter-exchange': 'nowhere', 'x-max-length': 0 })
    fixture.fill('q', 'lost')
    fixture.exchange('nowhere', 'fanout')
    fixture.fill('q', 'lost too')
    const dead = fixture.queue('dead')
    fixture.bind('dead', 'nowhere')
    fixture.fill('q', 'kept')
    expect(fixture.drain(dead)).toEqual(['kept'])
    expect(fixture.model.memory.bytes).toBe(0)
  })
})

describe('its history', () => {
  test('counts the deaths of one kind in one queue, the newest first', () => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead', to('q'))
    const queue = fixture.queue('q', to('dead'))
    fixture.publish('', 'q', 'body')
    queue.reject(queue.get(false)!)
    dead.reject(dead.get(false)!)
    fixture.clock.advance(5000)
    queue.reject(queue.get(false)!)
    const deaths = headersIn(fixture, 'dead')['x-death']
    expect(deaths).toMatchObject([
      { queue: 'q', count: 2, time: new Date(START_SECONDS * 1000) },
      { queue: 'dead', count: 1 },
    ])
  })

  test('that is none is replaced', () => {
    const fixture = new ModelFixture()
    fixture.queue('dead')
    const queue = fixture.queue('q', to('dead'))
    fixture.publish('', 'q', 'body', { headers: { 'x-death': 'plague' } })
    queue.reject(queue.get(false)!)
    const headers = headersIn(fixture, 'dead')
    expect(headers['x-death']).toMatchObject([{ count: 1, reason: 'rejected' }])
    expect(headers).not.toHaveProperty('x-first-death-queue')
  })

  test('goes on behind a quorum queue that gives it back, also where publishers are not believed', () => {
    const fixture = new ModelFixture('rabbitmq-4.2')
    fixture.queue('dead')
    const second = fixture.replicated('quorum', 'second', to('dead'))
    const first = fixture.queue('first', to('second'))
    fixture.fill('first', 'body')
    first.reject(first.get(false)!)
    second.giveBack([second.get(false)!], 'closed')
    second.reject(second.get(false)!)
    expect(headersIn(fixture, 'dead')).toMatchObject({
      'x-first-death-queue': 'first',
      'x-death': [{ queue: 'second' }, { queue: 'first' }],
    })
  })

  test.each(['rabbitmq-3.10', 'rabbitmq-3.13', 'rabbitmq-4.2'] as const)(
    'ends with the last death, which %s may name',
    (profile) => {
      const fixture = new ModelFixture(profile)
      fixture.queue('dead')
      const second = fixture.queue('second', to('dead'))
      const first = fixture.queue('first', to('second'))
      fixture.fill('first', 'body')
      first.reject(first.get(false)!)
      fixture.clock.advance(1)
      second.reject(second.get(false)!)
      const { 'x-last-death-queue': queue, 'x-last-death-reason': reason } = headersIn(fixture, 'dead')
      expect([queue, reason]).toEqual(
        profile === 'rabbitmq-3.10' ? [undefined, undefined] : ['second', 'rejected'],
      )
    },
  )

  test('that a publisher wrote is believed by RabbitMQ 3.10 and not by 4', () => {
    const death = {
      count: TypedField.int64(7),
      reason: 'rejected',
      queue: 'q',
      exchange: '',
      'routing-keys': ['q'],
    }
    const count = (profile: 'rabbitmq-3.10' | 'rabbitmq-4.2'): unknown => {
      const fixture = new ModelFixture(profile)
      fixture.queue('dead')
      const queue = fixture.queue('q', to('dead'))
      fixture.publish('', 'q', 'body', { headers: { 'x-death': [death] } })
      queue.reject(queue.get(false)!)
      return headersIn(fixture, 'dead')['x-death']
    }
    expect(count('rabbitmq-3.10')).toMatchObject([{ count: 8 }])
    expect(count('rabbitmq-4.2')).toMatchObject([{ count: 1 }])
  })

  test.each([
    [1, 'abc'],
    [1, null],
    [1, { a: 1 }],
    [1, [1]],
    [1, true],
    [1, TypedField.double(1.5)],
    [1, TypedField.decimal(1, 5)],
    [6, TypedField.uint8(5)],
    [-4, -5],
    [9_007_199_254_740_994n, 9_007_199_254_740_993n],
    [-(2n ** 63n), 2n ** 63n - 1n],
  ])('counts %s on from what a publisher counted', (expected, count) => {
    const fixture = new ModelFixture('rabbitmq-3.10')
    fixture.queue('dead')
    fixture.queue('q', to('dead', { 'x-message-ttl': 10 }))
    const death = { queue: 'q', reason: 'expired', count }
    fixture.publish('', 'q', 'body', { headers: { 'x-death': [death] } })
    // It dies in a timer, where nobody catches what is thrown.
    fixture.clock.advance(10)
    expect(headersIn(fixture, 'dead')['x-death']).toEqual([
      { queue: 'q', reason: 'expired', count: expected },
    ])
  })
})

describe('a circle', () => {
  test('of queues is left when nobody refused the message on the way', () => {
    const fixture = new ModelFixture()
    fixture.queue('a', to('b', { 'x-message-ttl': 10 }))
    fixture.queue('b', to('a', { 'x-message-ttl': 10 }))
    fixture.fill('a', 'body')
    fixture.clock.advance(10)
    fixture.clock.advance(1000)
    expect(fixture.vhost.queueStats().map(({ ready, expired }) => [ready, expired])).toEqual([
      [0, 1],
      [0, 1],
    ])
  })

  test('of a queue with itself is left at once', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', to('q', { 'x-message-ttl': 0 }))
    fixture.fill('q', 'body')
    expect(queue.stats()).toMatchObject({ ready: 0, published: 1 })
  })

  test('in which somebody refuses goes on', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', to('q'))
    fixture.fill('q', 'body')
    for (let i = 0; i < 5; i++) queue.reject(queue.get(false)!)
    expect(queue.messageCount).toBe(1)
  })
})

test('a long chain of queues is walked to its end', () => {
  const fixture = new ModelFixture()
  for (let i = 0; i < 300; i++) fixture.queue(`q${i}`, to(`q${i + 1}`, { 'x-max-length': 0 }))
  const last = fixture.queue('q300')
  fixture.fill('q0', 'body')
  expect(last.messageCount).toBe(1)
  expect(headersIn(fixture, 'q300')['x-death']).toHaveLength(300)
})

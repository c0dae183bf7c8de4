import { describe, expect, test } from 'vitest'
import type { FieldTable } from '@hermod/amqp'
import type { RoutedQueue } from '../../src/model/queue.ts'
import { ModelFixture, OWNER } from './model-fixture.ts'

const RETRY_MS = 180_000

/** A queue that keeps what has died until the exchange `dlx` has sent it somewhere. */
function keeping(fixture: ModelFixture, more: FieldTable = {}): RoutedQueue {
  return fixture.replicated('quorum', 'q', {
    'x-dead-letter-exchange': 'dlx',
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    ...more,
  })
}

const rejectAll = (queue: RoutedQueue): void => {
  for (let queued = queue.get(false); queued !== undefined; queued = queue.get(false)) queue.reject(queued)
}

describe('dead letters at least once', () => {
  test('are kept without an exchange, then without a route, and come when there is one', () => {
    const fixture = new ModelFixture()
    const queue = keeping(fixture)
    fixture.fill('q', 'a', 'b')
    rejectAll(queue)
    expect([queue.messageCount, fixture.model.memory.bytes > 500]).toEqual([0, true])
    fixture.clock.advance(RETRY_MS)
    fixture.exchange('dlx', 'fanout')
    fixture.clock.advance(RETRY_MS)
    const dead = fixture.queue('dead')
    fixture.bind('dead', 'dlx')
    fixture.clock.advance(RETRY_MS - 1)
    expect(dead.messageCount).toBe(0)
    fixture.clock.advance(1)
    expect(fixture.drain(dead)).toEqual(['a', 'b'])
    fixture.clock.advance(RETRY_MS)
    expect([dead.messageCount, fixture.model.memory.bytes, fixture.clock.armed]).toEqual([0, 0, 0])
  })

  test('count for the limits of their queue as long as they are kept', () => {
    const fixture = new ModelFixture()
    const queue = keeping(fixture, { 'x-max-length': 2 })
    fixture.exchange('dlx', 'fanout')
    fixture.fill('q', 'a', 'b', 'c')
    rejectAll(queue)
    expect(fixture.publish('', 'q', 'd')).toBe('refused')
    fixture.bind(fixture.queue('dead').name, 'dlx')
    fixture.clock.advance(RETRY_MS)
    expect(fixture.publish('', 'q', 'd')).toBe('taken')
  })

  test('are given again to who refused them, and to nobody twice', () => {
    const fixture = new ModelFixture()
    const queue = keeping(fixture)
    fixture.exchange('dlx', 'fanout')
    const [open, full] = [
      fixture.queue('open'),
      fixture.queue('full', { 'x-max-length': 1, 'x-overflow': 'reject-publish' }),
    ]
    for (const name of ['open', 'full']) fixture.bind(name, 'dlx')
    fixture.fill('full', 'there')
    fixture.fill('q', 'a')
    rejectAll(queue)
    expect([open.messageCount, full.messageCount]).toEqual([1, 1])
    expect(fixture.drain(full)).toEqual(['there'])
    fixture.clock.advance(RETRY_MS)
    expect([fixture.drain(open), fixture.drain(full)]).toEqual([['a'], ['a']])
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('go with their queue', () => {
    const fixture = new ModelFixture()
    const queue = keeping(fixture)
    fixture.fill('q', 'a')
    rejectAll(queue)
    fixture.vhost.deleteQueue('q', { ifUnused: false, ifEmpty: false }, OWNER)
    fixture.clock.advance(20)
    expect([fixture.model.memory.bytes, fixture.clock.armed]).toEqual([0, 0])
  })

  test.each([
    ['overflow', { 'x-overflow': 'drop-head' }],
    ['strategy', { 'x-dead-letter-strategy': 'at-most-once' }],
  ])('are sent once where the %s says so', (_, more) => {
    const fixture = new ModelFixture()
    const queue = keeping(fixture, more)
    fixture.fill('q', 'a')
    rejectAll(queue)
    fixture.clock.advance(20)
    expect([fixture.model.memory.bytes, fixture.clock.armed]).toEqual([0, 0])
  })
})

import { describe, expect, test } from 'vitest'
import { Exchange } from '../../src/model/exchange.ts'
import { NO_FIELDS } from '../../src/model/field.ts'
import type { RoutedQueue } from '../../src/model/queue.ts'
import { RouteBudget } from '../../src/model/route-budget.ts'
import { ModelFixture, OWNER, refusal } from './model-fixture.ts'

const FAT = { 'x-note': 'n'.repeat(10_000) }

describe('what is declared', () => {
  test.each([
    ['a queue', (fixture: ModelFixture) => void fixture.queue('fat', FAT)],
    ['a quorum queue', (fixture: ModelFixture) => void fixture.replicated('quorum', 'fat', FAT)],
    ['a stream', (fixture: ModelFixture) => void fixture.replicated('stream', 'fat', FAT)],
    ['an exchange', (fixture: ModelFixture) => fixture.exchange('fat', 'topic', FAT)],
    ['a binding', (fixture: ModelFixture) => fixture.bind('q', 'amq.headers', '', FAT)],
    [
      'a binding of exchanges',
      (fixture: ModelFixture) => fixture.bindExchange('amq.fanout', 'amq.direct', '', FAT),
    ],
    [
      'a consumer',
      (fixture: ModelFixture) =>
        void fixture.consume(fixture.vhost.queue('q', OWNER) as RoutedQueue, { arguments: FAT }),
    ],
    [
      'a consumer of a stream',
      (fixture: ModelFixture) =>
        void fixture.consume(fixture.vhost.queue('s', OWNER) as RoutedQueue, {
          arguments: FAT,
          prefetch: 1,
        }),
    ],
  ])('counts with its arguments: %s', (_, declare) => {
    const fixture = new ModelFixture()
    fixture.queue('q')
    fixture.replicated('stream', 's')
    const before = fixture.model.declared.bytes
    declare(fixture)
    expect(fixture.model.declared.bytes - before).toBeGreaterThan(10_000)
    expect(fixture.model.declared.bytes - before).toBeLessThan(25_000)
  })

  test.each([
    ['a table', { a: { b: { c: {} } } }, 500],
    ['an array', { a: Array.from({ length: 1000 }, () => null) }, 50_000],
    ['tables in an array', { a: Array.from({ length: 1000 }, () => ({})) }, 230_000],
    ['many fields', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, true])), 90_000],
  ])('counts for more than its bytes on the wire: %s', (_, args, least) => {
    const fixture = new ModelFixture()
    fixture.queue('q', args)
    expect(fixture.model.declared.bytes).toBeGreaterThan(least)
  })

  test('counts the room that a queue keeps for each priority', () => {
    const fixture = new ModelFixture()
    fixture.queue('q', { 'x-max-priority': 255 })
    expect(fixture.model.declared.bytes).toBeGreaterThan(100_000)
  })

  test('costs nothing when it is gone, whatever took it away', () => {
    const fixture = new ModelFixture()
    fixture.exchange('top', 'topic', FAT, { autoDelete: true })
    fixture.exchange('middle', 'headers', FAT, { autoDelete: true })
    fixture.exchange('other', 'direct')
    fixture.bindExchange('middle', 'top', 'a.*.#', FAT)
    const deleted = fixture.queue('deleted', FAT)
    const consumers = [fixture.consume(deleted, { arguments: FAT }), fixture.consume(deleted)]
    deleted.cancel(consumers[0]!)
    deleted.cancel(consumers[0]!)
    fixture.bind('deleted', 'middle', '', FAT)
    fixture.bind('deleted', 'other', 'k')
    fixture.vhost.unbindQueue('deleted', 'other', 'k', NO_FIELDS, OWNER)
    fixture.replicated('stream', 's')
    fixture.consume(fixture.vhost.queue('s', OWNER) as RoutedQueue, { prefetch: 1 })
    fixture.queue('leased', { 'x-expires': 1000 })
    fixture.queue('owned', FAT, { exclusive: true })
    const lastUser = fixture.queue('auto', {}, { autoDelete: true })
    lastUser.cancel(fixture.consume(lastUser))
    fixture.clock.advance(1000)
    fixture.vhost.releaseOwner(OWNER)
    fixture.vhost.deleteQueue('s', { ifUnused: false, ifEmpty: false }, OWNER)
    fixture.vhost.deleteExchange('other', false)
    expect(fixture.model.declared.bytes).toBeGreaterThan(40_000)
    // Takes its binding along, and that both exchanges.
    fixture.vhost.deleteQueue('deleted', { ifUnused: false, ifEmpty: false }, OWNER)
    expect(fixture.model.declared.bytes).toBe(0)
  })

  test('is refused when all of it takes too much, until something is gone', () => {
    const fixture = new ModelFixture('rabbitmq-4.2', { maxDeclaredBytes: 36_000 })
    const queue = fixture.queue('q')
    fixture.replicated('stream', 's')
    for (const name of ['a', 'b', 'c']) fixture.queue(name, FAT)
    const full = 'memory limit for declarations (36000 bytes) is reached; delete what is not needed'
    const stream = fixture.vhost.queue('s', OWNER) as RoutedQueue
    const attempts: readonly (readonly [string, () => unknown])[] = [
      ["cannot declare queue 'd' in vhost '/'", () => fixture.queue('d')],
      ["cannot declare exchange 'x' in vhost '/'", () => fixture.exchange('x', 'topic')],
      ["cannot bind to exchange 'amq.fanout' in vhost '/'", () => fixture.bind('q', 'amq.fanout')],
      [
        "cannot bind to exchange 'amq.topic' in vhost '/'",
        () => fixture.bindExchange('amq.fanout', 'amq.topic'),
      ],
      ["cannot consume from queue 'q' in vhost '/'", () => fixture.consume(queue)],
      ["cannot consume from queue 's' in vhost '/'", () => fixture.consume(stream, { prefetch: 1 })],
    ]
    for (const [what, attempt] of attempts) {
      expect(refusal(attempt)).toBe(`406 PRECONDITION_FAILED - ${what}: ${full}`)
    }
    expect(fixture.queue('q')).toBe(queue)
    expect([queue.consumerCount, stream.consumerCount, fixture.vhost.bindings()]).toEqual([0, 0, []])
    fixture.vhost.deleteQueue('a', { ifUnused: false, ifEmpty: false }, OWNER)
    for (const [, attempt] of attempts) attempt()
    // Messages are no part of it, nor it of them.
    expect([fixture.alarms, fixture.model.memory.bytes]).toEqual([[], 0])
  })
})

describe('remembered routes', () => {
  test('take no more than a bound, however many exchanges have long ones', () => {
    const budget = new RouteBudget()
    const route: readonly RoutedQueue[] = Array.from({ length: 10_000 })
    const exchanges = Array.from({ length: 20 }, (_, i) => {
      const identity = { name: `x${i}`, type: 'fanout', arguments: NO_FIELDS } as const
      return new Exchange({ ...identity, durable: false, autoDelete: false, internal: false }, budget)
    })
    let most = 0
    for (const exchange of exchanges) {
      for (let i = 0; i < 50; i++) {
        exchange.remember(`key ${i}`, 1, route)
        expect(exchange.remembered(`key ${i}`, 1)).toBe(route)
        most = Math.max(most, budget.bytes)
      }
    }
    expect(most).toBeGreaterThan(7_000_000)
    expect(most).toBeLessThanOrEqual(8_388_608)
    for (const exchange of exchanges) exchange.forgetRoutes()
    expect(budget.bytes).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { bodyOf, ModelFixture, OWNER, refusal } from './model-fixture.ts'

const bodies = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i))

describe('consumers take turns', () => {
  test('each gets the next message', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const [a, b, c] = [fixture.consume(queue), fixture.consume(queue), fixture.consume(queue)]
    fixture.fill('q', ...bodies(7))
    expect([a.bodies, b.bodies, c.bodies]).toEqual([
      ['1', '4', '7'],
      ['2', '5'],
      ['3', '6'],
    ])
  })

  test('one without room is passed over, and gets what waits when it is woken', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const a = fixture.consume(queue, { prefetch: 1 })
    const b = fixture.consume(queue, { prefetch: 2 })
    fixture.fill('q', ...bodies(5))
    expect([a.bodies, b.bodies, queue.messageCount]).toEqual([['1'], ['2', '3'], 2])
    queue.acknowledge(a.take())
    expect(a.bodies).toEqual(['1'])
    queue.wake(a)
    expect([a.bodies, queue.messageCount]).toEqual([['1', '4'], 1])
  })

  test('the highest priority comes first, for as long as it has room', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const low = fixture.consume(queue, { arguments: { 'x-priority': -1 } })
    const middle = fixture.consume(queue, { prefetch: 1 })
    const high = fixture.consume(queue, { prefetch: 1, arguments: { 'x-priority': 10 } })
    fixture.fill('q', ...bodies(4))
    expect([high.bodies, middle.bodies, low.bodies]).toEqual([['1'], ['2'], ['3', '4']])
    queue.acknowledge(high.take())
    queue.wake(high)
    fixture.fill('q', '5')
    expect(high.bodies).toEqual(['1', '5'])
  })

  test('one that gives back has room for it before the others are asked', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const high = fixture.consume(queue, { prefetch: 1, arguments: { 'x-priority': 1 } })
    fixture.fill('q', '1')
    // Asked for more, it had no room and left the ring.
    fixture.fill('q', '2')
    const low = fixture.consume(queue, { prefetch: 1 })
    expect([high.bodies, low.bodies]).toEqual([['1'], ['2']])
    queue.giveBack([high.take()], 'nack')
    expect([high.bodies, low.bodies, queue.messageCount]).toEqual([['1', '1'], ['2'], 0])
  })

  test('a consumer that comes gets nothing before it is woken, so that it can be told of first', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', ...bodies(2))
    const consumer = fixture.consume(queue)
    expect(consumer.bodies).toEqual(['1', '2'])
  })

  test('ten thousand that come and go leave nothing behind', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const stays = fixture.consume(queue)
    for (let i = 0; i < 10_000; i++) queue.cancel(fixture.consume(queue))
    fixture.fill('q', '1')
    expect([stays.bodies, queue.consumerCount]).toEqual([['1'], 1])
  })
})

describe('what is taken', () => {
  test('comes back to its place, and says that it was delivered before', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', ...bodies(5))
    const taken = [queue.get(false), queue.get(false), queue.get(false)].filter((one) => one !== undefined)
    queue.giveBack([taken[2]!], 'nack')
    queue.giveBack([taken[0]!], 'nack')
    const redelivered: boolean[] = []
    const order: string[] = []
    for (let one = queue.get(true); one !== undefined; one = queue.get(true)) {
      order.push(bodyOf(one.message))
      redelivered.push(one.redelivered)
    }
    expect(order).toEqual(['1', '3', '4', '5'])
    expect(redelivered).toEqual([true, true, false, false])
  })

  test('goes to the next consumer when it comes back', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const a = fixture.consume(queue, { prefetch: 2 })
    fixture.fill('q', ...bodies(2))
    queue.cancel(a)
    const b = fixture.consume(queue)
    queue.giveBack(a.held.splice(0), 'closed')
    expect(b.bodies).toEqual(['1', '2'])
    expect(b.held.every(({ redelivered }) => redelivered)).toBe(true)
  })

  test('without acks is settled when it leaves', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', '1')
    const consumer = fixture.consume(queue, { noAck: true })
    fixture.fill('q', '2')
    expect(consumer.bodies).toEqual(['1', '2'])
    expect(queue.stats()).toMatchObject({ ready: 0, unsettled: 0, published: 2, delivered: 2, settled: 2 })
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('is counted once however many queues hold it, and its place in each', () => {
    const fixture = new ModelFixture()
    const queues = bodies(10).map((name) => fixture.queue(name))
    for (const { name } of queues) fixture.bind(name, 'amq.fanout')
    fixture.publish('amq.fanout', '', 'x'.repeat(1000))
    const { bytes } = fixture.model.memory
    expect(bytes).toBeGreaterThan(1000)
    expect(bytes).toBeLessThan(1000 + 10 * 150)
    for (const queue of queues.slice(1)) queue.purge()
    expect(fixture.model.memory.bytes).toBeLessThan(bytes - 9 * 50)
    expect(fixture.model.memory.bytes).toBeGreaterThan(1000)
    queues[0]!.purge()
    expect(fixture.model.memory.bytes).toBe(0)
  })
})

describe('a queue that is deleted', () => {
  test('tells its consumers, and what they hold goes nowhere', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const consumer = fixture.consume(queue, { prefetch: 3 })
    fixture.fill('q', ...bodies(5))
    const conditions = { ifUnused: false, ifEmpty: false }
    expect(fixture.vhost.deleteQueue('q', conditions, OWNER)).toBe(2)
    expect([consumer.ended, queue.deleted]).toEqual([true, true])
    queue.acknowledge(consumer.take())
    queue.reject(consumer.take())
    queue.giveBack([consumer.take()], 'closed')
    expect(fixture.model.memory.bytes).toBe(0)
    expect(fixture.vhost.deleteQueue('q', conditions, OWNER)).toBe(0)
  })

  test('goes with its last consumer where it was declared so, and not before it had one', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', {}, { autoDelete: true })
    expect(queue.deleted).toBe(false)
    const [a, b] = [fixture.consume(queue), fixture.consume(queue)]
    queue.cancel(a)
    expect(queue.deleted).toBe(false)
    queue.cancel(b)
    expect(queue.deleted).toBe(true)
    expect(refusal(() => fixture.vhost.queue('q', OWNER))).toBe("404 NOT_FOUND - no queue 'q' in vhost '/'")
  })

  test('goes with its connection where it is exclusive', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', {}, { exclusive: true, durable: true })
    expect([queue.durable, queue.exclusive]).toEqual([false, true])
    const other = {}
    fixture.vhost.releaseOwner(other)
    expect(queue.deleted).toBe(false)
    fixture.vhost.releaseOwner(OWNER)
    expect(queue.deleted).toBe(true)
  })
})

describe('one consumer alone', () => {
  const IN_USE = "403 ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"

  test('an exclusive one is refused where there are others, and refuses others', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    const first = fixture.consume(queue)
    expect(refusal(() => fixture.consume(queue, { exclusive: true }))).toBe(IN_USE)
    queue.cancel(first)
    const alone = fixture.consume(queue, { exclusive: true })
    expect(refusal(() => fixture.consume(queue))).toBe(IN_USE)
    queue.cancel(alone)
    fixture.consume(queue)
  })

  test('of several only one is active; the next in line follows it', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-single-active-consumer': true })
    const a = fixture.consume(queue, { prefetch: 1 })
    const b = fixture.consume(queue)
    const c = fixture.consume(queue, { arguments: { 'x-priority': 5 } })
    fixture.fill('q', ...bodies(3))
    expect([a.bodies, b.bodies, c.bodies]).toEqual([['1'], [], []])
    queue.cancel(b)
    queue.cancel(a)
    expect(c.bodies).toEqual(['2', '3'])
    queue.giveBack(a.held.splice(0), 'closed')
    expect(c.bodies).toEqual(['2', '3', '1'])
    expect(refusal(() => fixture.consume(queue, { exclusive: true }))).toBe(IN_USE)
  })

  test('of several is not gone round by basic.get, since RabbitMQ says so', () => {
    const old = new ModelFixture('rabbitmq-3.10').queue('q', { 'x-single-active-consumer': true })
    expect(old.get(true)).toBe(undefined)
    const queue = new ModelFixture('rabbitmq-4.2').queue('q', { 'x-single-active-consumer': true })
    expect(refusal(() => queue.get(true))).toBe(
      "405 RESOURCE_LOCKED - cannot obtain access to locked queue 'q' in vhost '/'. basic.get operations are not supported by classic queues with single active consumer",
    )
  })
})

test.each([
  [
    { 'x-priority': 'high' },
    `invalid arg 'x-priority' for queue 'q' in vhost '/': "expected integer, got longstr"`,
  ],
  [
    { 'x-cancel-on-ha-failover': 1 },
    `invalid arg 'x-cancel-on-ha-failover' for queue 'q' in vhost '/': {unacceptable_type,signedint}`,
  ],
  [
    { 'x-stream-offset': 'first' },
    `invalid arg 'x-stream-offset' for queue 'q' in vhost '/' of queue type rabbit_classic_queue`,
  ],
])('consuming with %j is refused', (args, text) => {
  const fixture = new ModelFixture()
  const queue = fixture.queue('q')
  expect(refusal(() => fixture.consume(queue, { arguments: args }))).toBe(`406 PRECONDITION_FAILED - ${text}`)
})

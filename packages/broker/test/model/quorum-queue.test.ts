import { describe, expect, test } from 'vitest'
import { bodyOf, ModelFixture, OWNER, propertiesOf, refusal, type ConsumerTerms } from './model-fixture.ts'

describe('a quorum queue', () => {
  test('gives again behind what came back before, and says how often', () => {
    const fixture = new ModelFixture()
    const queue = fixture.replicated('quorum', 'q')
    fixture.fill('q', '1', '2', '3')
    const [one, two] = [queue.get(false)!, queue.get(false)!]
    expect(propertiesOf(one.message).headers).toEqual({ 'x-delivery-count': 0 })
    queue.giveBack([two], 'nack')
    queue.giveBack([one], 'nack')
    const again = queue.get(false)!
    expect([bodyOf(again.message), again.redelivered]).toEqual(['2', true])
    expect(propertiesOf(again.message).headers).toEqual({ 'x-delivery-count': 1 })
    queue.giveBack([again], 'closed')
    expect(fixture.drain(queue)).toEqual(['1', '2', '3'])
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test('says nothing of what never came back from RabbitMQ 4.0 on', () => {
    const fixture = new ModelFixture('rabbitmq-4.3')
    const queue = fixture.replicated('quorum', 'q')
    fixture.fill('q', '1')
    const got = queue.get(false)!
    expect(propertiesOf(got.message).headers).toBeUndefined()
    queue.giveBack([got], 'nack')
    const consumer = fixture.consume(queue)
    expect(propertiesOf(consumer.held[0]!.message).headers).toBeUndefined()
  })

  test('does not count for a consumer before something came back', () => {
    const fixture = new ModelFixture()
    const queue = fixture.replicated('quorum', 'q')
    fixture.fill('q', '1')
    const consumer = fixture.consume(queue)
    expect(propertiesOf(consumer.held[0]!.message).headers).toBe(undefined)
    queue.giveBack([consumer.take()], 'closed')
    expect(propertiesOf(consumer.held[0]!.message).headers).toEqual({ 'x-delivery-count': 1 })
  })

  test('keeps the headers of the publisher, however often it comes back', () => {
    const fixture = new ModelFixture()
    const queue = fixture.replicated('quorum', 'q')
    fixture.publish('', 'q', '1', { headers: { mine: 'x', CC: ['other'] } })
    const consumer = fixture.consume(queue)
    for (let i = 0; i < 3; i++) queue.giveBack([consumer.take()], 'nack')
    expect(propertiesOf(consumer.held[0]!.message).headers).toEqual({
      mine: 'x',
      CC: ['other'],
      'x-delivery-count': 3,
    })
    expect(consumer.held[0]!.message.extraKeys).toEqual(['other'])
  })

  test.each([
    ['rabbitmq-4.2', ['low', 'high', 'higher']],
    ['rabbitmq-4.3', ['higher', 'high', 'low']],
  ] as const)('of %s gives in this order: %j', (profile, order) => {
    const fixture = new ModelFixture(profile)
    const queue = fixture.replicated('quorum', 'q')
    fixture.publish('', 'q', 'low')
    fixture.publish('', 'q', 'high', { priority: 5 })
    fixture.publish('', 'q', 'higher', { priority: 6 })
    expect(fixture.drain(queue)).toEqual(order)
  })

  test('lets a message die that comes back too often; its letter does not count', () => {
    const fixture = new ModelFixture()
    const dead = fixture.queue('dead')
    const queue = fixture.replicated('quorum', 'q', {
      'x-delivery-limit': 2,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': 'dead',
    })
    fixture.fill('q', 'poison')
    for (let i = 0; i < 3; i++) {
      expect(dead.messageCount).toBe(0)
      queue.giveBack([queue.get(false)!], 'nack')
    }
    expect(queue.stats()).toMatchObject({ ready: 0, unsettled: 0 })
    const headers = propertiesOf(dead.get(true)!.message).headers
    expect(headers).toMatchObject({ 'x-death': [{ reason: 'delivery_limit', queue: 'q' }] })
    expect(headers).not.toHaveProperty('x-delivery-count')
    expect(fixture.model.memory.bytes).toBe(0)
  })

  test.each([
    ['rabbitmq-3.10', Infinity],
    ['rabbitmq-4.2', 20],
  ] as const)('of %s has a limit of %d without saying so', (profile, limit) => {
    const fixture = new ModelFixture(profile)
    const queue = fixture.replicated('quorum', 'q')
    fixture.fill('q', 'poison')
    let deliveries = 0
    for (let queued = queue.get(false); queued !== undefined && deliveries < 50; queued = queue.get(false)) {
      deliveries++
      queue.giveBack([queued], 'nack')
    }
    expect(deliveries).toBe(Math.min(50, limit + 1))
  })

  test('of RabbitMQ 4.3 does not count basic.nack, only what else brings a message back', () => {
    const fixture = new ModelFixture('rabbitmq-4.3')
    const queue = fixture.replicated('quorum', 'q')
    fixture.fill('q', '1')
    queue.giveBack([queue.get(false)!], 'nack')
    queue.giveBack([queue.get(false)!], 'reject')
    expect(propertiesOf(queue.get(true)!.message).headers).toEqual({ 'x-delivery-count': 1 })
  })

  test.each([
    ['non-durable', { durable: false }],
    ['exclusive-owner', { durable: true, exclusive: true }],
    ['auto-delete', { durable: true, autoDelete: true }],
  ])('is not %s', (property, terms) => {
    const fixture = new ModelFixture()
    expect(refusal(() => fixture.queue('q', { 'x-queue-type': 'quorum' }, terms))).toBe(
      `406 PRECONDITION_FAILED - invalid property '${property}' for queue 'q' in vhost '/'`,
    )
  })

  test('refuses what comes once it is beyond its limit, and takes more at four fifths of it', () => {
    const fixture = new ModelFixture()
    const queue = fixture.replicated('quorum', 'q', { 'x-max-length': 10, 'x-overflow': 'reject-publish' })
    const outcomes = (count: number): string[] =>
      Array.from({ length: count }, () => fixture.publish('', 'q', 'x'))
    expect(outcomes(13).slice(-3)).toEqual(['taken', 'refused', 'refused'])
    queue.get(true)
    queue.get(true)
    expect([queue.messageCount, ...outcomes(1)]).toEqual([9, 'refused'])
    queue.get(true)
    expect([queue.messageCount, ...outcomes(4)]).toEqual([8, 'taken', 'taken', 'taken', 'refused'])
    queue.purge()
    expect(outcomes(12).slice(-2)).toEqual(['taken', 'refused'])
  })

  test('drops the oldest where it is asked for the mode of classic queues', () => {
    const fixture = new ModelFixture()
    const args = { 'x-max-length': 1, 'x-overflow': 'reject-publish-dlx' }
    const queue = fixture.replicated('quorum', 'q', args)
    fixture.fill('q', '1', '2')
    expect(fixture.drain(queue)).toEqual(['2'])
  })

  test('refuses what it does not have', () => {
    const fixture = new ModelFixture()
    const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
    expect(refusal(() => queue.get(true))).toContain('405 RESOURCE_LOCKED - cannot obtain access to locked')
    expect(refusal(() => fixture.consume(queue, { globalPrefetch: true }))).toBe(
      "540 NOT_IMPLEMENTED - queue 'q' in vhost '/' does not support global qos",
    )
    for (const flag of ['if-unused', 'if-empty']) {
      const conditions = { ifUnused: flag === 'if-unused', ifEmpty: flag === 'if-empty' }
      expect(refusal(() => fixture.vhost.deleteQueue('q', conditions, OWNER))).toBe(
        `540 NOT_IMPLEMENTED - cannot delete queue 'q' in vhost '/'. queue.delete operations with ${flag} flag set are not supported by quorum queues`,
      )
    }
  })
})

describe('a quorum queue with one active consumer', () => {
  const ranked = (tag: string, priority: number, prefetch = 0): ConsumerTerms => ({
    tag,
    prefetch,
    arguments: { 'x-priority': priority },
  })

  test.each([
    ['rabbitmq-3.13', 'early'],
    ['rabbitmq-4.2', 'high'],
  ] as const)('of %s lets the one take over that is %s', (profile, next) => {
    const fixture = new ModelFixture(profile)
    const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
    const first = fixture.consume(queue, ranked('first', 9))
    const early = fixture.consume(queue, ranked('early', 0))
    const high = fixture.consume(queue, ranked('high', 5))
    fixture.fill('q', '1')
    queue.cancel(first)
    fixture.fill('q', '2')
    expect([first.bodies, early.bodies, high.bodies]).toEqual([
      ['1'],
      next === 'early' ? ['2'] : [],
      next === 'high' ? ['2'] : [],
    ])
  })

  test('lets it go on though one of higher priority comes, before RabbitMQ 4.0', () => {
    const fixture = new ModelFixture('rabbitmq-3.13')
    const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
    const low = fixture.consume(queue, ranked('low', 0))
    const high = fixture.consume(queue, ranked('high', 1))
    fixture.fill('q', '1', '2')
    expect([low.bodies, high.bodies]).toEqual([['1', '2'], []])
  })

  test.each(['acknowledge', 'reject', 'giveBack'] as const)(
    'gives the place to one of higher priority once all is settled: %s',
    (settle) => {
      const fixture = new ModelFixture('rabbitmq-4.2')
      const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
      const low = fixture.consume(queue, ranked('low', -1))
      fixture.fill('q', '1', '2')
      const high = fixture.consume(queue, ranked('high', 0, 2))
      fixture.fill('q', '3', '4')
      // What was on its way is settled first; meanwhile nobody gets anything.
      expect([low.bodies, high.bodies, queue.messageCount]).toEqual([['1', '2'], [], 2])
      queue.acknowledge(low.take())
      expect(high.bodies).toEqual([])
      const last = low.take()
      if (settle === 'giveBack') queue.giveBack([last], 'nack')
      else queue[settle](last)
      expect([low.bodies, high.bodies]).toEqual([['1', '2'], settle === 'giveBack' ? ['2', '3'] : ['3', '4']])
    },
  )

  test('gives the place at once where nothing is unsettled, and back behind its equals', () => {
    const fixture = new ModelFixture('rabbitmq-4.2')
    const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
    const low = fixture.consume(queue, ranked('low', 0))
    const equal = fixture.consume(queue, ranked('equal', 0))
    const high = fixture.consume(queue, ranked('high', 1))
    fixture.fill('q', '1')
    queue.cancel(high)
    fixture.fill('q', '2')
    queue.cancel(equal)
    fixture.fill('q', '3')
    expect([high.bodies, equal.bodies, low.bodies]).toEqual([['1'], ['2'], ['3']])
  })

  test('goes on where the one of higher priority leaves before its turn', () => {
    const fixture = new ModelFixture('rabbitmq-4.2')
    const queue = fixture.replicated('quorum', 'q', { 'x-single-active-consumer': true })
    const low = fixture.consume(queue, ranked('low', 0))
    fixture.fill('q', '1')
    const higher = fixture.consume(queue, ranked('higher', 2))
    const high = fixture.consume(queue, ranked('high', 1))
    fixture.fill('q', '2')
    queue.cancel(higher)
    expect([low.bodies, high.bodies]).toEqual([['1'], []])
    queue.cancel(high)
    expect([low.bodies, higher.bodies, high.bodies]).toEqual([['1', '2'], [], []])
  })
})

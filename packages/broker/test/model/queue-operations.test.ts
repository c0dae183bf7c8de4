import { TypedField, type FieldTable } from '@hermod/amqp'
import { describe, expect, test } from 'vitest'
import { fieldsFrom } from '../../src/model/field-table.ts'
import { ModelFixture, OWNER, refusal } from './model-fixture.ts'

const QUEUE = "queue 'q' in vhost '/'"
const OTHER: object = { of: 'another connection' }
const LOCKED = `405 RESOURCE_LOCKED - cannot obtain exclusive access to locked ${QUEUE}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`

describe('declaring a queue', () => {
  test('without a name makes one', () => {
    const fixture = new ModelFixture()
    const [a, b] = [fixture.queue(''), fixture.queue('')]
    expect(a.name).toMatch(/^amq\.gen-[\w-]{22}$/)
    expect(a.name).not.toBe(b.name)
    expect(refusal(() => fixture.queue(a.name))).toContain(
      `queue name '${a.name}' contains reserved prefix 'amq.*'`,
    )
    expect(fixture.vhost.checkQueue(a.name, OWNER)).toBe(a)
  })

  test.each(['quorum', 'stream'] as const)('without a name is refused for a %s', (type) => {
    expect(refusal(() => new ModelFixture().replicated(type, ''))).toBe(
      `406 PRECONDITION_FAILED - Cannot declare a server-named queue for type rabbit_${type}_queue`,
    )
  })

  test('again is the same queue; line breaks are dropped', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', { 'x-queue-type': 'classic', 'x-max-length': 10, unknown: 1 })
    fixture.fill('q', '1')
    const again = fixture.queue('\r\nq', { 'x-max-length': TypedField.int8(10), unknown: 'other' })
    expect([again === queue, again.messageCount, again.consumerCount]).toEqual([true, 1, 0])
  })

  test.each<[FieldTable, FieldTable, string]>([
    [
      { 'x-message-ttl': 10 },
      {},
      `'x-message-ttl' for ${QUEUE}: received none but current is the value '10' of type 'signedint'`,
    ],
    [
      {},
      { 'x-message-ttl': TypedField.int16(10) },
      `'x-message-ttl' for ${QUEUE}: received the value '10' of type 'short' but current is none`,
    ],
    [
      { 'x-message-ttl': 10 },
      { 'x-message-ttl': 20 },
      `'x-message-ttl' for ${QUEUE}: received '20' but current is '10'`,
    ],
    [
      { 'x-message-ttl': 10 },
      { 'x-message-ttl': TypedField.double(10) },
      `'x-message-ttl' for ${QUEUE}: received '10.0' but current is '10'`,
    ],
    [
      { 'x-message-ttl': 10 },
      { 'x-message-ttl': '10' },
      `'x-message-ttl' for ${QUEUE}: received '10' but current is '10'`,
    ],
    [
      { 'x-max-length': 1, 'x-expires': 1 },
      { 'x-max-length': 2, 'x-expires': 2 },
      `'x-expires' for ${QUEUE}: received '2' but current is '1'`,
    ],
    [
      { 'x-overflow': 'drop-head' },
      {},
      `'x-overflow' for ${QUEUE}: received none but current is the value 'drop-head' of type 'longstr'`,
    ],
    [
      {},
      { 'x-queue-type': 'quorum' },
      `'x-queue-type' for ${QUEUE}: received the value 'quorum' of type 'longstr' but current is none`,
    ],
  ])('%j anew with %j is refused', (first, second, text) => {
    const fixture = new ModelFixture()
    fixture.queue('q', first)
    expect(refusal(() => fixture.queue('q', second))).toBe(
      `406 PRECONDITION_FAILED - inequivalent arg ${text}`,
    )
  })

  test('anew with other terms is refused, first of all who may', () => {
    const fixture = new ModelFixture()
    fixture.queue('q')
    const durable = `406 PRECONDITION_FAILED - inequivalent arg 'durable' for ${QUEUE}: received 'true' but current is 'false'`
    expect(refusal(() => fixture.queue('q', { 'x-expires': 1 }, { durable: true, autoDelete: true }))).toBe(
      durable,
    )
    expect(refusal(() => fixture.queue('q', {}, { autoDelete: true }))).toBe(
      `406 PRECONDITION_FAILED - inequivalent arg 'auto_delete' for ${QUEUE}: received 'true' but current is 'false'`,
    )
    expect(refusal(() => fixture.queue('q', {}, { exclusive: true, durable: true }))).toBe(LOCKED)
  })

  test('that is transient and not exclusive is refused by RabbitMQ 4.3', () => {
    const fixture = new ModelFixture('rabbitmq-4.3')
    const text = refusal(() => fixture.queue('q'))
    expect(text.startsWith('541 INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\n')).toBe(
      true,
    )
    expect(text.length).toBe(255 + '541 '.length)
    fixture.queue('q', {}, { durable: true })
    fixture.queue('r', {}, { exclusive: true })
  })

  test('is refused beyond the limit', () => {
    const fixture = new ModelFixture('rabbitmq-4.2', { maxQueuesPerVirtualHost: 1 })
    fixture.queue('q')
    expect(refusal(() => fixture.queue('r'))).toBe(
      "406 PRECONDITION_FAILED - cannot declare queue 'r': queue limit in vhost '/' (1) is reached",
    )
    fixture.queue('q')
  })
})

describe('the arguments of a queue', () => {
  test.each<[FieldTable, string]>([
    [{ 'x-expires': 0 }, '{value_zero,0}'],
    [{ 'x-expires': -1 }, '{value_negative,-1}'],
    [{ 'x-expires': 315_360_000_001 }, '{value_too_large,315360000001}'],
    [{ 'x-expires': 'soon' }, '"expected integer, got longstr"'],
    [{ 'x-message-ttl': -1 }, '{value_negative,-1}'],
    [{ 'x-message-ttl': 1.5 }, '"expected integer, got double"'],
    [{ 'x-message-ttl': null }, '"expected integer, got void"'],
    [{ 'x-max-length': -1 }, '{value_negative,-1}'],
    [{ 'x-max-length-bytes': true }, '"expected integer, got bool"'],
    [{ 'x-max-priority': 256 }, '{max_value_exceeded,256}'],
    [{ 'x-overflow': 'burst' }, 'invalid_overflow'],
    [{ 'x-overflow': 1 }, '{unacceptable_type,signedint}'],
    [{ 'x-dead-letter-routing-key': 'k' }, 'routing_key_but_no_dlx_defined'],
    [{ 'x-dead-letter-routing-key': 1 }, '{unacceptable_type,signedint}'],
    [{ 'x-dead-letter-routing-key': 'k'.repeat(256), 'x-dead-letter-exchange': '' }, '{value_too_long,256}'],
    [{ 'x-queue-mode': 'busy' }, `"unsupported queue mode 'busy'"`],
    [{ 'x-queue-version': 3 }, `"unsupported queue version '3'"`],
    [{ 'x-queue-type': 'round' }, `"unsupported queue type 'round'"`],
    [{ 'x-single-active-consumer': 1 }, '{unacceptable_type,signedint}'],
  ])('%j are refused', (args, text) => {
    const name = Object.keys(args)[0]
    expect(refusal(() => new ModelFixture().queue('q', args))).toBe(
      `406 PRECONDITION_FAILED - invalid arg '${name}' for ${QUEUE}: ${text}`,
    )
  })

  test('are refused in their order', () => {
    const args = { 'x-max-priority': 256, 'x-message-ttl': -1, 'x-expires': 0 }
    expect(refusal(() => new ModelFixture().queue('q', args))).toContain("invalid arg 'x-expires'")
  })

  test.each<['classic' | 'quorum' | 'stream', FieldTable]>([
    ['classic', { 'x-max-age': '1h' }],
    ['classic', { 'x-delivery-limit': 1 }],
    ['quorum', { 'x-max-priority': 5 }],
    ['quorum', { 'x-queue-mode': 'lazy' }],
    ['stream', { 'x-message-ttl': 1 }],
    ['stream', { 'x-max-length': 1 }],
  ])('of a %s do not go with %j', (type, args) => {
    const fixture = new ModelFixture()
    const declare = (): unknown => fixture.queue('q', { 'x-queue-type': type, ...args }, { durable: true })
    expect(refusal(declare)).toBe(
      `406 PRECONDITION_FAILED - invalid arg '${Object.keys(args)[0]}' for ${QUEUE} of queue type rabbit_${type}_queue`,
    )
  })

  test('may be what nobody knows, and what others ignore', () => {
    const fixture = new ModelFixture()
    fixture.queue('a', {
      'x-ha-policy': 'all',
      'x-max-priority': 255,
      'x-queue-mode': 'lazy',
      'x-queue-version': 2,
    })
    fixture.replicated('quorum', 'b', { 'x-quorum-initial-group-size': 3, 'x-delivery-limit': -1 })
    fixture.replicated('stream', 'c', { 'x-initial-cluster-size': 3, 'x-max-age': '1Y' })
    expect(fixture.vhost.queueStats().map(({ type }) => type)).toEqual(['classic', 'quorum', 'stream'])
  })

  test('that RabbitMQ 4.3 dropped are refused by it', () => {
    const fixture = new ModelFixture('rabbitmq-4.3')
    expect(refusal(() => fixture.queue('q', { 'x-queue-mode': 'lazy' }, { durable: true }))).toContain('406')
  })

  test('name no dead-letter exchange by a number', () => {
    expect(refusal(() => new ModelFixture().queue('q', { 'x-dead-letter-exchange': 1 }))).toBe(
      `406 PRECONDITION_FAILED - invalid type 'signedint' for arg 'x-dead-letter-exchange' in ${QUEUE}`,
    )
  })
})

describe('an exclusive queue', () => {
  test.each<[string, (fixture: ModelFixture) => unknown]>([
    ['named', (f) => f.vhost.queue('q', OTHER)],
    ['asked for', (f) => f.vhost.checkQueue('q', OTHER)],
    ['bound', (f) => f.vhost.bindQueue('q', 'amq.direct', 'k', new Map(), OTHER)],
    ['unbound', (f) => f.vhost.unbindQueue('q', 'amq.direct', 'bound', new Map(), OTHER)],
    ['purged', (f) => f.vhost.purgeQueue('q', OTHER)],
    ['deleted', (f) => f.vhost.deleteQueue('q', { ifUnused: false, ifEmpty: false }, OTHER)],
    [
      'declared',
      (f) =>
        f.vhost.declareQueue(
          { name: 'q', durable: false, exclusive: true, autoDelete: false, arguments: fieldsFrom({}) },
          OTHER,
        ),
    ],
  ])('is not %s by another connection', (_how, use) => {
    const fixture = new ModelFixture()
    fixture.queue('q', {}, { exclusive: true })
    fixture.bind('q', 'amq.direct', 'bound')
    expect(refusal(() => use(fixture))).toBe(LOCKED)
    fixture.vhost.releaseOwner(OWNER)
    expect([fixture.vhost.queueStats(), fixture.vhost.bindings()]).toEqual([[], []])
  })

  test('is declared again by its own, durable or not', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q', {}, { exclusive: true, durable: true })
    expect(fixture.queue('q', {}, { exclusive: true })).toBe(queue)
    expect(refusal(() => fixture.queue('q'))).toBe(LOCKED)
  })
})

describe('deleting a queue', () => {
  test('has conditions', () => {
    const fixture = new ModelFixture()
    const queue = fixture.queue('q')
    fixture.fill('q', '1')
    const remove = (ifUnused: boolean, ifEmpty: boolean): number =>
      fixture.vhost.deleteQueue('q', { ifUnused, ifEmpty }, OWNER)
    expect(refusal(() => remove(false, true))).toBe(`406 PRECONDITION_FAILED - ${QUEUE} not empty`)
    const consumer = fixture.consume(queue, { prefetch: 1 })
    expect(refusal(() => remove(true, true))).toBe(`406 PRECONDITION_FAILED - ${QUEUE} in use`)
    queue.cancel(consumer)
    expect(remove(true, true)).toBe(0)
  })

  test.each<[string, (fixture: ModelFixture) => unknown]>([
    ['got from', (f) => f.vhost.queue('q', OWNER)],
    ['asked for', (f) => f.vhost.checkQueue('q', OWNER)],
    ['purged', (f) => f.vhost.purgeQueue('q', OWNER)],
  ])('leaves nothing to be %s', (_how, use) => {
    expect(refusal(() => use(new ModelFixture()))).toBe(`404 NOT_FOUND - no ${QUEUE}`)
  })

  test('that is not there, or not bound, is no fault', () => {
    const { vhost } = new ModelFixture()
    expect(vhost.deleteQueue('q', { ifUnused: true, ifEmpty: true }, OWNER)).toBe(0)
    vhost.unbindQueue('q', 'amq.direct', 'k', new Map(), OWNER)
    vhost.unbindQueue('q', 'none', 'k', new Map(), OWNER)
    vhost.unbindExchange('none', 'amq.direct', 'k', new Map())
  })
})

test('names that every object has are names like any other', () => {
  const fixture = new ModelFixture()
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect(refusal(() => fixture.vhost.queue(name, OWNER))).toContain('404')
    fixture.queue(name)
    fixture.bind(name, 'amq.direct', name)
    expect(fixture.reached('amq.direct', name)).toEqual([name])
    expect(refusal(() => fixture.exchange('x', name))).toContain('503')
  }
})

import { describe, expect, test } from 'vitest'
import { ModelFixture, refusal } from './model-fixture.ts'

const names = (fixture: ModelFixture): string[] =>
  fixture.vhost
    .exchanges()
    .map(({ name }) => name)
    .filter((name) => name !== '' && !name.startsWith('amq.'))

describe('declaring an exchange', () => {
  test('again is nothing, with the same terms', () => {
    const fixture = new ModelFixture()
    const version = (): number => fixture.vhost.topologyVersion
    fixture.exchange('x', 'topic', { 'alternate-exchange': 'ae', anything: 1 })
    const before = version()
    fixture.exchange('x', 'topic', { 'alternate-exchange': 'ae', other: 2 })
    fixture.exchange('x\r\n', 'topic', { 'alternate-exchange': 'ae' })
    expect([names(fixture), version()]).toEqual([['x'], before])
    fixture.exchange('amq.direct', 'direct', {}, { durable: true })
    fixture.vhost.checkExchange('amq.topic')
  })

  test.each<[string, (fixture: ModelFixture) => void, string]>([
    [
      'another type',
      (f) => f.exchange('x', 'fanout'),
      `'type' for exchange 'x' in vhost '/': received 'fanout' but current is 'topic'`,
    ],
    [
      'durable',
      (f) => f.exchange('x', 'topic', {}, { durable: true }),
      `'durable' for exchange 'x' in vhost '/': received 'true' but current is 'false'`,
    ],
    [
      'auto-delete',
      (f) => f.exchange('x', 'topic', {}, { autoDelete: true }),
      `'auto_delete' for exchange 'x' in vhost '/': received 'true' but current is 'false'`,
    ],
    [
      'internal',
      (f) => f.exchange('x', 'topic', {}, { internal: true }),
      `'internal' for exchange 'x' in vhost '/': received 'true' but current is 'false'`,
    ],
    [
      'an alternate',
      (f) => f.exchange('x', 'topic', { 'alternate-exchange': 'be' }),
      `'alternate-exchange' for exchange 'x' in vhost '/': received the value 'be' of type 'longstr' but current is none`,
    ],
  ])('anew with %s is refused', (_title, declare, text) => {
    const fixture = new ModelFixture()
    fixture.exchange('x', 'topic')
    expect(refusal(() => declare(fixture))).toBe(`406 PRECONDITION_FAILED - inequivalent arg ${text}`)
  })

  test.each<[string, (fixture: ModelFixture) => void, string]>([
    [
      'default',
      (f) => f.exchange('', 'direct'),
      `403 ACCESS_REFUSED - operation not permitted on the default exchange`,
    ],
    [
      'passively default',
      (f) => f.vhost.checkExchange(''),
      `403 ACCESS_REFUSED - operation not permitted on the default exchange`,
    ],
    [
      'reserved',
      (f) => f.exchange('amq.mine', 'direct'),
      `403 ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'`,
    ],
    [
      'missing',
      (f) => f.vhost.checkExchange('amq.mine'),
      `404 NOT_FOUND - no exchange 'amq.mine' in vhost '/'`,
    ],
    [
      'an unknown type',
      (f) => f.exchange('x', 'round'),
      `503 COMMAND_INVALID - unknown exchange type 'round'`,
    ],
    [
      'a type that objects have',
      (f) => f.exchange('x', 'constructor'),
      `503 COMMAND_INVALID - unknown exchange type 'constructor'`,
    ],
    [
      'an alternate that is no name',
      (f) => f.exchange('x', 'topic', { 'alternate-exchange': 7 }),
      `406 PRECONDITION_FAILED - invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in vhost '/'`,
    ],
  ])('is refused: %s', (_title, declare, text) => {
    expect(refusal(() => declare(new ModelFixture()))).toBe(text)
  })

  test('of an unknown type is 406 since RabbitMQ 4', () => {
    expect(refusal(() => new ModelFixture('rabbitmq-4.2').exchange('x', 'round'))).toBe(
      `406 PRECONDITION_FAILED - unknown exchange type 'round'`,
    )
  })

  test('is refused beyond the limit', () => {
    const fixture = new ModelFixture('rabbitmq-4.2', { maxExchangesPerVirtualHost: 8 })
    fixture.exchange('x', 'topic')
    expect(refusal(() => fixture.exchange('y', 'topic'))).toContain('limit in vhost')
    fixture.exchange('x', 'topic')
  })
})

describe('deleting an exchange', () => {
  test('takes its bindings along; what is not there is deleted', () => {
    const fixture = new ModelFixture()
    fixture.exchange('x', 'fanout')
    fixture.exchange('y', 'fanout')
    fixture.queue('q')
    fixture.bind('q', 'x')
    fixture.bindExchange('x', 'y')
    expect(refusal(() => fixture.vhost.deleteExchange('x', true))).toBe(
      "406 PRECONDITION_FAILED - exchange 'x' in vhost '/' in use",
    )
    fixture.vhost.deleteExchange('x', false)
    expect([names(fixture), fixture.vhost.bindings()]).toEqual([['y'], []])
    fixture.vhost.deleteExchange('x', false)
    fixture.vhost.deleteExchange('y', true)
    expect(names(fixture)).toEqual([])
  })

  test.each(['amq.direct', 'amq.mine'])('refuses %s', (name) => {
    expect(refusal(() => new ModelFixture().vhost.deleteExchange(name, false))).toBe(
      `403 ACCESS_REFUSED - deletion of system exchange '${name}' in vhost '/' not allowed`,
    )
  })
})

describe('an exchange that deletes itself', () => {
  test('goes with its last binding, and not before it had one', () => {
    const fixture = new ModelFixture()
    fixture.exchange('x', 'topic', {}, { autoDelete: true })
    fixture.queue('q')
    for (const key of ['a', 'b']) fixture.bind('q', 'x', key)
    const unbind = (key: string): void => fixture.vhost.unbindQueue('q', 'x', key, new Map(), {})
    unbind('never bound')
    unbind('a')
    expect(names(fixture)).toEqual(['x'])
    unbind('b')
    expect(names(fixture)).toEqual([])
    unbind('b')
  })

  test('takes along its bindings, more of them than a call takes arguments', () => {
    const fixture = new ModelFixture('rabbitmq-3.10', { maxDeclaredBytes: 1e9 })
    fixture.exchange('x', 'fanout', {}, { autoDelete: true })
    for (let i = 0; i < 200_000; i++) fixture.bindExchange('x', 'amq.direct', String(i))
    fixture.queue('q')
    fixture.bind('q', 'x')
    fixture.vhost.deleteQueue('q', { ifUnused: false, ifEmpty: false }, fixture.owner)
    expect([names(fixture), fixture.vhost.bindings()]).toEqual([[], []])
    expect(fixture.model.declared.bytes).toBe(0)
  })

  test('takes along those that were bound to it alone, however many', () => {
    const fixture = new ModelFixture()
    fixture.exchange('x0', 'fanout', {}, { autoDelete: true })
    for (let i = 1; i <= 20_000; i++) {
      fixture.exchange(`x${i}`, 'fanout', {}, { autoDelete: true })
      fixture.bindExchange(`x${i - 1}`, `x${i}`)
    }
    fixture.exchange('stays', 'fanout')
    fixture.bindExchange('x0', 'stays')
    fixture.queue('q', {}, { exclusive: true })
    fixture.bind('q', 'x0')
    fixture.vhost.deleteQueue('q', { ifUnused: false, ifEmpty: false }, fixture.owner)
    expect([names(fixture), fixture.vhost.bindings()]).toEqual([['stays'], []])
  })
})

describe('binding', () => {
  test.each<[string, (fixture: ModelFixture) => void, string]>([
    [
      'from a missing exchange',
      (f) => f.bind('q', 'none'),
      `404 NOT_FOUND - no exchange 'none' in vhost '/'`,
    ],
    ['a missing queue', (f) => f.bind('none', 'amq.direct'), `404 NOT_FOUND - no queue 'none' in vhost '/'`],
    ['nothing to nothing', (f) => f.bind('none', 'none'), `404 NOT_FOUND - no exchange 'none' in vhost '/'`],
    [
      'from the default exchange',
      (f) => f.bind('q', ''),
      `403 ACCESS_REFUSED - operation not permitted on the default exchange`,
    ],
    [
      'to a missing exchange',
      (f) => f.bindExchange('none', 'amq.direct'),
      `404 NOT_FOUND - no exchange 'none' in vhost '/'`,
    ],
    [
      'to the default exchange',
      (f) => f.bindExchange('', 'amq.direct'),
      `403 ACCESS_REFUSED - operation not permitted on the default exchange`,
    ],
  ])('%s is refused', (_title, bind, text) => {
    const fixture = new ModelFixture()
    fixture.queue('q')
    expect(refusal(() => bind(fixture))).toBe(text)
  })

  test('with three # is refused by RabbitMQ 4.3', () => {
    const strict = new ModelFixture('rabbitmq-4.3')
    strict.queue('q', {}, { durable: true })
    strict.bind('q', 'amq.topic', 'a.#.b.#')
    expect(refusal(() => strict.bind('q', 'amq.topic', 'a.#.b.#.#'))).toBe(
      "406 PRECONDITION_FAILED - Topic binding key 'a.#.b.#.#' uses 3 '#' wildcards, at most 2 are allowed",
    )
    const fixture = new ModelFixture('rabbitmq-4.2')
    fixture.queue('q')
    fixture.bind('q', 'amq.topic', 'a.#.b.#.#')
  })

  test('is refused beyond the limit', () => {
    const fixture = new ModelFixture('rabbitmq-4.2', { maxBindingsPerVirtualHost: 1 })
    fixture.queue('q')
    fixture.bind('q', 'amq.direct', 'a')
    expect(refusal(() => fixture.bind('q', 'amq.direct', 'b'))).toContain('binding limit')
  })

  test('with other arguments is another binding, in another order the same', () => {
    const fixture = new ModelFixture()
    fixture.queue('q')
    fixture.bind('q', 'amq.direct', 'k', { a: 1, b: 2 })
    fixture.bind('q', 'amq.direct', 'k', { b: 2, a: 1 })
    fixture.bind('q', 'amq.direct', 'k', { a: 1 })
    expect(fixture.vhost.bindings()).toHaveLength(2)
  })
})

test('publishing', () => {
  const fixture = new ModelFixture()
  fixture.exchange('inside', 'direct', {}, { internal: true })
  expect(refusal(() => fixture.publish('none', 'k'))).toBe("404 NOT_FOUND - no exchange 'none' in vhost '/'")
  expect(refusal(() => fixture.publish('inside', 'k'))).toBe(
    "403 ACCESS_REFUSED - cannot publish to internal exchange 'inside' in vhost '/'",
  )
  expect(fixture.publish('', 'nobody')).toBe('unrouted')
})

import { describe, expect, test } from 'vitest'
import { bodyOf, messageOf, ModelFixture, OWNER, propertiesOf } from './model-fixture.ts'

/** A host with these queues. */
const withQueues = (...names: readonly string[]): ModelFixture => {
  const fixture = new ModelFixture()
  for (const name of names) fixture.queue(name)
  return fixture
}

describe('an exchange reaches', () => {
  test('the queue of that name: default', () => {
    const fixture = withQueues('a', 'b')
    expect([fixture.reached('', 'a'), fixture.reached('', 'c')]).toEqual([['a'], []])
  })

  test('queues bound with the key: direct', () => {
    const fixture = withQueues('a', 'b')
    fixture.bind('a', 'amq.direct', 'k')
    fixture.bind('b', 'amq.direct', 'k')
    fixture.bind('b', 'amq.direct', 'l')
    expect([fixture.reached('amq.direct', 'k'), fixture.reached('amq.direct', 'l')]).toEqual([
      ['a', 'b'],
      ['b'],
    ])
    expect(fixture.reached('amq.direct', 'm')).toEqual([])
  })

  test('every queue once, however often it is bound', () => {
    const fixture = withQueues('a')
    for (const key of ['#', 'a.*', 'a.b']) fixture.bind('a', 'amq.topic', key)
    fixture.bind('a', 'amq.topic', '#')
    expect(fixture.reached('amq.topic', 'a.b')).toEqual(['a'])
    expect(fixture.vhost.bindings()).toHaveLength(3)
  })

  test('queues by headers, though another message of that key went elsewhere', () => {
    const fixture = withQueues('a', 'b')
    fixture.bind('a', 'amq.headers', '', { kind: 'a' })
    fixture.bind('b', 'amq.headers', '', { kind: 'b' })
    fixture.exchange('front', 'fanout')
    fixture.bindExchange('amq.headers', 'front')
    for (const kind of ['a', 'b', 'a']) {
      expect(fixture.reached('front', 'k', { headers: { kind } })).toEqual([kind])
    }
  })
})

describe('exchanges bound to each other', () => {
  test('go round once', () => {
    const fixture = withQueues('q')
    for (const name of ['a', 'b', 'c']) fixture.exchange(name, 'fanout')
    fixture.bindExchange('b', 'a')
    fixture.bindExchange('c', 'b')
    fixture.bindExchange('a', 'c')
    fixture.bindExchange('a', 'a')
    fixture.bind('q', 'c')
    expect(fixture.reached('a', '')).toEqual(['q'])
    expect(fixture.publish('a', '', 'once')).toBe('taken')
    expect(fixture.drain(fixture.queue('q'))).toEqual(['once'])
  })

  test('may be internal: reached by others alone', () => {
    const fixture = withQueues('q')
    fixture.exchange('inside', 'direct', {}, { internal: true })
    fixture.exchange('front', 'topic')
    fixture.bindExchange('inside', 'front', 'a.#')
    fixture.bind('q', 'inside', 'a.b')
    expect([fixture.reached('front', 'a.b'), fixture.reached('front', 'a.c')]).toEqual([['q'], []])
  })
})

describe('an alternate exchange', () => {
  test('takes what matches nothing, and hands on likewise', () => {
    const fixture = withQueues('q', 'rest')
    fixture.exchange('last', 'fanout')
    fixture.exchange('second', 'direct', { 'alternate-exchange': 'last' })
    fixture.exchange('first', 'direct', { 'alternate-exchange': 'second' })
    fixture.bind('q', 'first', 'k')
    fixture.bind('rest', 'last')
    expect([fixture.reached('first', 'k'), fixture.reached('first', 'other')]).toEqual([['q'], ['rest']])
  })

  test('that is not there yet is looked for each time; one that names itself ends', () => {
    const fixture = withQueues('rest')
    fixture.exchange('x', 'direct', { 'alternate-exchange': 'later' })
    fixture.exchange('loop', 'direct', { 'alternate-exchange': 'loop' })
    expect([fixture.reached('x', 'k'), fixture.reached('loop', 'k')]).toEqual([[], []])
    fixture.exchange('later', 'fanout')
    fixture.bind('rest', 'later')
    expect(fixture.reached('x', 'k')).toEqual(['rest'])
  })
})

describe('a route that is remembered', () => {
  const steps: readonly (readonly [string, (fixture: ModelFixture) => void, string[]])[] = [
    ['a binding', (fixture) => fixture.bind('b', 'x', 'k.*'), ['a', 'b']],
    ['an unbinding', (fixture) => fixture.vhost.unbindQueue('a', 'x', 'k.#', new Map(), OWNER), []],
    [
      'the end of a queue',
      (fixture) => fixture.vhost.deleteQueue('a', { ifUnused: false, ifEmpty: false }, OWNER),
      [],
    ],
    ['an exchange between', (fixture) => viaAnother(fixture), ['a', 'c']],
  ]

  const viaAnother = (fixture: ModelFixture): void => {
    fixture.exchange('y', 'fanout')
    fixture.bind('c', 'y')
    fixture.bindExchange('y', 'x', 'k.l')
  }

  test.each(steps)('is forgotten with %s', (_title, change, expected) => {
    const fixture = withQueues('a', 'b', 'c')
    fixture.exchange('x', 'topic')
    fixture.bind('a', 'x', 'k.#')
    expect(fixture.reached('x', 'k.l')).toEqual(['a'])
    expect(fixture.reached('x', 'k.l')).toEqual(['a'])
    change(fixture)
    expect(fixture.reached('x', 'k.l')).toEqual(expected)
  })

  test('is the same list while nothing changes', () => {
    const fixture = withQueues('a')
    const first = fixture.vhost.route(messageOf('', 'a'))
    expect(fixture.vhost.route(messageOf('', 'a'))).toBe(first)
    fixture.queue('b')
    expect(fixture.vhost.route(messageOf('', 'a'))).not.toBe(first)
  })

  test('ends with a queue that expires, though nobody asked for it', () => {
    const fixture = new ModelFixture()
    fixture.queue('q', { 'x-expires': 100 })
    expect(fixture.reached('', 'q')).toEqual(['q'])
    fixture.clock.advance(100)
    expect(fixture.reached('', 'q')).toEqual([])
  })

  test('is one of a few thousand, whatever keys come', () => {
    const fixture = withQueues('a')
    fixture.bind('a', 'amq.fanout')
    for (let i = 0; i < 10_000; i++) fixture.publish('amq.fanout', `k${i}`)
    expect(fixture.queue('a').messageCount).toBe(10_000)
  })
})

describe('CC and BCC', () => {
  test('are keys like the routing key, and nobody sees BCC', () => {
    const fixture = withQueues('a', 'b', 'c')
    const properties = { headers: { CC: ['b', 7, 'b'], BCC: ['c'], other: 'x' }, appId: 'app' }
    expect(fixture.publish('', 'a', 'body', properties)).toBe('taken')
    for (const name of ['a', 'b', 'c']) {
      const { message } = fixture.queue(name).get(true)!
      expect([bodyOf(message), message.routingKey]).toEqual(['body', 'a'])
      expect(propertiesOf(message)).toEqual({ appId: 'app', headers: { CC: ['b', 7, 'b'], other: 'x' } })
    }
  })

  test('of a topic exchange match patterns', () => {
    const fixture = withQueues('a', 'b')
    fixture.bind('a', 'amq.topic', 'x.*')
    fixture.bind('b', 'amq.topic', 'y.*')
    expect(fixture.reached('amq.topic', 'none', { headers: { CC: ['x.1', 'y.1'] } })).toEqual(['a', 'b'])
    expect(fixture.reached('amq.topic', 'none')).toEqual([])
  })
})

describe('a direct reply', () => {
  test('goes to the channel that waits, and to nobody when that is gone', () => {
    const fixture = new ModelFixture('rabbitmq-4.2')
    const bodies: string[] = []
    const name = fixture.vhost.openReplies({ deliver: (message) => bodies.push(bodyOf(message)) })
    expect(name).toMatch(/^amq\.rabbitmq\.reply-to\.[\w-]{22}$/)
    expect([fixture.vhost.hasReplies(name), fixture.vhost.hasReplies(`${name}x`)]).toEqual([true, false])
    expect(fixture.publish('', name, 'reply')).toBe('taken')
    fixture.vhost.closeReplies(name)
    expect(fixture.publish('', name, 'late')).toBe('unrouted')
    expect(bodies).toEqual(['reply'])
  })

  test('counted as unrouted in RabbitMQ 3', () => {
    const fixture = new ModelFixture('rabbitmq-3.10')
    const name = fixture.vhost.openReplies({ deliver: () => {} })
    expect(fixture.publish('', name, 'reply')).toBe('unrouted')
  })
})

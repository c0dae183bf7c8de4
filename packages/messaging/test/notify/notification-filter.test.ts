import { ConfigurationError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { NotificationFilter, type Notification, type NotificationFilterParts } from '../../src/index.ts'

const notification = (changes: Partial<Notification> = {}): Notification => ({
  messageId: '99863dda-97f0-443a-a0c1-6ed317b7fd45',
  publisherId: 'compute01.manager',
  eventType: 'instance.create.start',
  priority: 'INFO',
  payload: { state: 'active', virtual_size: null, '2': 'x' },
  timestamp: '2014-03-03 18:21:04.369234',
  uniqueId: null,
  context: {},
  ...changes,
})

describe('NotificationFilter', () => {
  const admin = { context: { user: 'admin' } }
  const cases: readonly (readonly [string, NotificationFilterParts, Partial<Notification>, boolean])[] = [
    ['publisher matches', { publisherId: '^compute.*' }, {}, true],
    ['publisher does not', { publisherId: '^compute.*' }, { publisherId: 'network01.manager' }, false],
    ['event type matches', { eventType: String.raw`^instance\.create` }, {}, true],
    ['event type does not', { eventType: String.raw`^instance\.delete` }, {}, false],
    ['event type is no text', { eventType: '^instance' }, { eventType: ['instance.swim'] as never }, false],
    ['context matches', { context: { user: '^adm' } }, admin, true],
    ['context lacks the member', { context: { user: '^adm' } }, { context: { project: 'admin' } }, false],
    ['metadata matches', { metadata: { messageId: '^99' } }, {}, true],
    ['timestamp does not', { metadata: { timestamp: 'Aug' } }, {}, false],
    ['message id is missing', { metadata: { messageId: '^99' } }, { messageId: null }, false],
    ['payload matches', { payload: { state: '^active$' } }, {}, true],
    ['payload does not', { payload: { state: '^deleted$' } }, {}, false],
    ['payload lacks the member', { payload: { user: '^adm' } }, {}, false],
    ['payload has null there', { payload: { virtual_size: '2048' } }, {}, false],
    [
      'all of several match',
      { eventType: String.raw`^instance\.create`, publisherId: '^compute', context: { user: '^adm' } },
      admin,
      true,
    ],
    ['one of several does not', { publisherId: '^compute', context: { user: '^adm' } }, {}, false],
    ['nothing is asked', {}, {}, true],
    ['the text begins later', { publisherId: 'manager' }, {}, false],
    ['an alternative begins later', { publisherId: 'x|manager' }, {}, false],
    ['an expression may begin later', { publisherId: /manager/ }, {}, true],
    ['payload is no object', { payload: { '0': 'a' } }, { payload: ['a'] }, false],
    ['payload is a text', { payload: { length: '.' } }, { payload: 'abc' }, false],
    ['a member of every object', { payload: { constructor: '' } }, { payload: {} }, false],
  ]

  it.each(cases)('%s', (_, parts, changes, expected) => {
    const filter = new NotificationFilter(parts)
    expect(filter.matches(notification(changes))).toBe(expected)
    expect(filter.matches(notification(changes))).toBe(expected)
  })

  it('forgets where an expression with flag g or y had ended', () => {
    const filter = new NotificationFilter({ publisherId: /compute/g, eventType: /instance/y })
    expect([1, 2, 3].map(() => filter.matches(notification()))).toEqual([true, true, true])
  })

  it('names every pattern that is none', () => {
    expect(
      () => new NotificationFilter({ publisherId: '(', payload: { state: '(?P<name>x)' }, eventType: 'ok' }),
    ).toThrow(
      new ConfigurationError([
        "'publisherId' of the filter is no regular expression of JavaScript with flag 'u'",
        "'payload.state' of the filter is no regular expression of JavaScript with flag 'u'",
      ]),
    )
  })
})

import { ConfigurationError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { errorNotification, ERROR_PUBLISHER, notifierConfFrom, parseConf } from '../../src/index.ts'

describe('notifierConfFrom', () => {
  it("has oslo.messaging's defaults", () => {
    expect(notifierConfFrom(parseConf(''))).toEqual({
      drivers: [],
      topics: ['notifications'],
      retries: Infinity,
      routingFile: undefined,
    })
  })

  it('reads the group', () => {
    const text =
      '[oslo_messaging_notifications]\ndriver = messagingv2\ndriver = log\ntopics = a,b\nretry = 0\nrouting_config = /etc/r.yaml\n'
    expect(notifierConfFrom(parseConf(text))).toEqual({
      drivers: ['messagingv2', 'log'],
      topics: ['a', 'b'],
      retries: 0,
      routingFile: '/etc/r.yaml',
    })
  })

  it('reads the former names', () => {
    const text =
      '[DEFAULT]\nnotification_driver = messaging\nnotification_topics = c\nrouting_notifier_config = /etc/old.yaml\n'
    expect(notifierConfFrom(parseConf(text))).toMatchObject({
      drivers: ['messaging'],
      topics: ['c'],
      routingFile: '/etc/old.yaml',
    })
  })

  it('refuses a number that is none', () => {
    expect(() => notifierConfFrom(parseConf('[oslo_messaging_notifications]\nretry = often\n'))).toThrow(
      ConfigurationError,
    )
  })
})

it("makes of an error what Python's handler makes of it", () => {
  expect([ERROR_PUBLISHER, errorNotification('it broke')]).toEqual([
    'error.publisher',
    { eventType: 'error_notification', payload: { error: 'it broke' } },
  ])
})

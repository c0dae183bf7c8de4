import { DecodeError, parsePythonJson, type JsonObject } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { PRIORITIES, readNotification } from '../src/index.ts'

const message = (text: string): JsonObject => parsePythonJson(text) as JsonObject

describe('readNotification', () => {
  it('reads every part of a message', () => {
    const read = readNotification(
      message(`{"message_id": "7c1b7c7e-3a8b-4d0f-9a44-0d0a3ad1c0de", "publisher_id": "compute.host1",
        "event_type": "compute.instance.create.end", "priority": "INFO",
        "payload": {"instance_id": "i-1", "state": "active"}, "timestamp": "2026-05-13 12:53:00.123456",
        "_unique_id": "4f1d2e3c5b6a79880011223344556677", "_context_user": "u-17",
        "_context_roles": ["member"], "_context_auth_token": null, "_context_": 1}`),
    )
    expect(read).toEqual({
      messageId: '7c1b7c7e-3a8b-4d0f-9a44-0d0a3ad1c0de',
      publisherId: 'compute.host1',
      eventType: 'compute.instance.create.end',
      priority: 'INFO',
      payload: { instance_id: 'i-1', state: 'active' },
      timestamp: '2026-05-13 12:53:00.123456',
      uniqueId: '4f1d2e3c5b6a79880011223344556677',
      context: { user: 'u-17', roles: ['member'], auth_token: null, '': 1 },
    })
  })

  it('reads an event type alone', () => {
    expect(readNotification(message('{"event_type": "x"}'))).toEqual({
      messageId: null,
      publisherId: null,
      eventType: 'x',
      priority: '',
      payload: null,
      timestamp: null,
      uniqueId: null,
      context: {},
    })
  })

  it('takes members of an unexpected type for absent', () => {
    const read = readNotification(
      message(
        '{"event_type": "x", "message_id": 5, "publisher_id": null, "priority": {}, "timestamp": [], "_unique_id": true}',
      ),
    )
    expect(read).toMatchObject({
      messageId: null,
      publisherId: null,
      priority: '',
      timestamp: null,
      uniqueId: null,
    })
  })

  it.each(['"text"', 'null', '[1]', '12345678901234567890', 'NaN', 'false'])(
    'takes the payload %s as it is',
    (payload) => {
      expect(readNotification(message(`{"event_type": "x", "payload": ${payload}}`)).payload).toEqual(
        parsePythonJson(payload),
      )
    },
  )

  it('reads nothing from a prototype, and a context entry of any name', () => {
    const read = readNotification(
      message(
        '{"event_type": "x", "__proto__": {"priority": "INFO"}, "_context___proto__": {"polluted": 1}}',
      ),
    )
    expect(read.priority).toBe('')
    expect(Object.keys(read.context)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(read.context)).toBe(Object.prototype)
  })

  it('refuses a remote call', () => {
    const call =
      '{"method": "add", "args": {}, "event_type": "x", "_msg_id": "1", "_context_auth_token": "hunter2"}'
    expect(() => readNotification(message(call))).toThrow(
      new DecodeError("the message is a remote call (it has a 'method'), no notification"),
    )
  })

  it.each([
    '{}',
    '{"result": 1, "failure": null, "ending": true, "_msg_id": "1"}',
    '{"event_type": null}',
    '{"event_type": 5}',
  ])('refuses what has no event type: %s', (text) => {
    expect(() => readNotification(message(text))).toThrow(
      new DecodeError("the message has no 'event_type', so it is no notification"),
    )
  })
})

describe('PRIORITIES', () => {
  it('are the seven that topics end with', () => {
    expect(PRIORITIES).toEqual(['audit', 'debug', 'info', 'warn', 'error', 'critical', 'sample'])
  })
})

import type { BasicProperties } from '@hermod/amqp'
import { describe, expect, test } from 'vitest'
import { fieldsFrom } from '../../src/model/field-table.ts'
import {
  headersOf,
  rewriteProperties,
  scanProperties,
  shortStringAt,
} from '../../src/model/message-properties.ts'
import { bodyOf, messageOf, ModelFixture, propertiesOf, refusal } from './model-fixture.ts'

const LIMITS = { maxDepth: 32, maxFields: 4096 }

const EVERYTHING: BasicProperties = {
  contentType: 'text/plain',
  contentEncoding: 'utf-8',
  headers: { a: 1, b: { c: ['d'] } },
  deliveryMode: 2,
  priority: 7,
  correlationId: 'id',
  replyTo: 'there',
  expiration: '1000',
  messageId: 'm',
  timestamp: new Date(5000),
  type: 't',
  userId: 'guest',
  appId: 'app',
  clusterId: 'c',
}

describe('the properties of a message', () => {
  test('are found where they lie', () => {
    const message = messageOf('', 'q', 'body', EVERYTHING)
    const { replyTo, expiration, userId } = scanProperties(message, LIMITS)
    expect([replyTo, expiration, userId].map((offset) => shortStringAt(message, offset))).toEqual([
      'there',
      '1000',
      'guest',
    ])
    expect(message.priority).toBe(7)
    expect(headersOf(message)).toEqual(fieldsFrom({ a: 1, b: { c: ['d'] } }))
  })

  test('that are changed leave the others as they were', () => {
    const message = messageOf('', 'q', 'body', EVERYTHING)
    scanProperties(message, LIMITS)
    const headers = fieldsFrom({ other: true })
    const changed = message.with(rewriteProperties(message, { headers, expiration: null, replyTo: 'here' }))
    const { expiration: _gone, ...rest } = EVERYTHING
    expect(propertiesOf(changed)).toEqual({ ...rest, headers: { other: true }, replyTo: 'here' })
    expect(bodyOf(changed)).toBe('body')
    expect(propertiesOf(message)).toEqual(EVERYTHING)
  })

  test('may be none before some are added', () => {
    const message = messageOf('', 'q', 'body')
    scanProperties(message, LIMITS)
    const changed = message.with(
      rewriteProperties(message, { headers: fieldsFrom({ a: 1 }), expiration: null }),
    )
    expect(propertiesOf(changed)).toEqual({ headers: { a: 1 } })
  })

  test('that are cut off anywhere are refused, before any consumer sees them', () => {
    const whole = messageOf('', 'q', '', EVERYTHING)
    for (let end = whole.headerEnd - 1; end >= whole.headerStart; end--) {
      const message = messageOf('', 'q', '', EVERYTHING)
      message.headerEnd = end
      message.header = message.header.subarray(0, end)
      expect(refusal(() => scanProperties(message, LIMITS))).toBe('541 INTERNAL_ERROR')
    }
  })
})

describe('publishing is refused', () => {
  const publish = (properties: BasicProperties): string =>
    refusal(() => new ModelFixture().publish('', 'q', '', properties))

  test.each([
    ['soon', 'no_integer'],
    ['', 'no_integer'],
    ['-1', '{value_negative,-1}'],
    ['1.5', '{leftover_string,".5"}'],
    ['315360000001', '{value_too_large,315360000001}'],
  ])('with expiration %j', (expiration, reason) => {
    expect(publish({ expiration })).toBe(
      `406 PRECONDITION_FAILED - invalid expiration '${expiration}': ${reason}`,
    )
  })

  test('in the name of somebody else', () => {
    expect(publish({ userId: 'admin', expiration: 'soon' })).toBe(
      "406 PRECONDITION_FAILED - user_id property set to 'admin' but authenticated user was 'guest'",
    )
    expect(new ModelFixture().publish('', 'q', '', { userId: 'guest' })).toBe('unrouted')
  })

  test.each(['CC', 'BCC'])('with a %s that is no list', (name) => {
    expect(publish({ headers: { [name]: 'a' } })).toBe(
      `406 PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"${name}",longstr}`,
    )
  })
})

test.each(['0', '4294967296', '+5', '007'])('expiration %j is one', (expiration) => {
  const fixture = new ModelFixture()
  fixture.queue('q')
  expect(fixture.publish('', 'q', '', { expiration })).toBe('taken')
})

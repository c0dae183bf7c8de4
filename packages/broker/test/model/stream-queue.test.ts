import { TypedField, type FieldValue } from '@hermod/amqp'
import { describe, expect, test } from 'vitest'
import { ModelFixture, OWNER, propertiesOf, refusal, type RecordingConsumer } from './model-fixture.ts'

const offsets = (consumer: RecordingConsumer): unknown[] =>
  consumer.held.map(({ message }) => propertiesOf(message).headers?.['x-stream-offset'])

const from = (offset?: FieldValue): { prefetch: number; arguments: { 'x-stream-offset'?: FieldValue } } => ({
  prefetch: 100,
  arguments: offset === undefined ? {} : { 'x-stream-offset': offset },
})

describe('a stream', () => {
  test.each<[string, FieldValue | undefined, string[]]>([
    ['nothing said', undefined, ['5']],
    ['next', 'next', ['5']],
    ['first', 'first', ['1', '2', '3', '4', '5']],
    ['last', 'last', ['4', '5']],
    ['an offset', 2, ['3', '4', '5']],
    ['an offset that is yet to come', 10, []],
    ['a time', TypedField.timestamp(Date.UTC(2026, 10, 22, 9, 0, 20) / 1000), ['3', '4', '5']],
    ['an age', '25s', ['3', '4', '5']],
  ])('is read from %s', (_title, offset, expected) => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's')
    for (const body of ['1', '2', '3', '4']) {
      fixture.fill('s', body)
      fixture.clock.advance(10_000)
    }
    const consumer = fixture.consume(stream, from(offset))
    fixture.fill('s', '5')
    expect(consumer.bodies).toEqual(expected)
  })

  test('says where each message stands, keeps all of them, and gives each consumer all', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's')
    fixture.publish('', 's', 'a', { headers: { mine: true } })
    fixture.fill('s', 'b')
    const [one, two] = [fixture.consume(stream, from('first')), fixture.consume(stream, from('first'))]
    expect([one.bodies, two.bodies]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(offsets(one)).toEqual([0, 1])
    expect(propertiesOf(one.held[0]!.message).headers).toEqual({ mine: true, 'x-stream-offset': 0 })
    for (const queued of one.held.splice(0)) stream.acknowledge(queued)
    expect([stream.messageCount, stream.consumerCount]).toEqual([2, 2])
  })

  test('waits for room', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's')
    const consumer = fixture.consume(stream, { ...from('first'), prefetch: 2 })
    fixture.fill('s', 'a', 'b', 'c')
    expect(consumer.bodies).toEqual(['a', 'b'])
    stream.acknowledge(consumer.take())
    stream.wake(consumer)
    expect(consumer.bodies).toEqual(['a', 'b', 'c'])
    stream.cancel(consumer)
    fixture.fill('s', 'd')
    expect(consumer.bodies).toEqual(['a', 'b', 'c'])
    stream.giveBack(consumer.held.splice(0), 'closed')
    expect(stream.stats().unsettled).toBe(0)
  })

  test('drops what is too old, read or not', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's', { 'x-max-age': '10s' })
    const slow = fixture.consume(stream, { ...from('first'), prefetch: 1 })
    fixture.fill('s', 'a', 'b')
    fixture.clock.advance(9000)
    fixture.fill('s', 'c')
    fixture.clock.advance(1000)
    expect(stream.messageCount).toBe(1)
    stream.acknowledge(slow.take())
    stream.wake(slow)
    expect(slow.bodies).toEqual(['a', 'c'])
    expect(offsets(slow)).toEqual([2])
    fixture.clock.advance(10_000)
    expect(fixture.model.memory.bytes).toBeGreaterThan(0)
    stream.acknowledge(slow.take())
    expect([stream.messageCount, fixture.model.memory.bytes]).toEqual([0, 0])
  })

  test('drops what is too much, but never the last', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's', { 'x-max-length-bytes': 10 })
    fixture.fill('s', '12345', '67890', 'abcde')
    expect(stream.stats()).toMatchObject({ ready: 2, readyBytes: 10, dropped: 1 })
    fixture.fill('s', 'larger than all of it')
    expect(stream.messageCount).toBe(1)
  })

  test('refuses what it is not for', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's')
    const resource = "queue 's' in vhost '/'"
    expect(refusal(() => fixture.consume(stream))).toBe(
      `406 PRECONDITION_FAILED - consumer prefetch count is not set for '${resource}'`,
    )
    expect(refusal(() => fixture.consume(stream, { prefetch: 1, noAck: true }))).toBe(
      `540 NOT_IMPLEMENTED - automatic acknowledgement not supported by stream queues ${resource}`,
    )
    expect(refusal(() => stream.get(true))).toBe(
      `540 NOT_IMPLEMENTED - basic.get not supported by stream queues ${resource}`,
    )
    expect(refusal(() => stream.purge())).toBe(
      `540 NOT_IMPLEMENTED - queue.purge not supported by stream queues ${resource}`,
    )
    const consumer = fixture.consume(stream, from())
    fixture.fill('s', 'a')
    const refused = `540 NOT_IMPLEMENTED - basic.nack and basic.reject not supported by stream queues ${resource}`
    expect(refusal(() => stream.reject(consumer.held[0]!))).toBe(refused)
    expect(refusal(() => stream.giveBack(consumer.held, 'nack'))).toBe(refused)
    for (const offset of ['yesterday', true, null]) {
      expect(refusal(() => fixture.consume(stream, from(offset)))).toContain('invalid_stream_offset_arg')
    }
  })

  test('that is deleted tells its consumers and lets go of everything', () => {
    const fixture = new ModelFixture()
    const stream = fixture.replicated('stream', 's')
    const consumer = fixture.consume(stream, from('first'))
    fixture.fill('s', 'a', 'b')
    fixture.vhost.deleteQueue('s', { ifUnused: true, ifEmpty: true }, OWNER)
    stream.giveBack(consumer.held.splice(0), 'closed')
    expect([consumer.ended, stream.deleted, fixture.model.memory.bytes]).toEqual([true, true, 0])
  })
})

import { once } from 'node:events'
import { PROTOCOL_HEADER } from '@hermod/amqp/wire'
import type { Logger } from '@hermod/kernel'
import { contentBytes, methodBytes } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBroker, type Broker } from '../../src/index.ts'
import { FrameClient } from '../frame-client.ts'
import { consumeFrom, exchangeNamed, queueNamed } from './session-fixture.ts'

/** A session in which most things happen, as frames. */
const SESSION: readonly Buffer[] = [
  Buffer.from(PROTOCOL_HEADER),
  methodBytes(0, 'connection.start-ok', {
    clientProperties: { capabilities: { 'connection.blocked': true }, list: [1, 'two', null] },
    mechanism: 'PLAIN',
    response: '\0guest\0guest',
    locale: 'en_US',
  }),
  methodBytes(0, 'connection.tune-ok', { channelMax: 10, frameMax: 4096, heartbeat: 0 }),
  methodBytes(0, 'connection.open', { virtualHost: '/' }),
  methodBytes(1, 'channel.open', {}),
  methodBytes(
    1,
    'exchange.declare',
    exchangeNamed('x', 'headers', { arguments: { 'alternate-exchange': 'amq.topic' } }),
  ),
  methodBytes(
    1,
    'queue.declare',
    queueNamed('q', { arguments: { 'x-max-length': 100, 'x-dead-letter-exchange': 'x' } }),
  ),
  methodBytes(1, 'queue.bind', {
    queue: 'q',
    exchange: 'x',
    routingKey: '',
    noWait: true,
    arguments: { 'x-match': 'any', a: 1 },
  }),
  methodBytes(1, 'confirm.select', { noWait: true }),
  methodBytes(1, 'basic.qos', { prefetchSize: 0, prefetchCount: 3, global: false }),
  methodBytes(1, 'basic.consume', consumeFrom('q', 'c')),
  methodBytes(1, 'basic.consume', consumeFrom('amq.rabbitmq.reply-to', 'r', { noAck: true })),
  contentBytes(
    1,
    'basic.publish',
    { exchange: 'x', routingKey: 'k', mandatory: true, immediate: false },
    { headers: { a: 1, deep: { er: [1] } }, expiration: '1000', priority: 3, timestamp: new Date(0) },
    'b'.repeat(9000),
  ),
  contentBytes(
    1,
    'basic.publish',
    { exchange: '', routingKey: 'q', mandatory: false, immediate: false },
    { replyTo: 'amq.rabbitmq.reply-to' },
    '',
  ),
  methodBytes(1, 'basic.ack', { deliveryTag: 1, multiple: false }),
  methodBytes(1, 'basic.nack', { deliveryTag: 2, multiple: true, requeue: true }),
  methodBytes(2, 'channel.open', {}),
  methodBytes(2, 'tx.select', {}),
  contentBytes(
    2,
    'basic.publish',
    { exchange: '', routingKey: 'q', mandatory: false, immediate: false },
    {},
    'tx',
  ),
  methodBytes(2, 'tx.commit', {}),
  methodBytes(2, 'basic.get', { queue: 'q', noAck: false }),
  methodBytes(2, 'queue.delete', { queue: 'q', ifUnused: false, ifEmpty: false, noWait: false }),
  methodBytes(0, 'connection.close', { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 }),
]

/** A broker whose own faults are counted: whatever comes, it has none. */
function watched(): { broker: Broker; faults: unknown[] } {
  const faults: unknown[] = []
  const error: Logger['error'] = (details) => faults.push(details)
  const limits = { refusalDelayLoopbackMs: 0 }
  return { broker: createBroker({ limits, logger: { debug() {}, info() {}, warn() {}, error } }), faults }
}

/** Sends the bytes, hangs up, and waits until the broker has let go of the connection. */
async function send(broker: Broker, pieces: readonly Buffer[]): Promise<void> {
  const stream = broker.connect()
  stream.on('data', () => {})
  stream.on('error', () => {})
  const closed = once(stream, 'close')
  for (const piece of pieces) stream.write(piece)
  stream.end()
  await closed
}

/** Everything is as it was: nobody there, nothing held, and a client that behaves is served. */
async function assertWhole(broker: Broker, faults: readonly unknown[]): Promise<void> {
  expect(faults).toEqual([])
  expect(broker.connections()).toEqual([])
  const client = await new FrameClient(broker.connect()).open()
  await client.call(1, 'channel.open', {})
  await client.call(1, 'queue.declare', queueNamed('check', { exclusive: true }))
  client.publish(1, '', 'check', 'x')
  await client.call(1, 'basic.get', { queue: 'check', noAck: true })
  client.stream.destroy()
}

const mutation = fc.record({
  at: fc.nat(),
  byte: fc.nat(255),
  kind: fc.constantFrom('set', 'drop', 'insert'),
})

function mutated(bytes: Buffer, changes: readonly { at: number; byte: number; kind: string }[]): Buffer {
  let now = bytes
  for (const { at, byte, kind } of changes) {
    const place = at % now.length
    const rest = now.subarray(kind === 'insert' ? place : place + 1)
    now = Buffer.concat([
      now.subarray(0, place),
      kind === 'drop' ? Buffer.alloc(0) : Buffer.from([byte]),
      rest,
    ])
  }
  return now
}

describe('the broker', () => {
  it('survives any change of any byte of a session', async () => {
    const { broker, faults } = watched()
    const whole = Buffer.concat(SESSION)
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (changes) => {
        await send(broker, [mutated(whole, changes)])
        expect(faults).toEqual([])
        expect(broker.connections()).toEqual([])
      }),
      { numRuns: 300 },
    )
    await assertWhole(broker, faults)
    await broker.close()
  })

  it('survives frames in any order, on any channel', async () => {
    const { broker, faults } = watched()
    const frames = SESSION.slice(4)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(frames.length - 1), fc.nat(3)), { maxLength: 30 }),
        async (choices) => {
          const pieces = choices.map(([index, channel]) => {
            const bytes = Buffer.from(frames[index] as Buffer)
            bytes.writeUInt16BE(channel, 1)
            return bytes
          })
          await send(broker, [...SESSION.slice(0, 5), ...pieces])
          expect(faults).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
    await assertWhole(broker, faults)
    await broker.close()
  })

  it('survives noise behind a header, and behind a login', async () => {
    const { broker, faults } = watched()
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.uint8Array({ maxLength: 200 }), async (known, noise) => {
        await send(broker, [...SESSION.slice(0, known), Buffer.from(noise)])
        expect(faults).toEqual([])
      }),
      { numRuns: 300 },
    )
    await assertWhole(broker, faults)
    await broker.close()
  })

  it('answers a session the same however its bytes are split', async () => {
    const whole = Buffer.concat(SESSION.slice(0, -1))
    const answers = async (cuts: readonly number[]): Promise<string> => {
      const { broker } = watched()
      const stream = broker.connect()
      const came: Buffer[] = []
      stream.on('data', (bytes: Buffer) => came.push(bytes))
      let at = 0
      for (const cut of [...cuts, whole.length]) {
        stream.write(whole.subarray(at, cut))
        at = cut
      }
      stream.write(SESSION.at(-1))
      const end = methodBytes(0, 'connection.close-ok', {})
      while (!Buffer.concat(came).includes(end)) await new Promise((resolve) => setImmediate(resolve))
      stream.destroy()
      await broker.close()
      // Confirms are gathered by turns, and a reply name is made by chance: what is left is the number of frames.
      const all = Buffer.concat(came).toString('latin1')
      return `${all.split('basic').length} ${all.match(/\0\x3c\0\x3c/g)?.length ?? 0}`
    }
    const unsplit = await answers([])
    const cut = fc.integer({ min: 1, max: whole.length - 1 })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(cut, { maxLength: 20 }), async (cuts) => {
        expect(await answers(cuts.toSorted((one, other) => one - other))).toBe(unsplit)
      }),
      { numRuns: 40 },
    )
  })
})

import { createBroker } from '@hermod/broker'
import { contentBytes, methodBytes } from '@hermod/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consumeFrom, queueNamed } from '../../packages/broker/test/session/session-fixture.ts'
import { handshake, handshakeStep, opening, step, wrong } from './broker-frames.ts'
import { besiege, BrokerStage, checkCodes, converse, hungUp } from './broker-stage.ts'
import { strayErrors } from './hostile-broker.ts'
import { search, TIMEOUT_MS } from './search.ts'

/** How the bytes of a session come: at once, frame by frame, or cut anywhere. */
const cuts = fc.oneof(
  fc.constant<'frames' | 'whole' | number>('frames'),
  fc.constant<'frames' | 'whole' | number>('whole'),
  fc.integer({ min: 1, max: 40 }),
)

function cutInto(frames: readonly Buffer[], how: 'frames' | 'whole' | number): readonly Buffer[] {
  if (how === 'frames') return frames
  const whole = Buffer.concat(frames)
  if (how === 'whole') return [whole]
  const pieces: Buffer[] = []
  // Byte by byte a large frame would take long to no end.
  const size = Math.max(how, Math.ceil(whole.length / 2000))
  for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size))
  return pieces
}

const publishToQ = { exchange: '', routingKey: 'q', mandatory: false, immediate: false }

/** Versions differ in what they believe of a message, and in what they refuse. */
const PROFILES = ['rabbitmq-3.10', 'rabbitmq-4.2', 'rabbitmq-4.3'] as const

describe.each(PROFILES)('a broker like %s among hostile clients', (profile) => {
  let stage: BrokerStage
  beforeAll(async () => {
    stage = await BrokerStage.open({ profile })
  })
  afterAll(() => stage.close())

  /** Several sessions at once; each ends as it likes. */
  async function sessions(
    all: readonly (readonly [readonly Buffer[], 'frames' | 'whole' | number])[],
  ): Promise<void> {
    const stray = await strayErrors(async () => {
      const clients = await Promise.all(
        all.map(([frames, how]) => converse(stage.stream(), cutInto(frames, how), how === 'frames')),
      )
      for (const client of clients) await checkCodes(client)
      await stage.calm()
    })
    expect(stray).toEqual([])
  }

  it('is itself after any work of several clients at once', { timeout: TIMEOUT_MS }, async () => {
    const session = fc.tuple(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), cuts)
    const property = fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 3 }), (all) =>
      sessions(all.map(([steps, how]) => [[...opening, ...steps], how] as const)),
    )
    await fc.assert(property, search(0.4 / PROFILES.length))
  })

  it('is itself after any one thing that is wrong, in any state', { timeout: TIMEOUT_MS }, async () => {
    const property = fc.asyncProperty(
      fc.nat(opening.length),
      fc.array(wrong, { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 5 }),
      cuts,
      (known, faults, after, how) => sessions([[[...opening.slice(0, known), ...faults, ...after], how]]),
    )
    await fc.assert(property, search(0.25 / PROFILES.length))
  })

  it('lets nobody in by a handshake in any other order', { timeout: TIMEOUT_MS }, async () => {
    const property = fc.asyncProperty(fc.array(handshakeStep, { maxLength: 6 }), cuts, async (steps, how) => {
      await sessions([[[handshake[0] as Buffer, ...steps], how]])
    })
    await fc.assert(property, search(0.15 / PROFILES.length))
  })
})

describe('a broker whose clients break off', () => {
  const ends = fc.constantFrom('end', 'reset', 'destroy')

  it('holds nothing of them', { timeout: TIMEOUT_MS }, async () => {
    await besiege(async (stage) => {
      const property = fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.nat(100),
        ends,
        async (steps, part, end) => {
          const whole = Buffer.concat([...opening, ...steps])
          const socket = stage.socket()
          const closed = hungUp(socket)
          socket.on('data', () => {})
          await new Promise((resolve) =>
            socket.write(whole.subarray(0, Math.ceil((whole.length * part) / 100)), resolve),
          )
          if (end === 'end') socket.end()
          else if (end === 'reset') socket.resetAndDestroy()
          else socket.destroy()
          await closed
          await stage.calm()
        },
      )
      await fc.assert(property, search(0.2))
    })
  })
})

describe('a session', () => {
  /** In which everything has one answer, and one order. */
  const frames = [
    ...handshake,
    methodBytes(1, 'channel.open', {}),
    methodBytes(1, 'queue.declare', queueNamed('q', { arguments: { 'x-max-length': 2 } })),
    ...['one', 'two', 'three'].map((body) =>
      contentBytes(1, 'basic.publish', publishToQ, { headers: { body }, priority: 3 }, body),
    ),
    methodBytes(1, 'basic.consume', consumeFrom('q', 'c')),
    methodBytes(1, 'basic.nack', { deliveryTag: 2, multiple: true, requeue: true }),
    methodBytes(1, 'basic.ack', { deliveryTag: 9, multiple: false }),
    methodBytes(1, 'channel.close-ok', {}),
    methodBytes(1, 'channel.open', {}),
    methodBytes(1, 'basic.get', { queue: 'q', noAck: true }),
    contentBytes(
      1,
      'basic.publish',
      { ...publishToQ, routingKey: 'nowhere', mandatory: true },
      {},
      'x'.repeat(5000),
    ),
    methodBytes(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 }),
  ]

  it('has the same answers wherever its bytes are cut', { timeout: TIMEOUT_MS }, async () => {
    const whole = Buffer.concat(frames)
    const answers = async (pieces: readonly Buffer[]): Promise<string> => {
      const broker = createBroker()
      const client = await converse(broker.connect(), pieces)
      const lines: string[] = []
      for (let frame = await client.next(); frame !== 'end'; frame = await client.next())
        lines.push(
          JSON.stringify(frame, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
        )
      await broker.close()
      return lines.join('\n')
    }
    const uncut = await answers([whole])
    expect(uncut).toContain('unknown delivery tag 9')
    expect(uncut).toContain('NO_ROUTE')
    expect(uncut.split('\n').at(-1)).toContain('connection.close-ok')
    for (let cut = 1; cut < whole.length; cut += cut < 1400 ? 1 : 97)
      expect(await answers([whole.subarray(0, cut), whole.subarray(cut)])).toBe(uncut)
    const bytes = Array.from({ length: whole.length }, (_, at) => whole.subarray(at, at + 1))
    expect(await answers(bytes)).toBe(uncut)
  })
})

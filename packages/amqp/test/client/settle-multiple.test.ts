import { ScriptedBroker, settled } from '@hermod/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckCoalescer } from '../../src/client/ack-coalescer.ts'
import type { Connection, Message } from '../../src/index.ts'

async function consuming(broker: ScriptedBroker, connection: Connection, count: number) {
  const channel = await connection.openChannel()
  const messages: Message[] = []
  const { consumerTag } = await channel.consume('q', {}, (message) => messages.push(message))
  for (let tag = 1; tag <= count; tag++) broker.link.deliver(channel.number, consumerTag, tag)
  await settled()
  return { channel, messages }
}

const settles = (broker: ScriptedBroker): (string | number | boolean)[][] =>
  broker.link.methods
    .filter(({ name }) => /^basic\.(?:ack|nack|reject)$/.test(name))
    .map(({ name, args }) => [name.slice('basic.'.length), ...Object.values(args)])

describe('settling with `multiple`', () => {
  it.each([
    ['ack', ['ack', 3, true]],
    ['reject', ['nack', 3, true, false]],
    ['requeue', ['nack', 3, true, true]],
  ] as const)('%s takes everything up to this message, once', async (how, frame) => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 4)
    expect(messages[2]?.[how]({ multiple: true })).toBe(true)
    await settled()
    expect(settles(broker)).toEqual([frame])
    expect(channel.unsettled).toBe(1)
    for (const at of [0, 1]) {
      expect(() => messages[at]?.ack()).toThrow(expect.objectContaining({ code: 'E_MESSAGE_STATE' }) as Error)
      expect(messages[at]?.state).toBe('received')
    }
    expect(() => messages[2]?.ack()).toThrow(expect.objectContaining({ code: 'E_MESSAGE_STATE' }) as Error)
    const figures = connection.stats()
    expect([figures.acked, figures.rejected, figures.requeued]).toEqual(
      ['ack', 'reject', 'requeue'].map((one) => (one === how ? 3 : 0)),
    )
  })

  it('lets acks that were given leave before, and counts them once', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 5)
    messages[1]?.ack()
    messages[4]?.ack()
    messages[2]?.requeue({ multiple: true })
    messages[3]?.ack()
    await settled()
    expect(settles(broker)).toEqual([
      ['ack', 2, false],
      ['ack', 5, false],
      ['nack', 3, true, true],
      ['ack', 4, false],
    ])
    expect([channel.unsettled, connection.stats().acked, connection.stats().requeued]).toEqual([0, 3, 2])
  })

  it('takes in what another consumer and a get were given, and leaves later messages to their own', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { channel, messages } = await consuming(broker, connection, 1)
    const second: Message[] = []
    const { consumerTag } = await channel.consume('other', {}, (message) => second.push(message))
    broker.link.deliver(channel.number, consumerTag, 2)
    broker.link.deliver(channel.number, consumerTag, 3)
    await settled()
    second[0]?.ack({ multiple: true })
    second[1]?.ack()
    await settled()
    expect(settles(broker)).toEqual([
      ['ack', 2, true],
      ['ack', 3, false],
    ])
    expect(() => messages[0]?.ack()).toThrow('together with a later one')
    expect(channel.unsettled).toBe(0)
  })

  it('is stale with its channel', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const { messages } = await consuming(broker, connection, 3)
    broker.link.closeChannel(1, 406, 'PRECONDITION_FAILED - timed out')
    await settled()
    expect(messages[2]?.reject({ multiple: true })).toBe(false)
    expect(messages[1]?.ack()).toBe(false)
    expect(settles(broker)).toEqual([])
  })
})

type Step = {
  readonly kind: 'deliver' | 'ack' | 'settle' | 'ack multiple' | 'settle multiple' | 'flush'
  readonly pick: number
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(
      'deliver',
      'deliver',
      'deliver',
      'deliver',
      'ack',
      'ack',
      'settle',
      'ack multiple',
      'settle multiple',
      'flush',
    ),
    pick: fc.nat(),
  }),
  { maxLength: 300 },
)

describe('AckCoalescer with settledUpTo', () => {
  it('acks what single acks would have, and knows how many deliveries are open, in any order', () => {
    const property = fc.property(steps, (given) => {
      const acks = new AckCoalescer()
      // The broker's side: a tag that is not out is refused, as RabbitMQ does (406).
      const out = new Set<number>()
      const open = new Set<number>()
      const waiting = new Set<number>()
      let tags = 0
      const take = (tag: number, multiple: boolean, allowed: ReadonlySet<number>): void => {
        if (!out.has(tag)) throw new RangeError(`406 unknown delivery tag ${tag}`)
        for (const one of multiple ? [...out].filter((other) => other <= tag) : [tag]) {
          if (!allowed.has(one)) throw new RangeError(`${one} was settled unasked`)
          out.delete(one)
        }
      }
      const flush = (): void => {
        acks.flush((tag, multiple) => take(tag, multiple, new Set(waiting)))
        for (const one of waiting) if (out.has(one)) throw new RangeError(`${one} was not acked`)
        waiting.clear()
      }
      for (const { kind, pick } of given) {
        if (kind === 'deliver') {
          out.add(++tags)
          open.add(tags)
        } else if (kind === 'flush') {
          flush()
        } else if (open.size > 0) {
          const tag = [...open][pick % open.size] as number
          if (kind === 'ack') {
            acks.ack(tag)
            open.delete(tag)
            waiting.add(tag)
          } else if (kind === 'settle') {
            flush()
            take(tag, false, open)
            acks.settled(tag)
            open.delete(tag)
          } else {
            flush()
            take(tag, true, open)
            acks.settledUpTo(tag)
            for (const one of open) if (one <= tag) open.delete(one)
          }
        }
        expect(acks.unsettled(tags)).toBe(open.size)
        expect(acks.waiting).toBe(waiting.size)
      }
      flush()
      expect(out).toEqual(open)
    })
    fc.assert(property, { numRuns: 2000 })
  })

  it('takes in runs that reach beyond, end there, or begin right behind', () => {
    for (const [settledAhead, upTo, unsettledThen] of [
      [[3, 4, 5], 4, 0],
      [[3, 4], 2, 1],
      [[2, 3], 3, 2],
      [[5], 3, 1],
    ] as const) {
      const acks = new AckCoalescer()
      for (const tag of settledAhead) acks.settled(tag)
      acks.settledUpTo(upTo)
      expect(acks.unsettled(5)).toBe(unsettledThen)
      // Nothing below is settled a second time.
      acks.settledUpTo(1)
      expect(acks.unsettled(5)).toBe(unsettledThen)
    }
  })
})

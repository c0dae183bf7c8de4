import { ScriptedBroker, settled } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { AckCoalescer } from '../../src/client/ack-coalescer.ts'
import type { Message } from '../../src/index.ts'

const FAR = 2 ** 50

describe('delivery tags that a broker skips', () => {
  it('take no room when the consumer is cancelled: what it really got goes back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel({ recover: false })
    const messages: Message[] = []
    const { consumerTag } = await channel.consume('q', {}, (message) => messages.push(message))
    for (const tag of [1, 2, FAR]) broker.link.deliver(channel.number, consumerTag, tag)
    await settled()
    messages[0]?.ack()
    expect(channel.unsettled).toBe(2)
    broker.link.send(channel.number, 'basic.cancel', { consumerTag, noWait: true })
    await settled()
    expect(broker.link.all('basic.reject').map(({ args }) => args.deliveryTag)).toEqual([2, FAR])
    expect(channel.unsettled).toBe(0)
  })

  it('are no gap for the acks around them', () => {
    const acks = new AckCoalescer()
    const written: (readonly [number, boolean])[] = []
    const flush = (): void => acks.flush((tag, multiple) => written.push([tag, multiple]))
    acks.ack(1)
    acks.skipped(2, 9)
    acks.ack(10)
    flush()
    acks.skipped(12, FAR - 1)
    expect(acks.unsettledTags(FAR)).toEqual([11, FAR])
    acks.ack(FAR)
    acks.ack(11)
    flush()
    expect(written).toEqual([
      [10, true],
      [FAR, true],
    ])
    expect(acks.unsettled(FAR)).toBe(0)
  })
})

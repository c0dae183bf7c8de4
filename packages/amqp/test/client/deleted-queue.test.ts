import type { Message } from '@hermod/amqp'
import { ScriptedBroker } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

describe('a consumer whose queue is deleted', () => {
  it('gives back what it has not settled before it consumes again, and nothing of another consumer', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const seen: Message[] = []
    const take = (message: Message): void => void seen.push(message)
    const doomed = await channel.consume('doomed', {}, take)
    const spared = await channel.consume('spared', {}, take)
    const { link } = broker
    for (const [at, { consumerTag }] of [doomed, doomed, spared, doomed, spared, doomed].entries())
      link.deliver(1, consumerTag, at + 1, `${at + 1}`)
    await expect.poll(() => seen.length).toBe(6)
    expect([seen[1]?.ack(), seen[4]?.ack()]).toEqual([true, true])
    link.send(1, 'basic.cancel', { consumerTag: doomed.consumerTag, noWait: true })
    await link.method('basic.consume', 2)
    expect(link.all('basic.ack').map(({ args }) => args)).toEqual([
      { deliveryTag: 2, multiple: false },
      { deliveryTag: 5, multiple: false },
    ])
    expect(link.all('basic.reject').map(({ args }) => args)).toEqual(
      [1, 4, 6].map((deliveryTag) => ({ deliveryTag, requeue: true })),
    )
    await expect.poll(() => doomed.state).toBe('consuming')
    expect(channel.unsettled).toBe(1)
    link.deliver(1, doomed.consumerTag, 7, '7')
    await expect.poll(() => seen.length).toBe(7)
    for (const old of [0, 3, 5]) expect(seen[old]?.ack()).toBe(false)
    expect([seen[2]?.ack(), seen[6]?.ack()]).toEqual([true, true])
    await link.method('basic.ack', 2)
    expect(link.all('basic.ack')[2]?.args).toEqual({ deliveryTag: 7, multiple: true })
    expect(link.all('basic.reject')).toHaveLength(3)
    expect(connection.stats()).toMatchObject({ staleSettles: 3, unsettled: 0 })
  })
})

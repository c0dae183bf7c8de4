import { Binding, Exchange, Queue } from '@hermod/amqp'
import { ChannelError } from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { isDurabilityConflict, otherExchange, otherQueue } from '../src/other-durability.ts'

const refusal = (code: number, text: string): ChannelError => new ChannelError(code, text, 'exchange.declare')

it.each([
  [refusal(406, "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'nova' in vhost '/'"), true],
  [refusal(406, "PRECONDITION_FAILED - inequivalent arg 'x-expires' for queue 'reply_1'"), false],
  [refusal(404, "NOT_FOUND - inequivalent arg 'durable'"), false],
  [new Error("PRECONDITION_FAILED - inequivalent arg 'durable'"), false],
])('knows a conflict over durability: %s', (error, expected) => {
  expect(isDurabilityConflict(error)).toBe(expected)
})

describe('what is declared after a conflict', () => {
  const exchange = new Exchange('nova', 'topic', { autoDelete: true })

  it('is the exchange with the other durability', () => {
    const changed = otherExchange(exchange)
    expect(changed).toMatchObject({ name: 'nova', type: 'topic', durable: false, autoDelete: true })
    expect(otherExchange(changed).toJSON()).toEqual(exchange.toJSON())
  })

  it('is the queue and its exchange with the other durability', () => {
    const queue = new Queue('compute', {
      bindings: [new Binding(exchange, 'compute')],
      autoDelete: true,
      consumerArguments: { 'x-cancel-on-ha-failover': true },
      arguments: { 'x-ha-policy': 'all' },
    })
    const changed = otherQueue(queue)
    expect(changed.toJSON()).toEqual({
      ...queue.toJSON(),
      durable: false,
      bindings: [{ exchange: otherExchange(exchange).toJSON(), routingKey: 'compute', arguments: {} }],
    })
    expect(otherQueue(changed).toJSON()).toEqual(queue.toJSON())
  })

  it.each(['quorum', 'stream'] as const)('leaves a %s durable, which it always is', (queueType) => {
    const queue = new Queue('compute', { queueType, bindings: [new Binding(exchange, 'compute')] })
    const changed = otherQueue(queue)
    expect(changed.durable).toBe(true)
    expect(changed.bindings[0]?.exchange.durable).toBe(false)
  })
})

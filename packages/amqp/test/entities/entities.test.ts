import { describe, expect, it } from 'vitest'
import { Binding } from '../../src/entities/binding.ts'
import { Exchange } from '../../src/entities/exchange.ts'
import { Queue } from '../../src/entities/queue.ts'

describe('Exchange', () => {
  it('is direct, durable and stays, unless told otherwise', () => {
    expect(new Exchange('jobs')).toMatchObject({
      type: 'direct',
      durable: true,
      autoDelete: false,
      internal: false,
    })
  })

  it('writes its alternate exchange as an argument beside others', () => {
    const exchange = new Exchange('jobs', 'topic', {
      alternateExchange: 'unrouted',
      arguments: { 'x-other': 1 },
    })
    expect(exchange.arguments).toEqual({ 'alternate-exchange': 'unrouted', 'x-other': 1 })
  })

  it('cannot be changed', () => {
    const exchange = new Exchange('jobs')
    expect(() => Object.assign(exchange, { name: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(exchange.arguments, { 'x-more': 1 })).toThrow(TypeError)
  })
})

describe('Queue', () => {
  it('is durable, shared and stays, unless told otherwise', () => {
    expect(new Queue('jobs')).toMatchObject({
      durable: true,
      exclusive: false,
      autoDelete: false,
      bindings: [],
      arguments: {},
    })
  })

  it('writes each typed field under its name on the wire', () => {
    const queue = new Queue('jobs', {
      expiresMs: 1,
      messageTtlMs: 2,
      maxLength: 3,
      maxLengthBytes: 4,
      overflow: 'reject-publish',
      deadLetterExchange: 'dead',
      deadLetterRoutingKey: 'letters',
      maxPriority: 5,
      queueType: 'classic',
      deliveryLimit: 6,
      singleActiveConsumer: true,
      arguments: { 'x-queue-version': 2 },
    })
    expect(queue.arguments).toEqual({
      'x-expires': 1,
      'x-message-ttl': 2,
      'x-max-length': 3,
      'x-max-length-bytes': 4,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'dead',
      'x-dead-letter-routing-key': 'letters',
      'x-max-priority': 5,
      'x-queue-type': 'classic',
      'x-delivery-limit': 6,
      'x-single-active-consumer': true,
      'x-queue-version': 2,
    })
  })

  it('puts its one exchange before its other bindings', () => {
    const [nova, neutron] = [new Exchange('nova', 'topic'), new Exchange('neutron', 'topic')]
    const queue = new Queue('both', {
      exchange: nova,
      routingKey: '#',
      bindings: [new Binding(neutron, 'x.*')],
    })
    expect(queue.bindings.map(({ exchange, routingKey }) => [exchange.name, routingKey])).toEqual([
      ['nova', '#'],
      ['neutron', 'x.*'],
    ])
    expect(() => (queue.bindings as Binding[]).push(new Binding(nova))).toThrow(TypeError)
  })
})

import type { MethodArguments, MethodName } from '@hermod/amqp/wire'

/** What a script leaves out of a method: nothing asked for, nothing named. */
const DEFAULTS: { readonly [Name in MethodName]?: MethodArguments[Name] } = {
  'connection.tune-ok': { channelMax: 2047, frameMax: 131_072, heartbeat: 0 },
  'connection.open': { virtualHost: '/' },
  'connection.close': { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 },
  'connection.update-secret': { newSecret: '', reason: '' },
  'channel.flow': { active: true },
  'channel.flow-ok': { active: true },
  'channel.close': { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 },
  'access.request': {
    realm: '/data',
    exclusive: false,
    passive: true,
    active: true,
    write: true,
    read: true,
  },
  'exchange.declare': {
    exchange: '',
    type: 'direct',
    passive: false,
    durable: false,
    autoDelete: false,
    internal: false,
    noWait: false,
    arguments: {},
  },
  'exchange.delete': { exchange: '', ifUnused: false, noWait: false },
  'exchange.bind': { destination: '', source: '', routingKey: '', noWait: false, arguments: {} },
  'exchange.unbind': { destination: '', source: '', routingKey: '', noWait: false, arguments: {} },
  'queue.declare': {
    queue: '',
    passive: false,
    durable: false,
    exclusive: false,
    autoDelete: false,
    noWait: false,
    arguments: {},
  },
  'queue.bind': { queue: '', exchange: '', routingKey: '', noWait: false, arguments: {} },
  'queue.unbind': { queue: '', exchange: '', routingKey: '', arguments: {} },
  'queue.purge': { queue: '', noWait: false },
  'queue.delete': { queue: '', ifUnused: false, ifEmpty: false, noWait: false },
  'basic.qos': { prefetchSize: 0, prefetchCount: 0, global: false },
  'basic.consume': {
    queue: '',
    consumerTag: 'c',
    noLocal: false,
    noAck: false,
    exclusive: false,
    noWait: false,
    arguments: {},
  },
  'basic.cancel': { consumerTag: 'c', noWait: false },
  'basic.cancel-ok': { consumerTag: 'c' },
  'basic.publish': { exchange: '', routingKey: '', mandatory: false, immediate: false },
  'basic.get': { queue: '', noAck: false },
  'basic.ack': { deliveryTag: 1, multiple: false },
  'basic.reject': { deliveryTag: 1, requeue: true },
  'basic.nack': { deliveryTag: 1, multiple: false, requeue: true },
  'basic.recover': { requeue: true },
  'basic.recover-async': { requeue: true },
  'confirm.select': { noWait: false },
}

/** The arguments that a script gives, and the usual ones for the rest. */
export function completeArguments<Name extends MethodName>(
  name: Name,
  given: Partial<MethodArguments[Name]>,
): MethodArguments[Name] {
  return { ...DEFAULTS[name], ...given } as MethodArguments[Name]
}

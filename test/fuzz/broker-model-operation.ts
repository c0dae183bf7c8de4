import type { BasicProperties } from '@hermod/amqp'
import type { FrameClient } from '../../packages/broker/test/frame-client.ts'
import { CLOSE, consumeFrom, queueNamed } from '../../packages/broker/test/session/session-fixture.ts'
import { FAN, type QueueSpec } from './broker-model-case.ts'
import type { Letter } from './broker-model-letter.ts'

/** What a client says on one channel, with everything decided. */
export type Operation =
  | { readonly do: 'publish'; readonly letter: Letter; readonly mandatory: boolean }
  | {
      readonly do: 'consume'
      readonly queue: string
      readonly tag: string
      readonly noAck: boolean
      readonly exclusive: boolean
      readonly priority: number
    }
  | { readonly do: 'cancel'; readonly tag: string }
  | { readonly do: 'get'; readonly queue: string; readonly noAck: boolean }
  | { readonly do: 'ack'; readonly tag: number; readonly multiple: boolean }
  | { readonly do: 'nack'; readonly tag: number; readonly multiple: boolean; readonly requeue: boolean }
  | { readonly do: 'reject'; readonly tag: number; readonly requeue: boolean }
  | { readonly do: 'qos'; readonly count: number; readonly global: boolean }
  | { readonly do: 'recover' | 'confirm' | 'tx' | 'commit' | 'rollback' | 'close' }
  | { readonly do: 'purge' | 'look'; readonly queue: string }
  | {
      readonly do: 'delete'
      readonly queue: string
      readonly ifUnused: boolean
      readonly ifEmpty: boolean
    }
  | { readonly do: 'declare'; readonly queue: string; readonly spec: QueueSpec }

function argumentsOf(spec: QueueSpec): Record<string, string | number | boolean> {
  const all: Record<string, string | number | boolean | undefined> = {
    'x-queue-type': spec.kind,
    'x-single-active-consumer': spec.single || undefined,
    'x-max-priority': spec.priorities || undefined,
    'x-max-length': spec.length,
    'x-max-length-bytes': spec.bytes,
    'x-overflow': spec.overflow === 'drop-head' ? undefined : spec.overflow,
    'x-message-ttl': spec.ttlMs,
    'x-expires': spec.expiresMs,
    'x-dead-letter-exchange': spec.dead?.exchange,
    'x-dead-letter-routing-key': spec.dead?.key,
    'x-delivery-limit': spec.deliveryLimit,
  }
  return Object.fromEntries(
    Object.entries(all).filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
    ),
  )
}

function propertiesOf({ id, copies, priority, ttlMs }: Letter): BasicProperties {
  return {
    headers: { id, ...(copies.length === 0 ? {} : { CC: [...copies] }) },
    ...(priority === undefined ? {} : { priority }),
    ...(ttlMs === undefined ? {} : { expiration: String(ttlMs) }),
  }
}

function sendDeclaration(client: FrameClient, channel: number, queue: string, spec: QueueSpec): void {
  const { autoDelete, exclusive } = spec
  const more = { durable: !exclusive, autoDelete, exclusive, arguments: argumentsOf(spec) }
  client.send(channel, 'queue.declare', queueNamed(queue, more))
  if (!spec.bound) return
  client.send(channel, 'queue.bind', { queue, exchange: FAN, routingKey: '', noWait: false, arguments: {} })
}

/** Says an operation to a broker. */
export function sendOperation(client: FrameClient, channel: number, operation: Operation): void {
  switch (operation.do) {
    case 'publish': {
      const { letter, mandatory } = operation
      return client.publish(channel, letter.exchange, letter.key, letter.body, {
        ...propertiesOf(letter),
        mandatory,
      })
    }
    case 'consume': {
      const { queue, tag, noAck, exclusive, priority } = operation
      const table = priority === 0 ? {} : { 'x-priority': priority }
      return client.send(
        channel,
        'basic.consume',
        consumeFrom(queue, tag, { noAck, exclusive, arguments: table }),
      )
    }
    case 'cancel':
      return client.send(channel, 'basic.cancel', { consumerTag: operation.tag, noWait: false })
    case 'get':
      return client.send(channel, 'basic.get', { queue: operation.queue, noAck: operation.noAck })
    case 'ack':
      return client.send(channel, 'basic.ack', { deliveryTag: operation.tag, multiple: operation.multiple })
    case 'nack': {
      const { tag, multiple, requeue } = operation
      return client.send(channel, 'basic.nack', { deliveryTag: tag, multiple, requeue })
    }
    case 'reject':
      return client.send(channel, 'basic.reject', { deliveryTag: operation.tag, requeue: operation.requeue })
    case 'qos': {
      const { count, global } = operation
      return client.send(channel, 'basic.qos', { prefetchSize: 0, prefetchCount: count, global })
    }
    case 'recover':
      return client.send(channel, 'basic.recover', { requeue: true })
    case 'confirm':
      return client.send(channel, 'confirm.select', { noWait: false })
    case 'tx':
      return client.send(channel, 'tx.select', {})
    case 'commit':
      return client.send(channel, 'tx.commit', {})
    case 'rollback':
      return client.send(channel, 'tx.rollback', {})
    case 'close':
      return client.send(channel, 'channel.close', CLOSE)
    case 'purge':
      return client.send(channel, 'queue.purge', { queue: operation.queue, noWait: false })
    case 'look':
      return client.send(channel, 'queue.declare', queueNamed(operation.queue, { passive: true }))
    case 'delete': {
      const { queue, ifUnused, ifEmpty } = operation
      return client.send(channel, 'queue.delete', { queue, ifUnused, ifEmpty, noWait: false })
    }
    case 'declare':
      return sendDeclaration(client, channel, operation.queue, operation.spec)
  }
}

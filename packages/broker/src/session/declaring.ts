import { notFound } from '../amqp-error.ts'
import { REPLY_TO } from '../model/direct-replies.ts'
import { queueName } from '../model/resource-name.ts'
import type { ByteStringReader } from './byte-string-codec.ts'
import type { ChannelParts } from './channel-host.ts'
import {
  readExchangeBinding,
  readExchangeDeclare,
  readQueueBind,
  readQueueDeclare,
  readQueueUnbind,
} from './client-methods.ts'

/** The methods of a channel that declare, bind, purge and delete; and the queue that an empty name stands for. */
export class Declaring {
  readonly #parts: ChannelParts
  #lastQueue = ''

  constructor(parts: ChannelParts) {
    this.#parts = parts
  }

  /** @throws {AmqpError} 404 for an empty name when this channel has declared no queue. */
  queueOrLast(name: string): string {
    if (name !== '') return name
    if (this.#lastQueue === '') throw notFound('no previously declared queue')
    return this.#lastQueue
  }

  declareExchange(reader: ByteStringReader): void {
    const { host } = this.#parts
    const { exchange, type, passive, noWait, durable, autoDelete, internal, ...rest } = readExchangeDeclare(
      reader,
      host.tableLimits,
    )
    if (passive) host.virtualHost.checkExchange(exchange)
    else {
      const args = rest.arguments
      host.virtualHost.declareExchange({
        name: exchange,
        type,
        durable,
        autoDelete,
        internal,
        arguments: args,
      })
    }
    if (!noWait) this.#parts.send('exchange.declare-ok', {})
  }

  deleteExchange(exchange: string, ifUnused: boolean, noWait: boolean): void {
    this.#parts.host.virtualHost.deleteExchange(exchange, ifUnused)
    if (!noWait) this.#parts.send('exchange.delete-ok', {})
  }

  bindExchange(reader: ByteStringReader): void {
    this.#bindOrUnbind('exchange.bind-ok', reader)
  }

  unbindExchange(reader: ByteStringReader): void {
    this.#bindOrUnbind('exchange.unbind-ok', reader)
  }

  /** Exchanges: both methods have the same shape. */
  #bindOrUnbind(answer: 'exchange.bind-ok' | 'exchange.unbind-ok', reader: ByteStringReader): void {
    const { virtualHost, tableLimits } = this.#parts.host
    const binding = readExchangeBinding(reader, tableLimits)
    const { destination, source, routingKey, noWait, arguments: args } = binding
    if (answer === 'exchange.bind-ok') virtualHost.bindExchange(destination, source, routingKey, args)
    else virtualHost.unbindExchange(destination, source, routingKey, args)
    if (!noWait) this.#parts.send(answer, {})
  }

  declareQueue(reader: ByteStringReader): void {
    const { host } = this.#parts
    const {
      queue: name,
      passive,
      noWait,
      durable,
      exclusive,
      autoDelete,
      ...rest
    } = readQueueDeclare(reader, host.tableLimits)
    if (name.startsWith(REPLY_TO)) return this.#declareReplies(name, noWait)
    const declared = passive
      ? host.virtualHost.checkQueue(name, host.owner)
      : host.virtualHost.declareQueue(
          { name, durable, exclusive, autoDelete, arguments: rest.arguments },
          host.owner,
        )
    this.#lastQueue = declared.name
    if (noWait) return
    const { messageCount, consumerCount } = declared
    this.#parts.send('queue.declare-ok', { queue: declared.name, messageCount, consumerCount })
  }

  /** Whoever answers a request may ask whether somebody still waits for the answer. */
  #declareReplies(name: string, noWait: boolean): void {
    const { virtualHost } = this.#parts.host
    if (!virtualHost.hasReplies(name)) throw notFound(`no ${queueName(name, virtualHost.name)}`)
    this.#lastQueue = name
    if (!noWait) this.#parts.send('queue.declare-ok', { queue: name, messageCount: 0, consumerCount: 1 })
  }

  bindQueue(reader: ByteStringReader): void {
    const { host } = this.#parts
    const { queue, exchange, routingKey, noWait, arguments: args } = readQueueBind(reader, host.tableLimits)
    const [name, key] = this.#completed(queue, routingKey)
    host.virtualHost.bindQueue(name, exchange, key, args, host.owner)
    if (!noWait) this.#parts.send('queue.bind-ok', {})
  }

  unbindQueue(reader: ByteStringReader): void {
    const { host } = this.#parts
    const { queue, exchange, routingKey, arguments: args } = readQueueUnbind(reader, host.tableLimits)
    const [name, key] = this.#completed(queue, routingKey)
    host.virtualHost.unbindQueue(name, exchange, key, args, host.owner)
    this.#parts.send('queue.unbind-ok', {})
  }

  /** Where both are empty, both stand for the queue that was declared last. */
  #completed(queue: string, routingKey: string): readonly [queue: string, routingKey: string] {
    const name = this.queueOrLast(queue)
    return [name, queue === '' && routingKey === '' ? name : routingKey]
  }

  purgeQueue(queue: string, noWait: boolean): void {
    const { host } = this.#parts
    const messageCount = host.virtualHost.purgeQueue(this.queueOrLast(queue), host.owner)
    if (!noWait) this.#parts.send('queue.purge-ok', { messageCount })
  }

  deleteQueue(queue: string, ifUnused: boolean, ifEmpty: boolean, noWait: boolean): void {
    const { host } = this.#parts
    const name = this.queueOrLast(queue)
    const messageCount = host.virtualHost.deleteQueue(name, { ifUnused, ifEmpty }, host.owner)
    if (!noWait) this.#parts.send('queue.delete-ok', { messageCount })
  }
}

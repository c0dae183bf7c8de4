import {
  METHOD_CODES,
  writeMethod,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'
import { AmqpError, notImplemented, preconditionFailed } from '../amqp-error.ts'
import type { Message } from '../model/message.ts'
import type { QueuedMessage } from '../model/queued-message.ts'
import type { ByteStringReader } from './byte-string-codec.ts'
import type { ChannelHost, ChannelParts } from './channel-host.ts'
import { readConsume } from './client-methods.ts'
import { Confirms } from './confirms.ts'
import { Consuming, type Settling } from './consuming.ts'
import { Declaring } from './declaring.ts'
import {
  BASIC_ACK,
  BASIC_NACK,
  BASIC_PUBLISH,
  BASIC_REJECT,
  CHANNEL_CLOSE,
  CHANNEL_CLOSE_OK,
  CHANNEL_OPEN,
  CLASS_BASIC,
  decodeArguments,
} from './method-codes.ts'
import { Publishing } from './publishing.ts'
import { Transaction } from './transaction.ts'

const channelError = (explanation: string): AmqpError => new AmqpError(504, explanation)
const secondOpen = (): AmqpError => channelError("second 'channel.open' seen")
const unexpected = (explanation: string): AmqpError => new AmqpError(505, explanation)

/**
 * One channel of a connection, as the client's frames see it.
 *
 * Every method either happens at once and as a whole, or throws an `AmqpError`, which the connection turns into the
 * end of the channel or of itself. After the broker has closed it, a channel drops what comes until the client agrees:
 * what was on its way is no fault.
 */
export class ChannelSession implements ChannelParts {
  readonly number: number
  readonly host: ChannelHost
  readonly #consuming: Consuming
  readonly #publishing: Publishing
  readonly #declaring: Declaring
  #confirms: Confirms | undefined
  #transaction: Transaction | undefined
  #state: 'new' | 'open' | 'closing' | 'ended' = 'new'
  #method = 0
  #closedByClient = false

  constructor(number: number, host: ChannelHost) {
    this.number = number
    this.host = host
    this.#consuming = new Consuming(this)
    this.#publishing = new Publishing(this, this.#consuming)
    this.#declaring = new Declaring(this)
  }

  /** Class and method id of what is being done, for the close that may follow. */
  get method(): number {
    return this.#method
  }

  get consumerCount(): number {
    return this.#consuming.consumerCount
  }

  get unsettledCount(): number {
    return this.#consuming.unsettledCount
  }

  /** What it has not settled. */
  unsettled(): Iterable<QueuedMessage> {
    return this.#consuming.unsettled()
  }

  /** Publishes and settlements of a transaction that goes on. */
  get uncommittedCount(): number {
    return this.#transaction?.size ?? 0
  }

  /** Whether a message is coming, and is not complete. */
  get isReceiving(): boolean {
    return this.#publishing.awaits !== 'method'
  }

  /** Whether the client has closed it, and awaits close-ok. */
  get closedByClient(): boolean {
    return this.#closedByClient
  }

  send<Name extends MethodName>(name: Name, args: MethodArguments[Name]): void {
    this.#confirms?.flush()
    this.write(name, args)
  }

  write<Name extends MethodName>(name: Name, args: MethodArguments[Name]): void {
    if (this.#state === 'closing' || this.#state === 'ended') return
    const { output } = this.host
    writeMethod(output.writer, this.number, name, args)
    output.written()
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    this.#confirms?.flush()
    this.#consuming.tellGone()
  }

  /** The client reads again: consumers may go on. */
  wake(): void {
    if (this.#state === 'open') this.#consuming.wakeAll()
  }

  /**
   * A method of the client; the reader stands at the class id. Returns whether the number of the channel is free now:
   * the client has closed it, or has agreed that it is closed.
   *
   * @throws {AmqpError} what the client did wrong; {@link method} says where.
   */
  receiveMethod(reader: ByteStringReader): boolean {
    if (this.#publishing.awaits !== 'method') throw this.#interrupted()
    const code = reader.uint32()
    this.#method = code
    if (this.#state === 'closing') return this.#receiveClosing(code)
    if (this.#state === 'new') {
      if (code !== CHANNEL_OPEN) throw channelError("expected 'channel.open'")
      decodeArguments(reader, code)
      this.#state = 'open'
      this.send('channel.open-ok', {})
    } else if (code === BASIC_PUBLISH) this.#publishing.begin(reader)
    else if (code === BASIC_ACK || code === BASIC_NACK || code === BASIC_REJECT) this.#settle(reader, code)
    else if (code === CHANNEL_CLOSE) {
      decodeArguments(reader, code)
      this.end()
      this.#closedByClient = true
      return true
    } else {
      this.#receive(reader, code)
      this.#consuming.tellGone()
    }
    return false
  }

  receiveHeader(reader: ByteStringReader): void {
    if (this.#state === 'closing') return
    if (this.#publishing.awaits === 'method') throw this.#contentWithoutMethod()
    this.#publish(this.#publishing.header(reader))
  }

  receiveBody(bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'closing') return
    if (this.#publishing.awaits === 'method') throw this.#contentWithoutMethod()
    this.#publish(this.#publishing.body(bytes, start, end))
  }

  /** The broker closes it; the client is told by the connection. What is unsettled goes back. */
  refuse(): void {
    this.flush()
    this.#release()
    this.#state = 'closing'
  }

  /** It is over, for the client or with its connection. What is unsettled goes back. */
  end(): void {
    this.flush()
    this.#release()
    this.#state = 'ended'
  }

  /** The first half of the end, for all channels of a connection before the second one of any. */
  stop(): void {
    this.#consuming.stop()
  }

  #release(): void {
    this.#publishing.abandon()
    this.#consuming.stop()
    this.#consuming.giveBackAll(this.#transaction?.rollback() ?? [])
  }

  /** @source AMQP 0-9-1 §1.5.2.5: all but close and close-ok is dropped. */
  #receiveClosing(code: number): boolean {
    if (code === CHANNEL_OPEN) throw secondOpen()
    if (code === CHANNEL_CLOSE) {
      const { output } = this.host
      writeMethod(output.writer, this.number, 'channel.close-ok', {})
      output.written()
    }
    return code === CHANNEL_CLOSE_OK
  }

  #interrupted(): AmqpError {
    const text =
      this.#publishing.awaits === 'header'
        ? `expected content header for class ${CLASS_BASIC}, got non content header frame instead`
        : 'expected content body, got non content body frame instead'
    return unexpected(text)
  }

  #contentWithoutMethod(): AmqpError {
    this.#method = 0
    return unexpected('expected method frame, got non method frame instead')
  }

  #publish(message: Message | undefined): void {
    if (message !== undefined) this.#publishing.publish(message, this.#confirms, this.#transaction)
  }

  /** basic.ack, basic.nack and basic.reject, all of the same shape. */
  #settle(reader: ByteStringReader, code: number): void {
    const tag = reader.uint64()
    const bits = reader.uint8()
    reader.finish('a settlement')
    const multiple = code !== BASIC_REJECT && (bits & 1) !== 0
    const requeue = code === BASIC_REJECT ? (bits & 1) !== 0 : (bits & 2) !== 0
    let settling: Settling = 'acknowledge'
    if (code !== BASIC_ACK) settling = requeue ? (code === BASIC_NACK ? 'nack' : 'reject') : 'discard'
    this.#consuming.settle(settling, tag, multiple, this.#transaction)
  }

  #receive(reader: ByteStringReader, code: number): void {
    switch (code) {
      case METHOD_CODES['exchange.declare']:
        return this.#declaring.declareExchange(reader)
      case METHOD_CODES['exchange.bind']:
        return this.#declaring.bindExchange(reader)
      case METHOD_CODES['exchange.unbind']:
        return this.#declaring.unbindExchange(reader)
      case METHOD_CODES['queue.declare']:
        return this.#declaring.declareQueue(reader)
      case METHOD_CODES['queue.bind']:
        return this.#declaring.bindQueue(reader)
      case METHOD_CODES['queue.unbind']:
        return this.#declaring.unbindQueue(reader)
      case METHOD_CODES['basic.consume']:
        return this.#consume(reader)
      default:
        return this.#receivePlain(decodeArguments(reader, code))
    }
  }

  #consume(reader: ByteStringReader): void {
    const request = readConsume(reader, this.host.tableLimits)
    this.#consuming.consume({ ...request, queue: this.#declaring.queueOrLast(request.queue) })
  }

  /** The methods without a table. */
  #receivePlain({ name, args }: DecodedMethod): void {
    switch (name) {
      case 'channel.open':
        throw secondOpen()
      case 'channel.flow':
        if (!args.active) throw notImplemented('active=false')
        return this.send('channel.flow-ok', { active: true })
      case 'access.request':
        return this.send('access.request-ok', { ticket: 1 })
      case 'exchange.delete':
        return this.#declaring.deleteExchange(args.exchange, args.ifUnused, args.noWait)
      case 'queue.purge':
        return this.#declaring.purgeQueue(args.queue, args.noWait)
      case 'queue.delete':
        return this.#declaring.deleteQueue(args.queue, args.ifUnused, args.ifEmpty, args.noWait)
      case 'basic.qos':
        return this.#consuming.qos(args.prefetchSize, args.prefetchCount, args.global)
      case 'basic.cancel':
        return this.#consuming.cancel(args.consumerTag, args.noWait)
      case 'basic.get':
        return this.#consuming.get(this.#declaring.queueOrLast(args.queue), args.noAck)
      case 'basic.recover-async':
        return this.#recover(args.requeue)
      case 'basic.recover':
        // The answer goes before what is delivered again.
        if (args.requeue) this.send('basic.recover-ok', {})
        return this.#recover(args.requeue)
      case 'confirm.select':
        return this.#selectConfirms(args.noWait)
      case 'tx.select':
        if (this.#confirms !== undefined) throw preconditionFailed('cannot switch from confirm to tx mode')
        this.#transaction ??= new Transaction((bytes) => this.host.holdUnderWay(bytes))
        return this.send('tx.select-ok', {})
      case 'tx.commit':
        return this.#commit()
      case 'tx.rollback':
        this.#consuming.restore(this.#inTransaction().rollback())
        return this.send('tx.rollback-ok', {})
      default:
        throw new AmqpError(503, 'unimplemented method')
    }
  }

  #recover(requeue: boolean): void {
    if (!requeue) throw notImplemented('requeue=false')
    this.#consuming.recover()
  }

  #selectConfirms(noWait: boolean): void {
    if (this.#transaction !== undefined) throw preconditionFailed('cannot switch from tx to confirm mode')
    this.#confirms ??= new Confirms(this.number, this.host.output)
    if (!noWait) this.send('confirm.select-ok', {})
  }

  #inTransaction(): Transaction {
    if (this.#transaction === undefined) throw preconditionFailed('channel is not transactional')
    return this.#transaction
  }

  #commit(): void {
    this.#inTransaction().commit(this.#consuming, ({ message, route, mandatory }) =>
      this.#publishing.deliver(message, route, mandatory),
    )
    this.send('tx.commit-ok', {})
  }
}

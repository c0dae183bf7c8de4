import { createDeferred, MessageStateError, ProtocolError, type Deferred } from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import type { DecodedMethod, MethodArguments } from '../wire/generated/methods.ts'
import { RecentString } from '../wire/recent-string.ts'
import { AckCoalescer } from './ack-coalescer.ts'
import type { Consumers } from './consumers.ts'
import { ContentAssembler } from './content-assembler.ts'
import { DeliveryOwners } from './delivery-owners.ts'
import { DIAGNOSTICS } from './diagnostics.ts'
import { Message, type Settlement, type Settler } from './message.ts'
import type { ReturnedMessage } from './returned-publish.ts'
import type { Session } from './session.ts'
import type { Traffic } from './traffic.ts'

/** What the deliveries of a channel report to it. */
export interface DeliveriesListener {
  /** The message of a `basic.get-ok`. */
  onGot(method: DecodedMethod, message: Message): void
  /** A mandatory message that no queue took. */
  onReturned(message: ReturnedMessage): void
  /** A message was settled in a transaction. */
  onSettled(): void
}

/** How the deliveries of a channel are taken and settled. */
export interface DeliveriesOptions {
  readonly connectionName: string
  readonly maxBodyBytes: number
  /** Every settlement leaves by itself and at once: a transaction may take it back. */
  readonly transactional: boolean
  readonly traffic: Traffic
}

/** A content whose method has come, but not yet all of its body. A delivery keeps its arguments in fields of its own. */
type Expected =
  | 'delivery'
  | { readonly method: DecodedMethod & { readonly name: 'basic.get-ok' }; readonly noAck: boolean }
  | { readonly args: MethodArguments['basic.return'] }

/**
 * Everything that one opening of a channel delivers, and its settling. A channel that is opened again gets new
 * deliveries, so that a message of an old one can never touch the new: it still holds these.
 */
export class Deliveries implements Settler {
  readonly #channel: number
  readonly #consumers: Consumers
  readonly #listener: DeliveriesListener
  readonly #assembler: ContentAssembler
  readonly #acks = new AckCoalescer()
  readonly #owners = new DeliveryOwners()
  /** What was given back because its queue is gone, and was not settled since. */
  readonly #givenBack = new Set<number>()
  #session: Session | undefined
  readonly #connectionName: string
  readonly #transactional: boolean
  readonly #traffic: Traffic
  #paused = false
  /** Everything up to this tag was settled with `multiple`. */
  #coveredTo = 0
  /** Everything up to this tag was put back by the broker (`basic.recover`). */
  #recoveredTo = 0
  /** How many `basic.recover` have no answer yet. */
  #recovering = 0
  #highestTag = 0
  #allSettled: Deferred<void> | undefined
  #deliveredThisTurn = false
  /** Whether an ack must leave with this turn. */
  #ackedPromptly = false
  #expected: Expected | undefined
  readonly #consumerTags = new RecentString()
  readonly #exchanges = new RecentString()
  readonly #routingKeys = new RecentString()
  #consumerTag = ''
  #deliveryTag = 0
  #redelivered = false
  #exchange = ''
  #routingKey = ''

  constructor(
    session: Session,
    channel: number,
    consumers: Consumers,
    { connectionName, maxBodyBytes, transactional, traffic }: DeliveriesOptions,
    listener: DeliveriesListener,
  ) {
    this.#session = session
    this.#channel = channel
    this.#consumers = consumers
    this.#connectionName = connectionName
    this.#transactional = transactional
    this.#traffic = traffic
    this.#listener = listener
    this.#assembler = new ContentAssembler(maxBodyBytes, (bytes, start, bodyStart, end) =>
      this.#onContent(bytes, start, bodyStart, end),
    )
  }

  /** Whether a content has begun and is not complete. */
  get busy(): boolean {
    return this.#assembler.busy
  }

  /**
   * `basic.deliver`; the reader stands behind the method's ids. Decoded by hand, because it is the method of which
   * there are most: the generated decoder makes an object and three strings each time.
   */
  deliver(reader: ByteReader): void {
    this.#consumerTag = this.#consumerTags.read(reader)
    this.#deliveryTag = reader.deliveryTag()
    this.#redelivered = (reader.uint8() & 1) !== 0
    this.#exchange = this.#exchanges.read(reader)
    this.#routingKey = this.#routingKeys.read(reader)
    reader.finish('basic.deliver')
    this.#expected = 'delivery'
    this.#assembler.begin()
  }

  /** `basic.get-ok` or `basic.return`. */
  expect(expected: Exclude<Expected, 'delivery'>): void {
    this.#expected = expected
    this.#assembler.begin()
  }

  header(reader: ByteReader): void {
    this.#assembler.header(reader)
  }

  body(bytes: Buffer, start: number, end: number): void {
    this.#assembler.body(bytes, start, end)
  }

  #onContent(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    const expected = this.#expected
    this.#expected = undefined
    if (expected === undefined) throw new ProtocolError('a content came without its method')
    if (expected === 'delivery') {
      this.#onDelivery(bytes, start, bodyStart, end)
    } else if ('method' in expected) {
      const { deliveryTag, redelivered, exchange, routingKey } = expected.method.args
      this.#reach(deliveryTag)
      this.#owners.delivered(deliveryTag, undefined, this.#acks.settledTo)
      this.#traffic.delivered++
      const message = new Message(
        '',
        deliveryTag,
        redelivered,
        exchange,
        routingKey,
        bytes,
        start,
        bodyStart,
        end,
        expected.noAck ? undefined : this,
      )
      if (expected.noAck) this.#acks.settled(deliveryTag)
      this.#listener.onGot(expected.method, message)
    } else {
      this.#listener.onReturned({
        args: expected.args,
        rawProperties: bytes.subarray(start, bodyStart),
        body: bytes.subarray(bodyStart, end),
      })
    }
  }

  /** Tags count up by one; what a broker skips must not count as unsettled. */
  #reach(deliveryTag: number): void {
    const next = this.#highestTag + 1
    if (deliveryTag < next) return
    if (deliveryTag > next) this.#acks.skipped(next, deliveryTag - 1)
    this.#highestTag = deliveryTag
  }

  #onDelivery(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    // Once the channel is closing, what still comes stays with the broker, which puts it back.
    if (this.#paused) return
    this.#deliveredThisTurn = true
    const deliveryTag = this.#deliveryTag
    this.#reach(deliveryTag)
    const consumer = this.#consumers.find(this.#consumerTag)
    const needsAck = consumer === undefined || consumer.needsAck
    if (!needsAck) this.#acks.settled(deliveryTag)
    // A consumer that was cancelled meanwhile: the broker would keep the message until the channel closes, so it
    // goes back now. One that needs no ack would be lost, so it is still handed over.
    if (consumer === undefined || (consumer.cancelled && needsAck))
      return void this.settle(deliveryTag, 'requeue', false, false)
    // What the broker sent before it read basic.recover, it is about to send again.
    if (this.#recovering > 0 && needsAck) return
    this.#traffic.delivered++
    if (needsAck) this.#owners.delivered(deliveryTag, consumer, this.#acks.settledTo)
    if (DIAGNOSTICS.deliver.hasSubscribers) this.#tellOfDelivery()
    const message = new Message(
      this.#consumerTag,
      deliveryTag,
      this.#redelivered,
      this.#exchange,
      this.#routingKey,
      bytes,
      start,
      bodyStart,
      end,
      needsAck ? this : undefined,
    )
    try {
      consumer.handler(message)
    } catch (error) {
      // The other frames of this read must not suffer from it.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  #tellOfDelivery(): void {
    DIAGNOSTICS.deliver.publish({
      connection: this.#connectionName,
      consumerTag: this.#consumerTag,
      deliveryTag: this.#deliveryTag,
      exchange: this.#exchange,
      routingKey: this.#routingKey,
      redelivered: this.#redelivered,
    })
  }

  settle(deliveryTag: number, how: Settlement, multiple: boolean, promptly: boolean): boolean {
    const inTime = this.#settle(deliveryTag, how, multiple)
    if (promptly) this.#ackedPromptly = true
    if (DIAGNOSTICS.settle.hasSubscribers) {
      const connection = this.#connectionName
      DIAGNOSTICS.settle.publish({ connection, deliveryTag, how, multiple, stale: !inTime })
    }
    return inTime
  }

  #settle(deliveryTag: number, how: Settlement, multiple: boolean): boolean {
    const session = this.#session
    if (
      session === undefined ||
      this.#recovering > 0 ||
      deliveryTag <= this.#recoveredTo ||
      this.#givenBack.delete(deliveryTag)
    ) {
      this.#traffic.staleSettles++
      return false
    }
    if (deliveryTag <= this.#coveredTo)
      throw new MessageStateError('this message was settled together with a later one of its channel')
    if (how === 'ack' && !multiple && !this.#transactional) {
      this.#traffic.acked++
      this.#acks.ack(deliveryTag)
      // A full window stops the broker: from a quarter of one on, acks do not wait for the end of the turn, so that
      // it goes on sending while the rest is worked off.
      if (this.#acks.waiting * 4 >= this.#consumers.smallestWindow) session.output.flush()
      else session.output.schedule()
    } else {
      this.writeAcks()
      this.#settleNow(session, deliveryTag, how, multiple)
    }
    if (this.#transactional) this.#listener.onSettled()
    if (this.#allSettled !== undefined) this.#checkAllSettled()
    return true
  }

  #settleNow(session: Session, deliveryTag: number, how: Settlement, multiple: boolean): void {
    const requeue = how === 'requeue'
    if (how === 'ack') session.send(this.#channel, 'basic.ack', { deliveryTag, multiple })
    else if (multiple) session.send(this.#channel, 'basic.nack', { deliveryTag, multiple, requeue })
    else session.send(this.#channel, 'basic.reject', { deliveryTag, requeue })
    const before = this.unsettled
    if (multiple) {
      this.#acks.settledUpTo(deliveryTag)
      this.#coveredTo = deliveryTag
    } else {
      this.#acks.settled(deliveryTag)
    }
    const count = multiple ? before - this.unsettled : 1
    this.#traffic[how === 'ack' ? 'acked' : how === 'reject' ? 'rejected' : 'requeued'] += count
  }

  /** Delivered, and neither settled nor put back by the broker. */
  get unsettled(): number {
    return this.#acks.unsettled(this.#highestTag)
  }

  /** Resolves when nothing is unsettled, or the channel is gone. */
  allSettled(): Promise<void> {
    this.#allSettled ??= createDeferred()
    const { promise } = this.#allSettled
    this.#checkAllSettled()
    return promise
  }

  #checkAllSettled(): void {
    if (this.#session !== undefined && this.unsettled > 0) return
    this.#allSettled?.resolve()
    this.#allSettled = undefined
  }

  /**
   * The broker is asked to put back everything that is not settled, and to deliver it anew. Until `asked` is answered,
   * settling is stale already.
   */
  async recover(ask: () => Promise<unknown>): Promise<void> {
    this.writeAcks()
    this.#recovering++
    await ask()
  }

  /** `basic.recover-ok`: what comes behind it, be it in the same read, is delivered anew. */
  recovered(): void {
    if (this.#recovering === 0) return
    this.#recovering--
    this.#recoveredTo = this.#highestTag
    this.#acks.settledUpTo(this.#highestTag)
    this.#checkAllSettled()
  }

  /**
   * The broker has cancelled a consumer, whose queue is gone: what it was given and has not settled goes back, and
   * settling that is stale from now on.
   *
   * RabbitMQ knows the queue of an unsettled message by its name alone. Were a queue of that name consumed on this
   * channel before the message is settled, its ack would be taken for one of the new queue's messages
   * (test/fault/amqp-recovery.test.ts).
   */
  giveBack(consumer: object): void {
    const session = this.#session
    // In a transaction it would go back with the commit, which is too late; `recovering` puts it back already.
    if (session === undefined || this.#transactional || this.#recovering > 0) return
    this.writeAcks()
    for (const deliveryTag of this.#owners.ownedBy(consumer, this.#acks.unsettledTags(this.#highestTag))) {
      session.send(this.#channel, 'basic.reject', { deliveryTag, requeue: true })
      this.#acks.settled(deliveryTag)
      this.#givenBack.add(deliveryTag)
    }
    this.#checkAllSettled()
  }

  /**
   * When the acks that wait should leave: while deliveries keep coming, a few acks wait for those of the next turn,
   * which the socket holds already, because writing is the largest single cost of consuming. A turn without
   * deliveries sends them, and so does one that is to leave promptly, or a quarter of the window, see {@link settle}.
   */
  nextFlush(): 'now' | 'next turn' | 'never' {
    if (this.#acks.waiting === 0) return 'never'
    const more = this.#deliveredThisTurn && !this.#ackedPromptly
    this.#deliveredThisTurn = false
    this.#ackedPromptly = false
    return more ? 'next turn' : 'now'
  }

  /** Appends the acks that wait to the output. */
  writeAcks(): void {
    const session = this.#session
    if (session === undefined || this.#acks.waiting === 0) return
    this.#acks.flush((deliveryTag, multiple) =>
      session.send(this.#channel, 'basic.ack', { deliveryTag, multiple }),
    )
  }

  /** Hands over nothing more; what was handed over can still be settled. */
  pause(): void {
    this.#paused = true
  }

  /** The channel is gone: settling changes nothing any more. */
  end(): void {
    this.#session = undefined
    this.#checkAllSettled()
  }
}

import { ProtocolError } from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import type { DecodedMethod, MethodArguments } from '../wire/generated/methods.ts'
import { RecentString } from '../wire/recent-string.ts'
import { AckCoalescer } from './ack-coalescer.ts'
import type { Consumers } from './consumers.ts'
import { ContentAssembler } from './content-assembler.ts'
import { Message, type Settler } from './message.ts'
import type { Session } from './session.ts'

/** What the deliveries of a channel report to it. */
export interface DeliveriesListener {
  /** The message of a `basic.get-ok`. */
  onGot(method: DecodedMethod, message: Message): void
  /** A mandatory message that no queue took. */
  onReturned(args: MethodArguments['basic.return'], rawProperties: Buffer, body: Buffer): void
  /** A message was settled whose channel was gone. */
  onStaleSettle(): void
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
  #session: Session | undefined
  #paused = false
  #deliveredThisTurn = false
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
    maxBodyBytes: number,
    listener: DeliveriesListener,
  ) {
    this.#session = session
    this.#channel = channel
    this.#consumers = consumers
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
      this.#listener.onReturned(
        expected.args,
        bytes.subarray(start, bodyStart),
        bytes.subarray(bodyStart, end),
      )
    }
  }

  #onDelivery(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    // Once the channel is closing, what still comes stays with the broker, which puts it back.
    if (this.#paused) return
    this.#deliveredThisTurn = true
    const deliveryTag = this.#deliveryTag
    const consumer = this.#consumers.find(this.#consumerTag)
    const needsAck = consumer === undefined || consumer.needsAck
    if (!needsAck) this.#acks.settled(deliveryTag)
    // A consumer that was cancelled meanwhile: the broker would keep the message until the channel closes, so it
    // goes back now. One that needs no ack would be lost, so it is still handed over.
    if (consumer === undefined || (consumer.cancelled && needsAck))
      return void this.settle(deliveryTag, 'requeue')
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

  settle(deliveryTag: number, how: 'ack' | 'reject' | 'requeue'): boolean {
    const session = this.#session
    if (session === undefined) {
      this.#listener.onStaleSettle()
      return false
    }
    if (how === 'ack') {
      this.#acks.ack(deliveryTag)
      // A full window stops the broker: from a quarter of one on, acks do not wait for the end of the turn, so that
      // it goes on sending while the rest is worked off.
      if (this.#acks.waiting * 4 >= this.#consumers.smallestWindow) session.output.flush()
      else session.output.schedule()
    } else {
      this.writeAcks()
      session.send(this.#channel, 'basic.reject', { deliveryTag, requeue: how === 'requeue' })
      this.#acks.settled(deliveryTag)
    }
    return true
  }

  /**
   * When the acks that wait should leave: while deliveries keep coming, a few acks wait for those of the next turn,
   * which the socket holds already, because writing is the largest single cost of consuming. A turn without
   * deliveries sends them, and so does a quarter of the window, see {@link settle}.
   */
  nextFlush(): 'now' | 'next turn' | 'never' {
    if (this.#acks.waiting === 0) return 'never'
    const more = this.#deliveredThisTurn
    this.#deliveredThisTurn = false
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
  }
}

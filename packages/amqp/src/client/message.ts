import { MessageStateError } from '@hermod/kernel'
import { readProperties, type BasicProperties } from '../wire/basic-properties.ts'
import { ByteReader } from '../wire/byte-reader.ts'

/** What a message came as: the arguments of `basic.deliver`, `basic.get-ok` or `basic.return`. */
export interface DeliveryInfo {
  /** The consumer that it came for; empty for `get` and returned messages. */
  readonly consumerTag: string
  /** Counts the deliveries of one channel, from 1; 0 for a returned message. */
  readonly deliveryTag: number
  /** Whether the broker delivered it before, to anybody. */
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
}

/** How a message can be settled, and by whom: the channel that it came on. */
export interface Settler {
  /** @returns false when the channel that delivered the message is gone. */
  settle(generation: number, tag: number, how: 'ack' | 'reject' | 'requeue'): boolean
}

/** Whether a message still has to be settled. `none`: its consumer takes no acks. */
export type MessageState = 'received' | 'acked' | 'rejected' | 'requeued' | 'none'

const reader = new ByteReader()

/**
 * A message as the broker delivered it.
 *
 * The body and the properties are its own bytes: they never change, and keeping the message keeps nothing else.
 * It is settled once; settling it after its channel has died changes nothing and returns false, because the broker
 * delivers it again by itself.
 */
export class Message implements DeliveryInfo {
  readonly consumerTag: string
  readonly deliveryTag: number
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  /** The body as it was on the wire. */
  readonly body: Buffer
  readonly #rawProperties: Buffer
  readonly #settler: Settler | undefined
  readonly #generation: number
  #properties: BasicProperties | undefined
  #state: MessageState

  constructor(
    info: DeliveryInfo,
    rawProperties: Buffer,
    body: Buffer,
    settler: Settler | undefined,
    generation: number,
  ) {
    this.consumerTag = info.consumerTag
    this.deliveryTag = info.deliveryTag
    this.redelivered = info.redelivered
    this.exchange = info.exchange
    this.routingKey = info.routingKey
    this.body = body
    this.#rawProperties = rawProperties
    this.#settler = settler
    this.#generation = generation
    this.#state = settler === undefined ? 'none' : 'received'
  }

  /**
   * The properties, read when first asked for.
   * @throws {ProtocolError} E_PROTOCOL when the broker sent something else.
   */
  get properties(): BasicProperties {
    return (this.#properties ??= readProperties(reader.reset(this.#rawProperties)))
  }

  /** Whether and how it was settled. */
  get state(): MessageState {
    return this.#state
  }

  /**
   * The work is done; the broker forgets the message. Acks leave together at the end of the turn.
   * @returns false when the channel is gone and the broker will deliver the message again.
   * @throws {MessageStateError} E_MESSAGE_STATE when it was settled before.
   */
  ack(): boolean {
    return this.#settle('acked', 'ack')
  }

  /** The message is refused for good: dropped, or dead-lettered where its queue says so. See {@link ack}. */
  reject(): boolean {
    return this.#settle('rejected', 'reject')
  }

  /** The broker puts the message back to its queue, near the head. See {@link ack}. */
  requeue(): boolean {
    return this.#settle('requeued', 'requeue')
  }

  #settle(state: MessageState, how: 'ack' | 'reject' | 'requeue'): boolean {
    if (this.#state !== 'received') {
      throw new MessageStateError(
        this.#state === 'none' ? 'this message needs no settling' : `this message was ${this.#state} before`,
      )
    }
    this.#state = state
    return (this.#settler as Settler).settle(this.#generation, this.deliveryTag, how)
  }
}

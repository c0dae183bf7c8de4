import { MessageStateError } from '@hermod/kernel'
import { readProperties, type BasicProperties } from '../wire/basic-properties.ts'
import { ByteReader } from '../wire/byte-reader.ts'

/** How a message can be settled, and by whom: the channel that it came on. */
export interface Settler {
  /**
   * @param multiple with everything that the channel delivered before.
   * @param promptly see {@link SettleOptions.promptly}.
   * @returns false when the channel that delivered the message is gone, or the broker has taken the message back, or its
   *   queue was deleted.
   * @throws {MessageStateError} E_MESSAGE_STATE when it was settled together with a later one.
   */
  settle(deliveryTag: number, how: Settlement, multiple: boolean, promptly: boolean): boolean
}

/** What becomes of a message. */
export type Settlement = 'ack' | 'reject' | 'requeue'

/** How a message is settled. */
export interface SettleOptions {
  /**
   * With every message that its channel delivered before and that is not settled yet, whichever consumer they came for.
   * Default false.
   */
  readonly multiple?: boolean | undefined
  /**
   * The ack leaves at the end of this turn of the event loop, and does not wait for others: what is begun with
   * `setImmediate` after it can take the process with it, and the message does not come again. Default false.
   */
  readonly promptly?: boolean | undefined
}

/** Whether a message still has to be settled. `none`: its consumer takes no acks. */
export type MessageState = 'received' | 'acked' | 'rejected' | 'requeued' | 'none'

const reader = new ByteReader()

/**
 * A message as the broker delivered it.
 *
 * The body and the properties never change, and keeping a message keeps no read buffer (small ones share slabs of
 * 8 KiB).
 * It is settled once; settling it after its channel has died changes nothing and returns false, because the broker
 * delivers it again by itself. So it is after its queue was deleted, which took the message with it.
 */
export class Message {
  /** The consumer that it came for; empty for a message that was fetched with `get`. */
  readonly consumerTag: string
  /** Counts the deliveries of one channel, from 1. */
  readonly deliveryTag: number
  /** Whether the broker delivered it before, to anybody. */
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  /** Property list and body, as they were on the wire. */
  readonly #bytes: Buffer
  readonly #start: number
  readonly #bodyStart: number
  readonly #end: number
  readonly #settler: Settler | undefined
  #body: Buffer | undefined
  #properties: BasicProperties | undefined
  #state: MessageState

  constructor(
    consumerTag: string,
    deliveryTag: number,
    redelivered: boolean,
    exchange: string,
    routingKey: string,
    bytes: Buffer,
    start: number,
    bodyStart: number,
    end: number,
    settler: Settler | undefined,
  ) {
    this.consumerTag = consumerTag
    this.deliveryTag = deliveryTag
    this.redelivered = redelivered
    this.exchange = exchange
    this.routingKey = routingKey
    this.#bytes = bytes
    this.#start = start
    this.#bodyStart = bodyStart
    this.#end = end
    this.#settler = settler
    this.#state = settler === undefined ? 'none' : 'received'
  }

  /** The body as it was on the wire. */
  get body(): Buffer {
    return (this.#body ??= this.#bytes.subarray(this.#bodyStart, this.#end))
  }

  /**
   * The properties, read when first asked for.
   * @throws {ProtocolError} E_PROTOCOL when the broker sent something else.
   */
  get properties(): BasicProperties {
    return (this.#properties ??= readProperties(reader.reset(this.#bytes, this.#start, this.#bodyStart)))
  }

  /** Whether and how it was settled. */
  get state(): MessageState {
    return this.#state
  }

  /**
   * The work is done; the broker forgets the message. Acks leave together at the end of the turn.
   * @returns false when the channel is gone and the broker will deliver the message again, or when its queue was deleted.
   * @throws {MessageStateError} E_MESSAGE_STATE when it was settled before.
   */
  ack(options?: SettleOptions): boolean {
    return this.#settle('acked', 'ack', options)
  }

  /** The message is refused for good: dropped, or dead-lettered where its queue says so. See {@link ack}. */
  reject(options?: SettleOptions): boolean {
    return this.#settle('rejected', 'reject', options)
  }

  /** The broker puts the message back to its queue, near the head. See {@link ack}. */
  requeue(options?: SettleOptions): boolean {
    return this.#settle('requeued', 'requeue', options)
  }

  #settle(state: MessageState, how: Settlement, options: SettleOptions | undefined): boolean {
    if (this.#state !== 'received') {
      throw new MessageStateError(
        this.#state === 'none' ? 'this message needs no settling' : `this message was ${this.#state} before`,
      )
    }
    const [multiple, promptly] = [options?.multiple === true, options?.promptly === true]
    const inTime = (this.#settler as Settler).settle(this.deliveryTag, how, multiple, promptly)
    this.#state = state
    return inTime
  }
}

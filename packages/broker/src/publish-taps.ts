import type { BasicProperties } from '@hermod/amqp'
import { ByteReader, readProperties } from '@hermod/amqp/wire'
import { onAbort, type Logger } from '@hermod/kernel'
import type { BrokerConnection } from './broker-connection.ts'
import { fromByteString } from './byte-string.ts'
import type { Message } from './model/message.ts'
import { FLAGS_OFFSET } from './model/message-properties.ts'
import type { Owner } from './model/queue.ts'
import type { PublishNotice, PublishWatch } from './session/publish-watch.ts'

/** A message as a client published it. All of it is a copy: it may be kept, and nothing that is done to it reaches the broker. */
export interface PublishedMessage {
  readonly virtualHost: string
  /** Empty for the default exchange. */
  readonly exchange: string
  readonly routingKey: string
  /** As consumers get them: without `BCC`, and with the name that stands for a direct reply. */
  readonly properties: BasicProperties
  readonly body: Buffer
  readonly mandatory: boolean
  /**
   * `unrouted`: no queue was bound for it. `refused`: at least one of its queues was full and refuses what comes then
   * (`x-overflow`). `taken`: everything else.
   */
  readonly outcome: 'taken' | 'unrouted' | 'refused'
  /** The queues that it was routed to; a direct reply goes through none. */
  readonly queues: readonly string[]
  /** Who published it: may be used to break its connection, for example. */
  readonly connection: BrokerConnection
  readonly channel: number
}

/** A listener of {@link PublishedMessage}s that was added; disposing of it is stopping it. */
export interface PublishTap extends Disposable {
  /** From now on it is not called any more. */
  stop(): void
}

/** How long a {@link PublishTap} is to be. */
export interface PublishTapOptions {
  /** Aborting stops it. */
  readonly signal?: AbortSignal | undefined
}

class Tap implements PublishTap {
  readonly listener: (published: PublishedMessage) => void
  readonly #left: (tap: Tap) => void
  stopped = false
  listening: Disposable | undefined

  constructor(listener: (published: PublishedMessage) => void, left: (tap: Tap) => void) {
    this.listener = listener
    this.#left = left
  }

  stop(): void {
    this.stopped = true
    this.listening?.[Symbol.dispose]()
    this.#left(this)
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}

/** A message for the taps that there were when it was published. */
interface Waiting {
  readonly notice: PublishNotice
  readonly connection: BrokerConnection
  readonly taps: readonly Tap[]
}

/**
 * Everybody who looks on at what is published.
 *
 * They are told in a microtask behind the bytes that brought the message: the broker's work is whole then, so that they
 * may do to it what they like, and no client in this process has its confirm yet.
 */
export class PublishTaps implements PublishWatch {
  active = false
  readonly #connectionOf: (owner: Owner) => BrokerConnection | undefined
  readonly #logger: Logger
  #taps: readonly Tap[] = []
  #waiting: Waiting[] = []
  readonly #tell = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) this.#tellOf(one)
  }

  constructor(connectionOf: (owner: Owner) => BrokerConnection | undefined, logger: Logger) {
    this.#connectionOf = connectionOf
    this.#logger = logger
  }

  add(listener: (published: PublishedMessage) => void, { signal }: PublishTapOptions): PublishTap {
    const tap = new Tap(listener, () => this.#set(this.#taps.filter((one) => one !== tap)))
    if (signal?.aborted === true) {
      tap.stop()
      return tap
    }
    if (signal !== undefined) tap.listening = onAbort(signal, () => tap.stop())
    this.#set([...this.#taps, tap])
    return tap
  }

  published(notice: PublishNotice): void {
    const connection = this.#connectionOf(notice.owner)
    if (connection === undefined) return
    if (this.#waiting.push({ notice, connection, taps: this.#taps }) === 1) queueMicrotask(this.#tell)
  }

  #set(taps: readonly Tap[]): void {
    this.#taps = taps
    this.active = taps.length > 0
  }

  #tellOf({ notice, connection, taps }: Waiting): void {
    if (taps.every(({ stopped }) => stopped)) return
    let published: PublishedMessage
    try {
      published = copyOf(notice, connection)
    } catch (error) {
      // Tables may be nested deeper than the reader goes, where the limit was raised.
      this.#logger.error({ peer: connection.name, error }, 'a published message cannot be shown')
      return
    }
    for (const { listener, stopped } of taps) if (!stopped) tell(listener, published)
  }
}

function tell(listener: (published: PublishedMessage) => void, published: PublishedMessage): void {
  try {
    listener(published)
  } catch (error) {
    // As with every listener of Hermod: an uncaught exception of a turn of its own.
    queueMicrotask(() => {
      throw error
    })
  }
}

function copyOf(notice: PublishNotice, connection: BrokerConnection): PublishedMessage {
  const { message, route, mandatory, outcome, channel, virtualHost } = notice
  return {
    virtualHost: fromByteString(virtualHost),
    exchange: fromByteString(message.exchange),
    routingKey: fromByteString(message.routingKey),
    properties: propertiesOf(message),
    body: bodyOf(message),
    mandatory,
    outcome,
    queues: route.map(({ name }) => fromByteString(name)),
    connection,
    channel,
  }
}

/** The reader copies what it does not turn into something else. */
const propertiesOf = ({ header, headerStart, headerEnd }: Message): BasicProperties =>
  readProperties(new ByteReader().reset(header, headerStart + FLAGS_OFFSET, headerEnd))

const bodyOf = ({ body, bodyStart, bodyEnd, more }: Message): Buffer =>
  Buffer.concat([body.subarray(bodyStart, bodyEnd), ...(more ?? [])])

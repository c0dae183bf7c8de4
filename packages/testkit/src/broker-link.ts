import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createDeferred, ProtocolError, withDeadline, type Deferred } from '@hermod/kernel'
import type { BasicProperties } from '@hermod/amqp'
import {
  decodeMethod,
  FrameDecoder,
  PROTOCOL_HEADER,
  readProperties,
  writeHeartbeat,
  type ByteReader,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'
import { contentBytes, deliveryBytes, frameBytes, methodBytes } from './amqp-bytes.ts'
import { PairedStream } from './paired-stream.ts'

/** A method that the client sent. */
export type Received<Name extends MethodName = MethodName> = {
  readonly [N in Name]: { readonly name: N; readonly channel: number; readonly args: MethodArguments[N] }
}[Name]

/** A message that the client published. */
export interface ReceivedPublish {
  readonly channel: number
  /** The confirm tag: 1 for the first publish of the channel. */
  readonly tag: number
  readonly exchange: string
  readonly routingKey: string
  readonly mandatory: boolean
  readonly properties: BasicProperties
  readonly body: Buffer
  /** The payload sizes of its body frames. */
  readonly frames: readonly number[]
}

/** What a link tells its broker. */
export interface LinkListener {
  onMethod(received: Received, link: BrokerLink): void
  onPublish(publish: ReceivedPublish, link: BrokerLink): void
}

interface OpenContent {
  readonly args: MethodArguments['basic.publish']
  readonly frames: number[]
  readonly parts: Buffer[]
  properties: BasicProperties
  left: number
}

/** How long a test waits for the client before it fails. */
const PATIENCE_MS = 15_000

/**
 * One connection of a scripted broker: all that the client sent on it, and what is said to the client.
 *
 * Bytes that are no AMQP 0-9-1 throw a `ProtocolError` out of the stream's own event: an uncaught exception, which no
 * test runner misses.
 */
export class BrokerLink {
  /** Everything that came, in order. */
  readonly methods: Received[] = []
  /** Every whole message that came, in order. */
  readonly publishes: ReceivedPublish[] = []
  /** How many heartbeats the client sent. */
  heartbeats = 0
  /** Takes everything and says nothing by itself. */
  mute = false
  /** The client has hung up. */
  gone = false
  readonly #stream: Duplex
  readonly #listener: LinkListener
  readonly #decoder: FrameDecoder
  readonly #contents = new Map<number, OpenContent>()
  readonly #publishTags = new Map<number, number>()
  readonly #confirming = new Set<number>()
  #preamble: Buffer = Buffer.alloc(0)
  #change: Deferred<void> = createDeferred()

  constructor(stream: Duplex, listener: LinkListener) {
    this.#stream = stream
    this.#listener = listener
    this.#decoder = new FrameDecoder(
      {
        method: (channel, reader) => this.#onMethod(channel, reader),
        header: (channel, reader) => this.#onHeader(channel, reader),
        body: (channel, bytes, start, end) => this.#onBody(channel, bytes.subarray(start, end)),
        heartbeat: () => void this.heartbeats++,
      },
      0,
    )
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.on('error', () => {})
    for (const event of ['end', 'close'] as const) {
      stream.on(event, () => {
        this.gone = true
        this.#changed()
      })
    }
  }

  /** Sends a method. */
  send<Name extends MethodName>(channel: number, name: Name, args: MethodArguments[Name]): void {
    this.raw(methodBytes(channel, name, args))
  }

  /** Sends a message to a consumer. */
  deliver(...args: Parameters<typeof deliveryBytes>): void {
    this.raw(deliveryBytes(...args))
  }

  /** Returns a publish as unroutable. */
  giveBack({ channel, exchange, routingKey, properties, body }: ReceivedPublish): void {
    const args = { replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey }
    this.raw(contentBytes(channel, 'basic.return', args, properties, body))
  }

  /** Whether the client asked for confirms on this channel. */
  confirms(channel: number): boolean {
    return this.#confirming.has(channel)
  }

  /** Confirms a publish, or all up to it. */
  confirm(channel: number, deliveryTag: number, multiple = false): void {
    this.send(channel, 'basic.ack', { deliveryTag, multiple })
  }

  /** Closes a channel as RabbitMQ does. */
  closeChannel(channel: number, replyCode: number, replyText: string, classId = 0, methodId = 0): void {
    this.send(channel, 'channel.close', { replyCode, replyText, classId, methodId })
  }

  /** Closes the connection as RabbitMQ does. */
  closeConnection(replyCode: number, replyText: string, classId = 0, methodId = 0): void {
    this.send(0, 'connection.close', { replyCode, replyText, classId, methodId })
  }

  /** Sends a heartbeat. */
  heartBeat(): void {
    this.raw(frameBytes(writeHeartbeat))
  }

  /** Sends bytes as they are; none once the connection has ended. */
  raw(bytes: Uint8Array): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.write(bytes)
  }

  /** Breaks the connection. */
  drop(): void {
    if (this.#stream instanceof Socket) this.#stream.resetAndDestroy()
    else this.#stream.destroy()
  }

  /** Hangs up in good order. */
  end(): void {
    if (!this.#stream.destroyed) this.#stream.end()
  }

  /** While stalled, nothing is read from the client. */
  set stalled(stalled: boolean) {
    if (this.#stream instanceof PairedStream) this.#stream.stalled = stalled
    else if (stalled) this.#stream.pause()
    else this.#stream.resume()
  }

  /** All methods of a name so far. */
  all<Name extends MethodName>(name: Name): Received<Name>[] {
    return this.methods.filter((method): method is Received<Name> & Received => method.name === name)
  }

  /** The `index`-th method of a name, from 0, once it has come. */
  async method<Name extends MethodName>(name: Name, index = 0): Promise<Received<Name>> {
    await this.until(() => this.all(name).length > index, `${name} no. ${index}`)
    return this.all(name)[index] as Received<Name>
  }

  /** All publishes, once there are `count` or more. */
  async published(count: number): Promise<readonly ReceivedPublish[]> {
    await this.until(() => this.publishes.length >= count, `${count} publishes`)
    return this.publishes
  }

  /**
   * Resolves once `condition` is true, which is asked whenever bytes have come.
   *
   * @throws {MessagingTimeoutError} E_TIMEOUT after 15 s, as everything here that waits for the client.
   */
  async until(condition: () => boolean, what: string): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS
    while (!condition()) {
      const timeoutMs = Math.max(1, endMs - performance.now())
      await withDeadline(this.#change.promise, { timeoutMs }, `${what} at the broker`)
    }
  }

  #receive(chunk: Buffer): void {
    let bytes = chunk
    if (this.#preamble.length < PROTOCOL_HEADER.length) {
      this.#preamble = Buffer.concat([this.#preamble, chunk])
      if (this.#preamble.length < PROTOCOL_HEADER.length) return
      bytes = this.#preamble.subarray(PROTOCOL_HEADER.length)
      const start = {
        name: 'connection.start',
        args: {
          versionMajor: 0,
          versionMinor: 9,
          serverProperties: {},
          mechanisms: '',
          locales: '',
        },
      } as const
      // The protocol header stands in the record as what it asks for.
      this.#record(0, start)
    }
    this.#decoder.push(bytes)
    this.#changed()
  }

  #record(channel: number, method: DecodedMethod): void {
    const received = { ...method, channel } as Received
    this.methods.push(received)
    this.#listener.onMethod(received, this)
  }

  #onMethod(channel: number, reader: ByteReader): void {
    const method = decodeMethod(reader)
    if (method.name === 'channel.open') {
      this.#publishTags.delete(channel)
      this.#confirming.delete(channel)
    }
    if (method.name === 'confirm.select') this.#confirming.add(channel)
    if (method.name === 'basic.publish')
      this.#contents.set(channel, { args: method.args, frames: [], parts: [], properties: {}, left: 0 })
    this.#record(channel, method)
  }

  #onHeader(channel: number, reader: ByteReader): void {
    const open = this.#content(channel)
    reader.skip(4)
    open.left = Number(reader.uint64())
    open.properties = readProperties(reader)
    if (open.left === 0) this.#complete(channel, open)
  }

  #onBody(channel: number, bytes: Buffer): void {
    const open = this.#content(channel)
    open.frames.push(bytes.length)
    open.parts.push(Buffer.from(bytes))
    open.left -= bytes.length
    if (open.left === 0) this.#complete(channel, open)
  }

  #content(channel: number): OpenContent {
    const open = this.#contents.get(channel)
    if (open === undefined)
      throw new ProtocolError(`content came on channel ${channel} without a basic.publish`)
    return open
  }

  #complete(channel: number, { args, properties, frames: sizes, parts }: OpenContent): void {
    this.#contents.delete(channel)
    const tag = (this.#publishTags.get(channel) ?? 0) + 1
    this.#publishTags.set(channel, tag)
    const { exchange, routingKey, mandatory } = args
    const body = Buffer.concat(parts)
    const publish = { channel, tag, exchange, routingKey, mandatory, properties, body, frames: sizes }
    this.publishes.push(publish)
    this.#listener.onPublish(publish, this)
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = createDeferred()
  }
}

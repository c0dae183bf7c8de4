import type { Duplex } from 'node:stream'
import type { BasicProperties, FieldTable } from '@hermod/amqp'
import {
  decodeMethod,
  FrameDecoder,
  PROTOCOL_HEADER,
  readProperties,
  type ByteReader,
  type FrameSink,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'
import { AsyncQueue } from '@hermod/kernel'
import { contentBytes, methodBytes } from '@hermod/testkit'

/** A method that came, with its content where it has one. */
export interface Frame {
  readonly channel: number
  readonly name: MethodName
  readonly args: Readonly<Record<string, unknown>>
  readonly properties?: BasicProperties
  readonly body?: string
}

const CONTENT = new Set<MethodName>(['basic.deliver', 'basic.get-ok', 'basic.return'])

/** Everything that a client can do wrong or announce. */
export interface LoginOptions {
  readonly mechanism?: string
  readonly response?: string
  readonly capabilities?: FieldTable
  readonly virtualHost?: string
  readonly frameMax?: number
  readonly channelMax?: number
  readonly heartbeat?: number
}

/** A client that has no opinion: it sends what it is told and shows what comes, one method after the other. */
export class FrameClient implements FrameSink {
  readonly stream: Duplex
  readonly #frames = new AsyncQueue<Frame | 'end'>()
  readonly #decoder = new FrameDecoder(this, 0)
  #content: { frame: Frame; size: number; properties: BasicProperties; parts: Buffer[] } | undefined
  #batch: Uint8Array[] | undefined
  heartbeats = 0

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on('data', (bytes: Buffer) => this.#decoder.push(bytes))
    stream.on('error', () => {})
    for (const event of ['end', 'close']) stream.on(event, () => this.#frames.put('end'))
  }

  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (this.#batch === undefined) this.stream.write(bytes)
    else this.#batch.push(bytes)
  }

  /** Sends in one write what `act` sends. */
  batch(act: () => void): void {
    this.#batch = []
    act()
    const bytes = Buffer.concat(this.#batch)
    this.#batch = undefined
    this.raw(bytes)
  }

  send<Name extends MethodName>(channel: number, name: Name, args: MethodArguments[Name]): void {
    this.raw(methodBytes(channel, name, args))
  }

  publish(
    channel: number,
    exchange: string,
    routingKey: string,
    body = '',
    { mandatory = false, ...properties }: BasicProperties & { mandatory?: boolean } = {},
  ): void {
    this.raw(
      contentBytes(
        channel,
        'basic.publish',
        { exchange, routingKey, mandatory, immediate: false },
        properties,
        body,
      ),
    )
  }

  /** The next method that comes, or `end` for a stream that ends. */
  async next(): Promise<Frame | 'end'> {
    const { value } = await this.#frames.next()
    return value ?? 'end'
  }

  /** The next method, which must be this one. */
  async expect(name: MethodName): Promise<Frame> {
    const frame = await this.next()
    if (frame === 'end' || frame.name !== name)
      throw new Error(
        `awaited ${name}, got ${frame === 'end' ? 'the end' : `${frame.name} ${JSON.stringify(frame.args)}`}`,
      )
    return frame
  }

  /** Sends a method and awaits its answer. */
  async call<Name extends MethodName>(
    channel: number,
    name: Name,
    args: MethodArguments[Name],
    answer: MethodName = `${name}-ok` as MethodName,
  ): Promise<Frame> {
    this.send(channel, name, args)
    return await this.expect(answer)
  }

  /** The whole handshake. */
  async open(options: LoginOptions = {}): Promise<this> {
    await this.login(options)
    await this.tune(options)
    await this.call(0, 'connection.open', { virtualHost: options.virtualHost ?? '/' })
    return this
  }

  /** Up to start-ok. */
  async login({
    mechanism = 'PLAIN',
    response = '\0guest\0guest',
    capabilities = {},
  }: LoginOptions = {}): Promise<void> {
    this.raw(PROTOCOL_HEADER)
    await this.expect('connection.start')
    const clientProperties = { capabilities: { consumer_cancel_notify: true, ...capabilities } }
    this.send(0, 'connection.start-ok', { clientProperties, mechanism, response, locale: 'en_US' })
  }

  async tune({ frameMax = 131_072, channelMax = 2047, heartbeat = 0 }: LoginOptions = {}): Promise<void> {
    await this.expect('connection.tune')
    this.send(0, 'connection.tune-ok', { frameMax, channelMax, heartbeat })
  }

  method(channel: number, reader: ByteReader): void {
    const { name, args } = decodeMethod(reader)
    const frame = { channel, name, args: args as Readonly<Record<string, unknown>> }
    if (CONTENT.has(name)) this.#content = { frame, size: 0, properties: {}, parts: [] }
    else this.#frames.put(frame)
  }

  header(_channel: number, reader: ByteReader): void {
    reader.skip(4)
    const content = this.#content
    if (content === undefined) throw new Error('a header without its method')
    content.size = Number(reader.uint64())
    content.properties = readProperties(reader)
    this.#complete()
  }

  body(_channel: number, bytes: Buffer, start: number, end: number): void {
    this.#content?.parts.push(Buffer.from(bytes.subarray(start, end)))
    this.#complete()
  }

  heartbeat(): void {
    this.heartbeats++
  }

  #complete(): void {
    const content = this.#content
    if (content === undefined) return
    const body = Buffer.concat(content.parts)
    if (body.length < content.size) return
    this.#content = undefined
    this.#frames.put({ ...content.frame, properties: content.properties, body: body.toString('latin1') })
  }
}

import { connect, type Socket } from 'node:net'
import { createDeferred, withDeadline, type Deferred } from '@hermod/kernel'
import type { BasicProperties } from '@hermod/amqp'
import {
  ByteWriter,
  decodeMethod,
  FrameDecoder,
  PROTOCOL_HEADER,
  readProperties,
  writeBody,
  writeContentHeader,
  writeMethod,
  type ByteReader,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'
import { completeArguments } from './default-arguments.ts'
import type { Transcript } from './transcript.ts'
import { argumentsText, bodyText, propertiesText } from './wire-text.ts'

/** What a script publishes. */
export interface Publish extends Partial<MethodArguments['basic.publish']> {
  readonly properties?: BasicProperties | undefined
  readonly body?: string | Uint8Array | undefined
}

/** What scripts declare by name. */
export interface Declared {
  readonly queues: Set<string>
  readonly exchanges: Set<string>
}

interface Content {
  readonly text: string
  readonly name: MethodName
  readonly frames: Buffer[]
  properties: string
  left: number
}

/** Whether a channel is there, and what of its traffic is the harness's own. */
interface ChannelState {
  live: boolean
  /** The script has closed it. */
  leaving: boolean
  /** It is closed, whoever did it. */
  gone: boolean
  /** For each `channel.flow` under way who waits for its answer; `undefined`: the script. */
  readonly flows: (Deferred<void> | undefined)[]
  /** The tags of its unconfirmed publishes; absent without confirms. */
  unconfirmed?: Set<number>
  published: number
  lastDelivery: number
}

/** A channel of the harness's own, so that every open connection has one that can be asked. */
export const FENCE_CHANNEL = 2000

/** A broker that does not answer for this long has hung. */
const PATIENCE_MS = 5_000

/** A client that says exactly what it is told to, and writes down everything that it hears. */
export class FramePeer {
  readonly name: string
  /** The reply-to of the latest message that came with one. */
  replyTo = ''
  /** The size of the frames that bodies are cut into. */
  frameMax = 131_072
  /** Whether `channel.close` and `connection.close` are answered as they come. */
  answersClose = true
  /** The queues and exchanges that were declared here by name, for whoever clears up. */
  readonly declared: Declared
  readonly #socket: Socket
  readonly #transcript: Transcript
  readonly #decoder: FrameDecoder
  readonly #channels = new Map<number, ChannelState>()
  readonly #contents = new Map<number, Content>()
  readonly #latest = new Map<MethodName, object>()
  /** How often each method came on each channel since the step began. */
  #counts = new Map<string, number>()
  #change: Deferred<void> = createDeferred()
  #farewell = false
  #ended = false
  /** Nothing has come yet. */
  #mute = true
  /** While on, nothing is written down: what every script begins with. */
  quiet = false

  constructor(name: string, port: number, transcript: Transcript, declared: Declared) {
    this.name = name
    this.#transcript = transcript
    this.declared = declared
    this.#decoder = new FrameDecoder(
      {
        method: (channel, reader) => this.#onMethod(channel, decodeMethod(reader)),
        header: (channel, reader) => this.#onHeader(channel, reader),
        body: (channel, bytes, start, end) => this.#onBody(channel, Buffer.from(bytes.subarray(start, end))),
        heartbeat: () => {},
      },
      0,
    )
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#socket.on('error', () => this.#onEnd())
    this.#socket.on('end', () => this.#onEnd())
    this.#socket.on('close', () => this.#onEnd())
  }

  /** Whether the broker has hung up. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether somebody has begun to close the connection. */
  get closing(): boolean {
    return this.#farewell
  }

  /** The protocol header, a first word. */
  greet(header: Uint8Array = PROTOCOL_HEADER): void {
    this.bytes(header, 'protocol header')
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array, what: string): void {
    this.#note(0, what)
    this.#write(bytes)
  }

  /** A method, with the usual arguments where none are given. */
  say<Name extends MethodName>(
    channel: number,
    name: Name,
    given: Partial<MethodArguments[Name]> = {},
  ): void {
    this.#note(channel, `${name} ${argumentsText(given)}`.trimEnd())
    this.#beforeMethod(channel, name)
    const writer = new ByteWriter()
    const args = completeArguments(name, given)
    if (name === 'queue.declare') this.declared.queues.add((args as MethodArguments['queue.declare']).queue)
    if (name === 'exchange.declare')
      this.declared.exchanges.add((args as MethodArguments['exchange.declare']).exchange)
    writeMethod(writer, channel, name, args)
    this.#write(writer.written())
  }

  /** A whole message. */
  publish(channel: number, { properties = {}, body = '', ...given }: Publish): void {
    const shown = { ...given, ...properties, body: typeof body === 'string' ? body : `${body.length} bytes` }
    this.#note(channel, `basic.publish ${argumentsText(shown)}`)
    this.#beforeMethod(channel, 'basic.publish')
    const bytes = Buffer.from(body)
    const writer = new ByteWriter()
    writeMethod(writer, channel, 'basic.publish', completeArguments('basic.publish', given))
    writeContentHeader(writer, channel, bytes.length, properties)
    writeBody(writer, channel, bytes, this.frameMax)
    this.#write(writer.written())
  }

  /** Resolves once a method has come `count` times on a channel since the step began, or the channel is gone. */
  async heard(channel: number, name: MethodName, count = 1): Promise<void> {
    await this.#until(
      () => this.count(channel, name) >= count || this.#isGone(channel, name),
      `${count} of ${name} on ${this.name}.${channel}`,
    )
  }

  /** Resolves once `count` publishes of a channel were confirmed or refused since the step began. */
  async confirmed(channel: number, count = 1): Promise<void> {
    await this.#until(
      () => this.#transcript.confirms(this.name, channel) >= count || this.#isGone(channel, 'basic.ack'),
      `${count} confirms on ${this.name}.${channel}`,
    )
  }

  /** Resolves once the broker has hung up. */
  async hungUp(): Promise<void> {
    await this.#until(() => this.#ended, `the end of ${this.name}`)
  }

  /** The arguments of the latest method of a name, for scripts that answer with what the broker named. */
  latest<Name extends MethodName>(name: Name): MethodArguments[Name] {
    const args = this.#latest.get(name)
    if (args === undefined) throw new TypeError(`${this.name} never heard ${name}`)
    return args as MethodArguments[Name]
  }

  /** How often a method came on a channel since the step began. */
  count(channel: number, name: MethodName): number {
    return this.#counts.get(`${channel} ${name}`) ?? 0
  }

  /** Whether a channel is open. */
  isLive(channel: number): boolean {
    return this.#channels.get(channel)?.live === true
  }

  /** The latest delivery tag of a channel; 0 before the first. */
  lastDelivery(channel: number): number {
    return this.#channels.get(channel)?.lastDelivery ?? 0
  }

  /** Asks every channel that is there for an answer, behind which nothing of before can come from the channel. */
  async fence(): Promise<void> {
    if (this.#ended || this.#farewell) return
    const answers: Promise<void>[] = []
    for (const [channel, state] of this.#channels) {
      const leaving = state.leaving && !state.gone
      if (!state.live && !leaving) continue
      const answer = createDeferred<void>()
      state.flows.push(answer)
      answers.push(answer.promise)
      if (leaving) continue
      const writer = new ByteWriter()
      writeMethod(writer, channel, 'channel.flow', { active: true })
      this.#write(writer.written())
    }
    await withDeadline(Promise.all(answers), { timeoutMs: PATIENCE_MS }, `an answer to ${this.name}`).catch(
      () => this.#hear(0, '(no answer)'),
    )
  }

  /** Asks a queue how long it is, and tells nobody: what it was told before, it has done, or does next. */
  async ask(queue: string): Promise<void> {
    if (this.#ended || this.#farewell) return
    const known = this.count(FENCE_CHANNEL, 'queue.declare-ok')
    const writer = new ByteWriter()
    const args = completeArguments('queue.declare', { queue, passive: true })
    writeMethod(writer, FENCE_CHANNEL, 'queue.declare', args)
    this.#write(writer.written())
    await this.heard(FENCE_CHANNEL, 'queue.declare-ok', known + 1)
  }

  /** Begins to count what comes anew. */
  beginStep(): void {
    this.#counts = new Map()
  }

  /** Breaks the connection. */
  drop(): void {
    this.#note(0, '(breaks the connection)')
    this.#ended = true
    this.#socket.resetAndDestroy()
  }

  /** Ends the connection without a word for the transcript. */
  discard(): void {
    this.quiet = true
    this.#ended = true
    this.#socket.destroy()
  }

  #isGone(channel: number, awaited: MethodName): boolean {
    if (this.#ended || (this.#farewell && !awaited.startsWith('connection.'))) return true
    return channel !== 0 && this.#channels.get(channel)?.gone === true
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS
    while (!condition()) {
      const timeoutMs = Math.max(1, endMs - performance.now())
      const changed = await withDeadline(this.#change.promise, { timeoutMs }, what).then(
        () => true,
        () => false,
      )
      if (!changed) return this.#hear(0, `(waited in vain for ${what})`)
    }
  }

  #beforeMethod(channel: number, name: MethodName): void {
    const state = this.#channels.get(channel)
    if (name === 'connection.close') this.#farewell = true
    if (name === 'channel.open')
      this.#channels.set(channel, {
        live: false,
        leaving: false,
        gone: false,
        flows: [],
        published: 0,
        lastDelivery: 0,
      })
    if (state === undefined) return
    if (name === 'channel.close') {
      state.live = false
      state.leaving = true
    }
    if (name === 'channel.flow') state.flows.push(undefined)
    if (name === 'confirm.select') state.unconfirmed ??= new Set()
    if (name === 'basic.publish') state.unconfirmed?.add(++state.published)
  }

  #write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  #note(channel: number, text: string): void {
    if (!this.quiet) this.#transcript.sent(this.name, channel, text)
  }

  #hear(channel: number, text: string): void {
    if (!this.quiet && channel !== FENCE_CHANNEL) this.#transcript.received(this.name, channel, text)
  }

  #onData(chunk: Buffer): void {
    const first = this.#mute
    this.#mute = false
    if (first && chunk.subarray(0, 4).equals(Buffer.from('AMQP')))
      this.#hear(0, `protocol header ${chunk.subarray(4).toString('hex')}`)
    else this.#decoder.push(chunk)
    this.#changed()
  }

  #onEnd(): void {
    if (!this.#ended) {
      this.#ended = true
      this.#hear(0, '(hung up)')
      this.#socket.end()
    }
    for (const state of this.#channels.values()) this.#bury(state)
    this.#changed()
  }

  #onMethod(channel: number, { name, args }: DecodedMethod): void {
    this.#latest.set(name, args)
    const state = this.#channels.get(channel)
    if (name === 'channel.flow-ok' && state !== undefined && state.flows.length > 0) {
      const waiting = state.flows.shift()
      if (waiting !== undefined) return waiting.resolve()
    }
    if (name === 'basic.deliver' || name === 'basic.get-ok' || name === 'basic.return') {
      if (state !== undefined && 'deliveryTag' in args) state.lastDelivery = args.deliveryTag
      const late = this.#transcript.confirms(this.name, channel)
      const order = name === 'basic.return' && late > 0 ? ` (after ${late} confirms)` : ''
      const text = `${name} ${argumentsText(args)}${order}`
      this.#contents.set(channel, { text, name, frames: [], properties: '', left: 0 })
      return
    }
    if ((name === 'basic.ack' || name === 'basic.nack') && state?.unconfirmed !== undefined)
      this.#onConfirm(channel, state.unconfirmed, args, name === 'basic.ack')
    else if (name === 'connection.start') this.#hear(0, `${name} ${startText(args)}`)
    else this.#hear(channel, `${name} ${argumentsText(args)}`.trimEnd())
    this.#count(channel, name)
    if (name === 'channel.open-ok' && state !== undefined) state.live = true
    if (name === 'channel.close-ok' && state !== undefined) this.#bury(state)
    if (name === 'channel.close') {
      if (state !== undefined) this.#bury(state)
      if (this.answersClose) this.#answer(channel, 'channel.close-ok')
    }
    // It is the client that hangs up behind its own farewell.
    if (name === 'connection.close-ok' && this.answersClose) this.#socket.end()
    if (name === 'connection.close') {
      this.#farewell = true
      for (const each of this.#channels.values()) this.#bury(each)
      if (this.answersClose) this.#answer(0, 'connection.close-ok')
    }
  }

  #answer(channel: number, name: 'channel.close-ok' | 'connection.close-ok'): void {
    const writer = new ByteWriter()
    writeMethod(writer, channel, name, {})
    this.#write(writer.written())
  }

  #onConfirm(
    channel: number,
    unconfirmed: Set<number>,
    { deliveryTag, multiple }: { readonly deliveryTag: number; readonly multiple: boolean },
    accepted: boolean,
  ): void {
    const tags = multiple
      ? [...unconfirmed].filter((tag) => deliveryTag === 0 || tag <= deliveryTag)
      : [deliveryTag]
    if (!unconfirmed.has(deliveryTag) && deliveryTag !== 0)
      this.#hear(channel, `(a confirm of ${deliveryTag}, which waits for none)`)
    for (const tag of tags)
      if (unconfirmed.delete(tag)) this.#transcript.confirmed(this.name, channel, tag, accepted)
  }

  #onHeader(channel: number, reader: ByteReader): void {
    const content = this.#contents.get(channel)
    if (content === undefined) return this.#hear(channel, '(a content header of nothing)')
    reader.skip(4)
    content.left = Number(reader.uint64())
    const { offset } = reader
    content.properties = propertiesText(reader)
    reader.offset = offset
    this.replyTo = readProperties(reader).replyTo ?? this.replyTo
    if (content.left === 0) this.#complete(channel, content)
  }

  #onBody(channel: number, bytes: Buffer): void {
    const content = this.#contents.get(channel)
    if (content === undefined) return this.#hear(channel, '(a body of nothing)')
    content.frames.push(bytes)
    content.left -= bytes.length
    if (content.left <= 0) this.#complete(channel, content)
  }

  #complete(channel: number, { text, name, properties, frames }: Content): void {
    this.#contents.delete(channel)
    this.#hear(channel, `${text} {${properties}} ${bodyText(frames)}`)
    this.#count(channel, name)
  }

  #count(channel: number, name: MethodName): void {
    const key = `${channel} ${name}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  #bury(state: ChannelState): void {
    state.live = false
    state.gone = true
    for (const waiting of state.flows.splice(0)) waiting?.resolve()
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = createDeferred()
  }
}

/** What of a start clients go by; the broker's names for itself are its own. */
function startText(args: MethodArguments['connection.start']): string {
  const { capabilities } = args.serverProperties
  const mechanisms = Buffer.from(args.mechanisms).toString().split(' ').toSorted().join(' ')
  return argumentsText({
    version: `${args.versionMajor}.${args.versionMinor}`,
    mechanisms,
    locales: Buffer.from(args.locales).toString(),
    capabilities: Object.entries(capabilities ?? {})
      .map(([name, value]) => `${name}=${String(value)}`)
      .toSorted(),
  })
}

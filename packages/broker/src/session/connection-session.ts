import type { FieldTable } from '@hermod/amqp'
import {
  FrameDecoder,
  PROTOCOL_HEADER,
  writeHeartbeat,
  writeMethod,
  type ByteReader,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'
import type { Timer } from '@hermod/kernel'
import { AmqpError } from '../amqp-error.ts'
import { toByteString } from '../byte-string.ts'
import { ByteStringReader } from './byte-string-codec.ts'
import type { ChannelHost } from './channel-host.ts'
import type { ChannelSession } from './channel-session.ts'
import { FrameGate, type GatedSink } from './frame-gate.ts'
import { Handshake, type Opened } from './handshake.ts'
import { Heartbeats } from './heartbeats.ts'
import type { Link, LinkEvents, Peer } from './link.ts'
import { CONNECTION_CLOSE, CONNECTION_CLOSE_OK, decodeArguments } from './method-codes.ts'
import { OpenChannels } from './open-channels.ts'
import { Output } from './output.ts'
import { readGreeting } from './protocol-header.ts'
import { ReadingPauses } from './reading-pauses.ts'
import { framingError, unknownFrame, untimelyFrame } from './refusals.ts'
import { Refusing, type Refusable } from './refusing.ts'
import type { SessionHost } from './session-host.ts'
import type { SessionState } from './session-state.ts'

/** How long a client may take to agree that its connection is closed. @source rabbit_reader:close_connection */
const CLOSING_MS = 30_000
/** The same for one whose bytes can no longer be read as frames. @source rabbit_reader:fatal_frame_error */
const UNREADABLE_MS = 3_000

/** One client connection, from its first byte to its last. */
export class ConnectionSession implements LinkEvents, GatedSink, Refusable {
  readonly link: Link
  readonly #host: SessionHost
  readonly #output: Output
  readonly #decoder: FrameDecoder
  readonly #reader = new ByteStringReader()
  readonly #handshake: Handshake
  #state: SessionState = 'greeting'
  #greeting: Buffer = Buffer.alloc(0)
  /** From connection.open-ok on. */
  #channels: OpenChannels | undefined
  #heartbeats: Heartbeats | undefined
  /** Of the phase that the session is in. */
  #timer: Timer | undefined
  readonly #sinceMs: number
  #bytesRead = 0
  /** The bytes that come are no frames any more. */
  #unreadable = false
  readonly #gate: FrameGate
  readonly #pauses: ReadingPauses
  readonly #refusing: Refusing

  constructor(host: SessionHost, link: Link) {
    this.#host = host
    this.link = link
    const { limits, turn, clock } = host
    this.#sinceMs = clock.monotonicMs()
    const output = new Output(
      link,
      turn,
      limits.maxOutputBytes,
      () => this.#channels?.flush(),
      () => {
        this.#pauses.roomAgain()
        this.#channels?.wake()
      },
      (bytes) => host.hold(bytes),
    )
    this.#output = output
    const gate = new FrameGate(this, clock, turn)
    this.#gate = gate
    this.#pauses = new ReadingPauses(
      this,
      { alarms: host.alarms, output, gate, link, turn },
      limits.maxOutputBytes,
    )
    this.#decoder = new FrameDecoder(this.#gate, limits.initialFrameMax)
    this.#handshake = new Handshake(host, link.peer, this)
    this.#refusing = new Refusing(this, host, this.#handshake, output)
    this.#arm(limits.protocolHeaderTimeoutMs, () => this.#hangUp('no protocol header in time'))
  }

  get state(): SessionState {
    return this.#state
  }

  get peer(): Peer {
    return this.link.peer
  }

  /** Byte string; empty until it is known. */
  get user(): string {
    return this.#handshake.user
  }

  /** Byte string; empty until it is open. */
  get virtualHost(): string {
    return this.#channels?.host.virtualHost.name ?? ''
  }

  get clientProperties(): FieldTable {
    return this.#handshake.clientProperties
  }

  /** Whether an alarm keeps it from being read. */
  get blocked(): boolean {
    return this.#pauses.blocked
  }

  get open(): OpenChannels | undefined {
    return this.#channels
  }

  get channels(): readonly ChannelSession[] {
    return this.#channels?.all ?? []
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#output.bytesWritten
  }

  get outputBytes(): number {
    return this.#output.waitingBytes
  }

  /** Writes a method on channel 0. */
  send<Name extends MethodName>(name: Name, args: MethodArguments[Name]): void {
    if (this.#state === 'gone') return
    writeMethod(this.#output.writer, 0, name, args)
    this.#output.written()
  }

  /** Whether the client may be told that it is blocked, and wants to be. */
  get tellsOfBlocks(): boolean {
    return this.#state === 'running' && this.#handshake.can('connection.blocked')
  }

  /** Whether it is heard: while it is not, its silence means nothing. */
  listening(listening: boolean): void {
    if (this.#heartbeats !== undefined) this.#heartbeats.watching = listening
  }

  /**
   * The broker closes it. `text` is what the client is told behind the name of the code.
   * @source rabbit_reader:terminate
   */
  close(replyCode: number, text: string): void {
    if (this.#state === 'running')
      this.#refusing.refuseConnection(new AmqpError(replyCode, toByteString(text)), 0)
    else this.#hangUp('the broker closes')
  }

  // ---------------------------------------------------------------- what the link says

  received(bytes: Buffer): void {
    if (this.#state === 'gone' || this.#unreadable) return
    this.#bytesRead += bytes.length
    if (this.#state === 'greeting') this.#greet(bytes)
    else this.#push(bytes)
  }

  ended(): void {
    if (this.#state === 'gone') return
    // What was written for this turn still leaves: it may be the close that explains the end.
    this.#output.flush()
    this.#finish()
    this.link.end()
    // Who reads no more would keep for ever what is on its way.
    this.#arm(UNREADABLE_MS, () => this.link.destroy())
  }

  lost(): void {
    this.#finish()
    this.#timer?.cancel()
  }

  // ---------------------------------------------------------------- frames

  method(channel: number, reader: ByteReader): void {
    const names = this.#reader.reset(reader.buffer, reader.offset, reader.end)
    try {
      if (names.left < 4) throw unknownFrame(1, names)
      if (channel === 0) this.#receive(names)
      else if (this.#state === 'running') {
        const session = this.#channel(channel)
        if (session.receiveMethod(names)) this.#channels?.free(session)
      } else if (this.#state !== 'closed') throw untimelyFrame(1, names)
    } catch (error) {
      this.#refusing.failed(channel, error, reader)
    }
  }

  header(channel: number, reader: ByteReader): void {
    const names = this.#reader.reset(reader.buffer, reader.offset, reader.end)
    try {
      if (this.#state === 'closed') return
      if (names.left < 14) throw unknownFrame(2, names)
      if (channel === 0 || this.#state !== 'running') throw untimelyFrame(2, names)
      this.#channel(channel).receiveHeader(names)
      this.#pauses.published()
    } catch (error) {
      this.#refusing.failed(channel, error, undefined)
    }
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    try {
      if (this.#state === 'closed') return
      if (channel === 0 || this.#state !== 'running') {
        throw untimelyFrame(3, this.#reader.reset(bytes, start, end))
      }
      this.#channel(channel).receiveBody(bytes, start, end)
      this.#pauses.published()
    } catch (error) {
      this.#refusing.failed(channel, error, undefined)
    }
  }

  // ---------------------------------------------------------------- greeting and handshake

  #greet(bytes: Buffer): void {
    this.#greeting = this.#greeting.length === 0 ? bytes : Buffer.concat([this.#greeting, bytes])
    const greeting = readGreeting(this.#greeting)
    if (greeting === 'incomplete') return
    if (greeting === 'amqp') {
      const rest = this.#greeting.subarray(PROTOCOL_HEADER.length)
      this.#greeting = rest.subarray(0, 0)
      this.#state = 'handshake'
      const { limits, clock } = this.#host
      const leftMs = limits.handshakeTimeoutMs - (clock.monotonicMs() - this.#sinceMs)
      this.#arm(Math.max(0, leftMs), () => this.#hangUp('no handshake in time'))
      this.#handshake.begin()
      if (rest.length > 0) this.#push(rest)
      return
    }
    this.#host.logger.warn({ peer: this.peer.name, greeting }, 'a client that does not speak AMQP 0-9-1')
    // The version that this broker speaks, as AMQP wants it.
    this.#output.writer.bytes(PROTOCOL_HEADER)
    this.#output.flush()
    this.#unreadable = true
    this.#state = 'closed'
    this.link.end()
    this.#arm(UNREADABLE_MS, () => this.link.destroy())
  }

  /** A method on channel 0. */
  #receive(reader: ByteStringReader): void {
    const code = reader.uint32()
    if (this.#state === 'handshake') {
      const opened = this.#handshake.receive(reader, code)
      const { tuning } = this.#handshake
      if (tuning !== undefined && this.#heartbeats === undefined)
        this.#tuned(tuning.frameMax, tuning.heartbeat)
      if (opened !== undefined) this.#open(opened)
    } else if (code === CONNECTION_CLOSE) {
      if (this.#state === 'running') this.#closeForClient(reader, code)
      else this.send('connection.close-ok', {})
    } else if (code === CONNECTION_CLOSE_OK && this.#state === 'closed') {
      this.#output.flush()
      this.link.end()
    } else if (this.#state === 'running') {
      this.#receiveRunning(reader, code)
    }
  }

  #receiveRunning(reader: ByteStringReader, code: number): void {
    const { name } = decodeArguments(reader, code)
    if (name !== 'connection.update-secret')
      throw new AmqpError(504, 'unexpected method in connection state running')
    // A password is asked for once; a new one changes nothing for a connection that is open.
    this.send('connection.update-secret-ok', {})
  }

  #tuned(frameMax: number, heartbeatSeconds: number): void {
    // RabbitMQ takes eight bytes more than it says, and so clients that count wrongly get along with it.
    this.#decoder.maxFrameBytes = frameMax === 0 ? 0 : frameMax + 8
    this.#heartbeats = new Heartbeats(
      {
        bytesRead: () => this.#bytesRead,
        bytesWritten: () => this.#output.bytesWritten,
        beat: () => {
          writeHeartbeat(this.#output.writer)
          this.#output.flush()
        },
        silent: () => this.#hangUp('no heartbeat in time'),
      },
      this.#host.clock,
      heartbeatSeconds,
    )
  }

  #open({ user, virtualHost }: Opened): void {
    this.#timer?.cancel()
    this.#state = 'running'
    const { limits, profile } = this.#host
    const channelHost: ChannelHost = {
      output: this.#output,
      virtualHost,
      owner: this,
      user,
      limits,
      tableLimits: { maxDepth: limits.maxTableDepth, maxFields: limits.maxTableFields },
      profile,
      frameMax: this.#handshake.tuning?.frameMax ?? 0,
      cancelNotify: this.#handshake.can('consumer_cancel_notify'),
      holdUnderWay: (bytes) => this.#host.holdUnderWay(bytes),
      taps: this.#host.taps,
      name: this.peer.name,
    }
    this.#channels = new OpenChannels(channelHost, this.#handshake.tuning?.channelMax ?? 0)
    this.#pauses.begin()
    this.#host.opened(this)
  }

  // ---------------------------------------------------------------- running

  #push(bytes: Buffer): void {
    if (this.#state === 'handshake' && this.#bytesRead > this.#host.limits.maxHandshakeBytes)
      return this.#hangUp('too many bytes before the connection is open')
    this.#gate.begin()
    try {
      this.#decoder.push(bytes)
    } catch (error) {
      this.#unreadable = true
      this.#refusing.failed(0, framingError(error), undefined)
    }
  }

  handled(): void {
    this.#pauses.answered()
  }

  readOrPause(): void {
    this.#pauses.apply()
  }

  #channel(number: number): ChannelSession {
    return (this.#channels as OpenChannels).channel(number)
  }

  /** @source AMQP 0-9-1 §2.2.4: exclusive queues are gone when the client reads close-ok */
  #closeForClient(reader: ByteStringReader, code: number): void {
    decodeArguments(reader, code)
    this.#channels?.end()
    this.send('connection.close-ok', {})
    this.awaitEnd()
  }

  /** A close was written: reads on until the client agrees or hangs up, for as long as RabbitMQ does. */
  awaitEnd(): void {
    const mostMs = this.#state === 'running' && this.#unreadable ? UNREADABLE_MS : CLOSING_MS
    this.#state = 'closed'
    const heartbeatMs = (this.#handshake.tuning?.heartbeat ?? 0) * 1000
    this.#pauses.unblock()
    this.#arm(heartbeatMs > 0 ? Math.min(heartbeatMs, mostMs) : mostMs, () =>
      this.#hangUp('no close-ok in time'),
    )
  }

  hangUpIn(delayMs: number, told: boolean): void {
    this.#state = 'closed'
    this.#unreadable = !told
    this.#arm(delayMs, () => this.#hangUp('refused'))
  }

  /** Ends it without a word. */
  #hangUp(reason: string): void {
    if (this.#state === 'gone') return
    this.#host.logger.debug({ peer: this.peer.name, state: this.#state, reason }, 'a connection is hung up')
    this.#output.flush()
    this.#finish()
    this.link.destroy()
  }

  #finish(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#gate.clear()
    this.#timer?.cancel()
    this.#heartbeats?.stop()
    this.#pauses.end()
    this.#output.close()
    this.#channels?.end()
    this.#host.ended(this)
  }

  #arm(delayMs: number, callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#host.clock.after(delayMs, callback, { background: true })
  }
}

import type { Duplex } from 'node:stream'
import {
  ConnectionClosedError,
  ConnectionLostError,
  createDeferred,
  HeartbeatTimeoutError,
  LimitError,
  ProtocolError,
  withDeadline,
  type Clock,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import type { ByteReader } from '../wire/byte-reader.ts'
import { REPLY_CODES } from '../wire/constants.ts'
import { FrameDecoder, type FrameSink } from '../wire/frame-decoder.ts'
import { writeHeartbeat, writeMethod } from '../wire/frame-encoder.ts'
import {
  decodeMethod,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
} from '../wire/generated/methods.ts'
import { blamedMethod } from './calls.ts'
import { READ_BYTES } from './dial.ts'
import { Heartbeat } from './heartbeat.ts'
import { OutputBuffer } from './output-buffer.ts'
import { withoutSecret } from './without-secret.ts'

/** What a session hands to the channel that a frame belongs to. */
export interface ChannelSink {
  /** The reader stands at the class id. */
  onMethod(reader: ByteReader): void
  onHeader(reader: ByteReader): void
  onBody(bytes: Buffer, start: number, end: number): void
  /** Adds coalesced acks to the output buffer. */
  onFlush(): void
  /** When the acks that wait should leave. */
  nextFlush(): 'now' | 'next turn' | 'never'
}

/** What a session reports to its connection. */
export interface SessionListener {
  /** A method on channel 0 during the handshake. */
  onHandshake(method: DecodedMethod): void
  /** The broker refuses publishes for now (`reason`), or takes them again (undefined). */
  onBlocked(reason: string | undefined): void
  /** There is room in the output again. */
  onDrain(): void
  /** The session is over; nothing will come any more. Called once. */
  onEnd(
    error: HermodError,
    closedByBroker: { readonly replyCode: number; readonly replyText: string } | undefined,
  ): void
}

/** What was agreed on in the handshake. */
export interface Tuning {
  readonly channelMax: number
  /** The largest frame either side sends, overhead included; 0: no limit. */
  readonly frameMax: number
  /** 0: no heartbeats. */
  readonly heartbeatMs: number
}

/** Before tune, a frame may be as large as what we would propose: RabbitMQ's start frame passes 4096 with many plug-ins. */
const FRAME_MAX_BEFORE_TUNE = 131_072

/** An orderly close waits this long for the broker's answer before the socket is simply closed. */
const CLOSE_TIMEOUT_MS = 5_000

const ANSWER_TIMEOUT_MS = 30_000

/**
 * One AMQP connection over one byte stream, from its first byte to its last: frames out and in, heartbeats, the
 * closing handshake. It never comes back; the Connection makes a new one.
 */
export class Session implements FrameSink {
  readonly output: OutputBuffer
  readonly #stream: Duplex
  readonly #listener: SessionListener
  readonly #clock: Clock
  readonly #decoder: FrameDecoder
  readonly #channels = new Map<number, ChannelSink>()
  /** The sink of the last frame: most frames come for the same channel as the one before. */
  #lastChannel = 0
  #lastNumber = 0
  #lastSink: ChannelSink | undefined
  /** Answers to connection.update-secret that are to come. */
  readonly #secretsSent: { readonly secret: string; readonly answered: Deferred<void> }[] = []
  #bytesRead = 0
  /** Whether nothing is read because too much waits to be written. */
  #pausedReading = false
  #tuning: Tuning = { channelMax: 0, frameMax: FRAME_MAX_BEFORE_TUNE, heartbeatMs: 0 }
  #heartbeat: Heartbeat | undefined
  #handshaking = true
  #closing = false
  #ended = false
  #endedWith: HermodError | undefined
  readonly #over = createDeferred<void>()

  constructor(stream: Duplex, listener: SessionListener, clock: Clock) {
    this.#stream = stream
    this.#listener = listener
    this.#clock = clock
    this.#decoder = new FrameDecoder(this, FRAME_MAX_BEFORE_TUNE)
    this.output = new OutputBuffer(stream, {
      onFlush: () => {
        for (const channel of this.#channels.values()) channel.onFlush()
        this.#heartbeat?.sent()
      },
      mayWait: () => {
        let anyWaits = false
        for (const channel of this.#channels.values()) {
          const flush = channel.nextFlush()
          if (flush === 'now') return false
          anyWaits ||= flush === 'next turn'
        }
        return anyWaits
      },
    })
    this.output.onDrain = () => {
      this.#readOn()
      this.#listener.onDrain()
    }
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    stream.once('error', (error) =>
      this.abort(new ConnectionLostError(`the connection broke: ${error.message}`, { cause: error })),
    )
    stream.once('close', () =>
      this.abort(new ConnectionLostError('the broker closed the connection without a word')),
    )
    stream.once('end', () =>
      this.abort(new ConnectionLostError('the broker closed the connection without a word')),
    )
  }

  /** Why the session is over. */
  get endedWith(): HermodError | undefined {
    return this.#endedWith
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Resolves when the session is over. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** The largest frame that may be sent; `Infinity` where there is no limit. */
  get frameMax(): number {
    return this.#tuning.frameMax || Infinity
  }

  /** Sends the protocol header or a raw prefix. */
  sendRaw(bytes: Uint8Array): void {
    this.output.writer.bytes(bytes)
    this.output.flush()
  }

  /** Appends a method; it leaves with the buffer, see {@link OutputBuffer}. */
  send<Name extends MethodName>(channel: number, name: Name, args: MethodArguments[Name]): void {
    const { writer } = this.output
    const start = writer.offset
    try {
      writeMethod(writer, channel, name, args)
      const { frameMax } = this
      if (writer.offset - start > frameMax) {
        throw new LimitError(
          `${name} needs a frame of ${writer.offset - start} bytes; the broker takes ${frameMax}`,
          { frameMax },
        )
      }
    } catch (error) {
      writer.offset = start
      throw error
    }
    this.output.written()
  }

  /** The handshake is over: limits and heartbeats take effect. */
  tuned(tuning: Tuning): void {
    this.#tuning = tuning
    this.#decoder.maxFrameBytes = tuning.frameMax
    if (tuning.heartbeatMs === 0) return
    const actions = {
      send: (): void => {
        writeHeartbeat(this.output.writer)
        this.output.flush()
      },
      // One read is enough to hear the peer; the next one stops again while too much waits to be written.
      listen: (): void => this.#readOn(),
      dead: (silentMs: number): void => this.abort(new HeartbeatTimeoutError(silentMs)),
    }
    this.#heartbeat = new Heartbeat(tuning.heartbeatMs, actions, this.#clock)
  }

  /** `connection.open-ok` has come. */
  opened(): void {
    this.#handshaking = false
  }

  /**
   * Gives a free channel number to `sink`, which gets its frames from now on.
   *
   * Numbers go round instead of being used again at once: RabbitMQ's reader writes channel.close past the channel's
   * own writer, so that deliveries of a channel can still arrive after its end (test/interop/channel-errors.test.ts).
   *
   * @throws {LimitError} E_LIMIT when all numbers are in use.
   */
  attach(sink: ChannelSink): number {
    const { channelMax } = this.#tuning
    if (this.#channels.size >= channelMax) {
      throw new LimitError(`all ${channelMax} channels of the connection are in use`, { channelMax })
    }
    do this.#lastNumber = (this.#lastNumber % channelMax) + 1
    while (this.#channels.has(this.#lastNumber))
    this.#channels.set(this.#lastNumber, sink)
    this.#lastSink = undefined
    return this.#lastNumber
  }

  detach(channel: number): void {
    this.#channels.delete(channel)
    this.#lastSink = undefined
  }

  /**
   * Gives the broker a new password or token for the user of this session.
   * @source RabbitMQ connection.update-secret
   */
  async updateSecret(secret: string, reason: string): Promise<void> {
    if (this.#endedWith !== undefined) throw this.#endedWith
    const answered = createDeferred<void>()
    // Whoever waited may be gone when the session ends.
    answered.promise.catch(() => {})
    this.#secretsSent.push({ secret, answered })
    this.send(0, 'connection.update-secret', { newSecret: Buffer.from(secret), reason })
    await withDeadline(
      answered.promise,
      { timeoutMs: ANSWER_TIMEOUT_MS },
      'connection.update-secret',
      this.#clock,
    )
  }

  /** Closes in order: what was written leaves first. Resolves when the socket is closed, in any case soon. */
  async close(): Promise<void> {
    if (this.#ended) return
    if (!this.#closing) {
      this.#closing = true
      this.output.flush()
      this.send(0, 'connection.close', { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 })
      this.output.flush()
      const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () =>
        this.#end(new ConnectionClosedError('closed without the broker answering'), undefined),
      )
      void this.over.then(() => timer.cancel())
    }
    await this.over
  }

  /** Ends at once. */
  abort(error: HermodError): void {
    this.#end(this.#closing ? new ConnectionClosedError('closed') : error, undefined)
  }

  #end(
    error: HermodError,
    closedByBroker: { readonly replyCode: number; readonly replyText: string } | undefined,
  ): void {
    if (this.#ended) return
    this.#ended = true
    this.#endedWith = error
    this.#heartbeat?.stop()
    this.output.close()
    // What still arrives is read and dropped: closing a socket with unread input would make the kernel send a
    // reset, and the peer could miss our last words.
    this.#stream.removeAllListeners('data')
    this.#stream.on('error', () => {})
    this.#stream.resume()
    if (closedByBroker === undefined) this.#stream.destroy()
    else this.#hangUp()
    this.#channels.clear()
    for (const { answered } of this.#secretsSent) answered.reject(error)
    this.#over.resolve()
    this.#listener.onEnd(error, closedByBroker)
  }

  /** Lets our last words leave. A broker that closes and reads no more must not keep the socket for them. */
  #hangUp(): void {
    const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#stream.destroy())
    this.#stream.once('close', () => timer.cancel())
    this.#stream.end(() => this.#stream.destroy())
  }

  #receive(chunk: Buffer): void {
    // A full read leaves more behind in the socket, and what is written then can wait for it.
    if (chunk.length < READ_BYTES) this.output.turnBegins()
    this.#heartbeat?.received()
    this.#bytesRead += chunk.length
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#protocolFault(error)
    }
    // A broker that floods and never reads must not fill the memory with our acks for it.
    if (this.output.overfull && !this.#ended) {
      this.#pausedReading = true
      this.#stream.pause()
    }
  }

  /** Reads again, if it was us who stopped. */
  #readOn(): void {
    if (!this.#pausedReading) return
    this.#pausedReading = false
    this.#stream.resume()
  }

  #protocolFault(error: ProtocolError): void {
    if (!this.#ended && !this.#handshaking) {
      this.send(0, 'connection.close', {
        replyCode: 501,
        replyText: REPLY_CODES[501] as string,
        classId: 0,
        methodId: 0,
      })
      this.output.flush()
    }
    this.abort(error)
  }

  #sink(channel: number): ChannelSink | undefined {
    if (channel === this.#lastChannel && this.#lastSink !== undefined) return this.#lastSink
    const sink = this.#channels.get(channel)
    this.#lastChannel = channel
    this.#lastSink = sink
    return sink
  }

  method(channel: number, reader: ByteReader): void {
    if (this.#ended) return
    if (channel === 0) this.#onConnectionMethod(decodeMethod(reader))
    else this.#sink(channel)?.onMethod(reader)
  }

  header(channel: number, reader: ByteReader): void {
    if (channel === 0) throw new ProtocolError('a content header came on channel 0')
    if (!this.#ended) this.#sink(channel)?.onHeader(reader)
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    if (channel === 0) throw new ProtocolError('a body frame came on channel 0')
    if (!this.#ended) this.#sink(channel)?.onBody(bytes, start, end)
  }

  heartbeat(): void {}

  #onConnectionMethod(method: DecodedMethod): void {
    switch (method.name) {
      case 'connection.close': {
        const { replyCode } = method.args
        const replyText = this.#secretsSent.reduce(
          (text, { secret }) => withoutSecret(text, secret),
          method.args.replyText,
        )
        this.send(0, 'connection.close-ok', {})
        this.output.flush()
        return this.#end(
          new ConnectionLostError(`the broker closed the connection: ${replyText}`, {
            details: { replyCode, replyText, method: blamedMethod(method.args) },
          }),
          {
            replyCode,
            replyText,
          },
        )
      }
      case 'connection.close-ok':
        return this.#end(new ConnectionClosedError('closed'), undefined)
      case 'connection.blocked':
        if (this.#handshaking)
          throw new ProtocolError('connection.blocked came before the connection was open')
        return this.#listener.onBlocked(method.args.reason)
      case 'connection.unblocked':
        return this.#listener.onBlocked(undefined)
      case 'connection.update-secret-ok': {
        const sent = this.#secretsSent.shift()
        if (sent === undefined) throw new ProtocolError('connection.update-secret-ok came unasked')
        return sent.answered.resolve()
      }
      default:
        if (!this.#handshaking) throw new ProtocolError(`${method.name} came on an open connection`)
        return this.#listener.onHandshake(method)
    }
  }
}

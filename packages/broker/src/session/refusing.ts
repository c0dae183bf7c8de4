import { writeMethod, type ByteReader, type MethodArguments } from '@hermod/amqp/wire'
import { AmqpError } from '../amqp-error.ts'
import { fromByteString } from '../byte-string.ts'
import type { ChannelSession } from './channel-session.ts'
import { LoginRefused, type Handshake } from './handshake.ts'
import type { Peer } from './link.ts'
import type { OpenChannels } from './open-channels.ts'
import type { Output } from './output.ts'
import { closeArguments, codeOf, FrameRefusal, INTERNAL_ERROR, refusalOf } from './refusals.ts'
import type { SessionHost } from './session-host.ts'
import type { SessionState } from './session-state.ts'

/** A connection of which something can be refused. */
export interface Refusable {
  readonly peer: Peer
  readonly state: SessionState
  /** From connection.open-ok on. */
  readonly open: OpenChannels | undefined
  send(name: 'connection.close', args: MethodArguments['connection.close']): void
  /** A close was written: waits until the client agrees or hangs up. */
  awaitEnd(): void
  /** Hangs up when so much time has passed; what comes meanwhile is only read where the client was `told`. */
  hangUpIn(delayMs: number, told: boolean): void
}

/** What becomes of a client's faults, and of the broker's own: the end of a channel, of the connection, of the handshake. */
export class Refusing {
  readonly #connection: Refusable
  readonly #host: SessionHost
  readonly #handshake: Handshake
  readonly #output: Output

  constructor(connection: Refusable, host: SessionHost, handshake: Handshake, output: Output) {
    this.#connection = connection
    this.#host = host
    this.#handshake = handshake
    this.#output = output
  }

  /** Something threw while a frame was handled: tells the client, and keeps the harm where it belongs. */
  failed(channel: number, error: unknown, frame: ByteReader | undefined): void {
    const { peer, state, open } = this.#connection
    const session = open?.find(channel)
    const refusal = refusalOf(error, frame)
    if (refusal.replyText === INTERNAL_ERROR && !(error instanceof AmqpError))
      this.#host.logger.error({ peer: peer.name, error }, 'a frame could not be handled')
    // An internal error is nobody's method. @source rabbit_binary_generator:lookup_amqp_exception
    const nobodys = refusal instanceof FrameRefusal || refusal.replyText === INTERNAL_ERROR
    const method = nobodys ? 0 : channel === 0 ? codeOf(frame) : (session?.method ?? 0)
    if (state === 'handshake') this.#refuseHandshake(refusal, method)
    else if (state === 'running') {
      if (session !== undefined && refusal.scope === 'channel') this.#refuseChannel(session, refusal, method)
      else this.refuseConnection(refusal, method)
    }
  }

  #refuseChannel(session: ChannelSession, refusal: AmqpError, method: number): void {
    const { replyCode, replyText } = refusal
    // No warning: to ask for what may not be there is how clients look for it.
    this.#host.logger.info(
      {
        peer: this.#connection.peer.name,
        channel: session.number,
        replyCode,
        replyText: fromByteString(replyText),
      },
      'a channel is closed',
    )
    session.refuse()
    writeMethod(this.#output.writer, session.number, 'channel.close', closeArguments(refusal, method))
    this.#output.written()
  }

  refuseConnection(refusal: AmqpError, method: number): void {
    const { replyCode, replyText } = refusal
    const { peer, open } = this.#connection
    this.#host.logger.warn(
      { peer: peer.name, replyCode, replyText: fromByteString(replyText) },
      'a connection is closed',
    )
    open?.end()
    this.#connection.send('connection.close', closeArguments(refusal, method))
    this.#connection.awaitEnd()
  }

  /**
   * Whoever fails before it is known learns why only where that helps an honest client, and waits for it, so that
   * guessing takes its time.
   * @source rabbit_reader:handle_exception
   */
  #refuseHandshake(refusal: AmqpError, method: number): void {
    const { replyCode, replyText } = refusal
    const { state } = this.#handshake
    const { peer } = this.#connection
    this.#host.logger.warn(
      { peer: peer.name, state, replyCode, replyText: fromByteString(replyText) },
      'a connection is refused',
    )
    const refused = refusal instanceof LoginRefused
    const told = refused
      ? this.#handshake.can('authentication_failure_close')
      : state === 'opening' || (state === 'tuning' && replyCode === 530)
    if (told) this.#connection.send('connection.close', closeArguments(refusal, refused ? 0 : method))
    if (told && !refused) return this.#connection.awaitEnd()
    this.#output.flush()
    const { refusalDelayLoopbackMs, refusalDelayMs } = this.#host.limits
    this.#connection.hangUpIn(peer.loopback ? refusalDelayLoopbackMs : refusalDelayMs, told)
  }
}

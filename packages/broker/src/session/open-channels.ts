import { writeMethod } from '@hermod/amqp/wire'
import { notAllowed } from '../amqp-error.ts'
import type { ChannelHost } from './channel-host.ts'
import { ChannelSession } from './channel-session.ts'

/** The channels of a connection by their numbers. */
export class OpenChannels {
  readonly #host: ChannelHost
  readonly #most: number
  readonly #channels = new Map<number, ChannelSession>()

  /** @param most how many there may be; 0 for any number. */
  constructor(host: ChannelHost, most: number) {
    this.#host = host
    this.#most = most
  }

  get host(): ChannelHost {
    return this.#host
  }

  get all(): readonly ChannelSession[] {
    return [...this.#channels.values()]
  }

  find(number: number): ChannelSession | undefined {
    return this.#channels.get(number)
  }

  /**
   * The channel of this number; one that was not used yet begins now.
   *
   * @throws {AmqpError} 530 for one too many, of this connection or of all.
   */
  channel(number: number): ChannelSession {
    const existing = this.#channels.get(number)
    if (existing !== undefined) return existing
    if (this.#most !== 0 && this.#channels.size >= this.#most) {
      throw notAllowed(
        `number of channels opened (${this.#channels.size}) has reached the negotiated channel_max (${this.#most})`,
      )
    }
    this.#host.virtualHost.channelBegins()
    const session = new ChannelSession(number, this.#host)
    this.#channels.set(number, session)
    return session
  }

  /** A channel is over. Its number may be used again as soon as the client reads this. */
  free(session: ChannelSession): void {
    if (this.#channels.delete(session.number)) this.#host.virtualHost.channelEnds()
    if (!session.closedByClient) return
    const { output } = this.#host
    writeMethod(output.writer, session.number, 'channel.close-ok', {})
    output.written()
  }

  /** The connection ends, and everything that is its own: channels, and exclusive queues. */
  end(): void {
    const sessions = this.all
    this.#channels.clear()
    for (const session of sessions) session.stop()
    for (const session of sessions) session.end()
    for (const _ of sessions) this.#host.virtualHost.channelEnds()
    this.#host.virtualHost.releaseOwner(this.#host.owner)
  }

  /** Writes what waits for the end of the turn. */
  flush(): void {
    for (const session of this.#channels.values()) session.flush()
  }

  /** The client reads again. */
  wake(): void {
    for (const session of this.#channels.values()) session.wake()
  }
}

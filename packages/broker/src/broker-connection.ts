import type { FieldTable } from '@hermod/amqp'
import { fromByteString } from './byte-string.ts'
import type { StreamLink } from './listen/stream-link.ts'
import type { ConnectionSession } from './session/connection-session.ts'

/** One client of a broker: what is known of it, and what a test can do to it. */
export class BrokerConnection {
  /** Its number; no other connection of the broker has or had it. */
  readonly id: number
  readonly #session: ConnectionSession
  readonly #link: StreamLink

  constructor(id: number, session: ConnectionSession, link: StreamLink) {
    this.id = id
    this.#session = session
    this.#link = link
  }

  /** Where it comes from, and whom it called: `127.0.0.1:50532 -> 127.0.0.1:5672`, or `in process 1`. */
  get name(): string {
    return this.#session.peer.name
  }

  get secure(): boolean {
    return this.#session.peer.secure
  }

  get user(): string {
    return fromByteString(this.#session.user)
  }

  get virtualHost(): string {
    return fromByteString(this.#session.virtualHost)
  }

  /** `opening` until connection.open-ok; `blocked` while an alarm keeps it from being read. */
  get state(): 'opening' | 'running' | 'blocked' | 'closing' | 'closed' {
    const { state, blocked } = this.#session
    if (state === 'running') return blocked ? 'blocked' : 'running'
    if (state === 'closed') return 'closing'
    return state === 'gone' ? 'closed' : 'opening'
  }

  /** What the client said about itself. */
  get clientProperties(): FieldTable {
    return this.#session.clientProperties
  }

  get channels(): number {
    return this.#session.channels.length
  }

  /** Deliveries that the client has not settled. */
  get unsettled(): number {
    return this.#session.channels.reduce((sum, channel) => sum + channel.unsettledCount, 0)
  }

  get bytesRead(): number {
    return this.#session.bytesRead
  }

  get bytesWritten(): number {
    return this.#session.bytesWritten
  }

  /** What was written and not taken by the client's machine yet. */
  get outputBytes(): number {
    return this.#session.outputBytes
  }

  /** Closes it as an operator would: 320, with this reason. */
  close(reason: string): void {
    this.#session.close(320, reason)
  }

  /** Breaks it without a word. */
  drop(): void {
    this.#link.drop()
  }

  /** From now on the broker neither reads nor writes, and the connection stays: what a vanished machine looks like. */
  halfOpen(): void {
    this.#link.vanish()
  }

  /** Both directions take this much longer from now on. */
  delay(delayMs: number): void {
    this.#link.delayMs = delayMs
  }

  /** Stops reading from it until {@link resume}. */
  pause(): void {
    this.#link.stalled = true
  }

  resume(): void {
    this.#link.stalled = false
  }
}

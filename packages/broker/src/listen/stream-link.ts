import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Clock } from '@hermod/kernel'
import type { Link, LinkEvents, Peer } from '../session/link.ts'
import type { Turn, TurnTask } from '../session/turn.ts'
import { DelayLine } from './delay-line.ts'

/** What stands between a stream and its being read. */
type PauseReason = 'session' | 'budget' | 'test'

/**
 * A client's stream as a link.
 *
 * No client can hold up the others: what one brings in a turn is bounded, the rest waits for the next. Tests may put
 * faults on it.
 */
export class StreamLink implements Link, TurnTask {
  readonly peer: Peer
  readonly #stream: Duplex
  readonly #turn: Turn
  readonly #readBytesPerTurn: number
  readonly #pauses = new Set<PauseReason>()
  #events: LinkEvents | undefined
  readonly #coming: DelayLine
  readonly #leaving: DelayLine
  #readInTurn = 0
  #delayMs = 0
  #delayedBytes = 0
  #vanished = false

  constructor(stream: Duplex, peer: Peer, turn: Turn, clock: Clock, readBytesPerTurn: number) {
    this.#stream = stream
    this.peer = peer
    this.#turn = turn
    this.#coming = new DelayLine(clock)
    this.#leaving = new DelayLine(clock)
    this.#readBytesPerTurn = readBytesPerTurn
  }

  get unreadBytes(): number {
    return this.#delayedBytes + this.#stream.readableLength
  }

  open(events: LinkEvents): void {
    this.#events = events
    const stream = this.#stream
    stream.on('data', (bytes: Buffer) => this.#received(bytes))
    stream.on('end', () => this.#coming.add(this.#delayMs, () => events.ended()))
    // 'close' follows and says the same.
    stream.on('error', () => {})
    stream.on('close', () => events.lost())
  }

  write(bytes: Buffer, taken: () => void): void {
    if (this.#vanished) return
    this.#leaving.add(this.#delayMs, () => {
      const stream = this.#stream
      if (stream.writable) stream.write(bytes, (error) => (error == null ? taken() : undefined))
    })
  }

  pause(): void {
    this.#stop('session')
  }

  resume(): void {
    this.#go('session')
  }

  end(): void {
    this.#leaving.add(this.#delayMs, () => this.#stream.end())
  }

  /**
   * What a client does not read would keep the end of the connection from it, which stands behind it in the line; a
   * reset does not.
   * @source rabbit's tcp_listen_options: linger 0
   */
  destroy(): void {
    this.#leaving.add(this.#delayMs, () => {
      if (this.#stream.writableLength > 0) this.drop()
      else this.#stream.destroy()
    })
  }

  /** Breaks the connection at once, as a machine that crashes does. */
  drop(): void {
    const stream = this.#stream
    // Node resets no socket under TLS: net.Socket.resetAndDestroy throws for one.
    if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy()
    else stream.destroy()
  }

  /** From now on nothing is read and nothing written, and the connection stays as it is: the other machine is gone. */
  vanish(): void {
    this.#vanished = true
    this.#stop('test')
  }

  /** Both directions take this much longer from now on. What is on its way keeps its order. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Stops reading, or goes on. */
  set stalled(stalled: boolean) {
    if (stalled) this.#stop('test')
    else if (!this.#vanished) this.#go('test')
  }

  endOfTurn(): void {
    this.#readInTurn = 0
    this.#go('budget')
  }

  #received(bytes: Buffer): void {
    if (this.#readInTurn === 0) this.#turn.add(this)
    this.#readInTurn += bytes.length
    if (this.#readInTurn >= this.#readBytesPerTurn) this.#stop('budget')
    this.#delayedBytes += bytes.length
    this.#coming.add(this.#delayMs, () => {
      this.#delayedBytes -= bytes.length
      this.#events?.received(bytes)
      this.#turn.changed()
    })
  }

  #stop(reason: PauseReason): void {
    this.#pauses.add(reason)
    this.#stream.pause()
  }

  #go(reason: PauseReason): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#stream.resume()
  }
}

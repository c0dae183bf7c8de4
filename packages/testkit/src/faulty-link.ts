import type { Socket } from 'node:net'
import { HeldBytes } from './held-bytes.ts'
import type { LinkFaults, StreamMark } from './link-faults.ts'

/** What a link holds before it stops reading: little, so that the writer feels a slow or stopped reader. */
const HELD_BYTES = 65_536
/** A delay holds all that is on its way, which must not make it a throttle. */
const DELAYED_BYTES = 16 * 1024 * 1024
/** How often a throttled link passes bytes, so that they trickle. */
const THROTTLE_TURN_MS = 10

/**
 * One direction of one connection: passes on what `source` says to `sink`, through the faults of its direction.
 *
 * All of it happens in `wake`, which does as much as it may and is called again whenever something has changed.
 */
export class FaultyLink {
  /** How many bytes were passed. */
  passed = 0
  readonly #source: Socket
  readonly #sink: Socket
  readonly #faults: LinkFaults
  readonly #random: () => number
  readonly #cut: () => void
  readonly #held = new HeldBytes()
  /** The size that the next piece is to have, under `rechunk`. */
  #pieceBytes = 0
  /** When a throttled link may go on. */
  #freeMs = 0
  #ended = false
  #broken = false
  #stopped = false
  /** The rest of this turn of the event loop stands between two pieces. */
  #resting = false
  #timer: NodeJS.Timeout | undefined

  /** @param cut ends the whole connection. */
  constructor(source: Socket, sink: Socket, faults: LinkFaults, random: () => number, cut: () => void) {
    this.#source = source
    this.#sink = sink
    this.#faults = faults
    this.#random = random
    this.#cut = cut
    source.on('data', (bytes: Buffer) => this.#receive(bytes))
    source.on('end', () => {
      this.#ended = true
      this.wake()
    })
    source.on('close', (hadError: boolean) => {
      this.#broken = hadError || !this.#ended
      this.wake()
    })
    sink.on('drain', () => this.wake())
    this.wake()
  }

  /** Goes on, for example after a fault came or went. */
  wake(): void {
    clearTimeout(this.#timer)
    if (this.#resting || this.#stopped) return
    while (this.#pass());
    const { delay, pause } = this.#faults
    const room = this.#held.length < (delay === undefined ? HELD_BYTES : DELAYED_BYTES)
    if (room && pause === undefined) this.#source.resume()
    else this.#source.pause()
  }

  /** Passes nothing more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #receive(bytes: Buffer): void {
    const { delay, stats } = this.#faults
    stats.receivedBytes += bytes.length
    let dueMs = performance.now()
    if (delay !== undefined) {
      stats.delayedBytes += bytes.length
      dueMs += delay.delayMs + delay.jitterMs * this.#random()
    }
    this.#held.push(bytes, dueMs)
    this.wake()
  }

  /** One step; whether the next one may follow at once. */
  #pass(): boolean {
    const { pause, vanish, delay, stats } = this.#faults
    const sink = this.#sink
    if (pause !== undefined) return false
    if (vanish !== undefined || sink.destroyed) {
      stats.vanishedBytes += this.#held.discard()
      return false
    }
    if (this.#broken) {
      sink.resetAndDestroy()
      return false
    }
    if (sink.writableNeedDrain) return false
    const nowMs = performance.now()
    const dueMs = this.#held.arrive(nowMs, delay === undefined)
    if (this.#held.readyBytes > 0) {
      const waitMs = Math.max(this.#holdMs(nowMs), this.#throttleMs(nowMs))
      if (waitMs === 0) return this.#forward(nowMs)
      this.#wakeIn(waitMs)
    } else if (dueMs !== undefined) this.#wakeIn(dueMs - nowMs)
    else if (this.#ended && !sink.writableEnded) sink.end()
    return false
  }

  /** For how long a piece still waits for the rest of it. */
  #holdMs(nowMs: number): number {
    const { rechunk } = this.#faults
    if (rechunk === undefined) return 0
    const { minBytes, maxBytes, holdMs } = rechunk
    this.#pieceBytes ||= minBytes + Math.floor(this.#random() * (maxBytes - minBytes + 1))
    if (this.#held.readyBytes >= this.#pieceBytes || this.#ended) return 0
    return Math.max(0, this.#held.readyMs + holdMs - nowMs)
  }

  #throttleMs(nowMs: number): number {
    return this.#faults.throttle === undefined ? 0 : Math.max(0, this.#freeMs - nowMs)
  }

  #forward(nowMs: number): boolean {
    const { cuts, rechunk, throttle, stats } = this.#faults
    let most = Infinity
    let cut: StreamMark | undefined
    for (const mark of cuts) {
      const left = mark.left(this)
      if (left < 1 || left >= most) continue
      most = left
      cut = mark
    }
    if (throttle !== undefined) most = Math.min(most, slice(throttle.bytesPerSecond))
    const bytes = this.#corrupted(
      rechunk === undefined
        ? this.#held.takeChunk(most)
        : this.#held.takePiece(Math.min(most, this.#pieceBytes)),
    )
    this.#pieceBytes = 0
    this.passed += bytes.length
    stats.forwardedBytes += bytes.length
    stats.writes++
    if (throttle !== undefined) {
      const takesMs = (bytes.length / throttle.bytesPerSecond) * 1000
      // A timer that rings late does not slow the link down, and silence saves up nothing beyond one turn.
      this.#freeMs = Math.max(this.#freeMs, nowMs - THROTTLE_TURN_MS) + takesMs
      stats.throttledMs += takesMs
    }
    if (cut !== undefined && cut.left(this) === 0) {
      cuts.delete(cut)
      this.stop()
      // First the system gets the bytes before the cut.
      this.#sink.write(bytes, this.#cut)
      return false
    }
    this.#sink.write(bytes)
    if (rechunk !== undefined) this.#rest()
    return rechunk === undefined
  }

  /** Pieces that are written in one turn would be read as one. */
  #rest(): void {
    this.#resting = true
    setImmediate(() => {
      this.#resting = false
      this.wake()
    })
  }

  #corrupted(bytes: Buffer): Buffer {
    const { corruptions, stats } = this.#faults
    let changed = bytes
    for (const corruption of corruptions) {
      const { mark, length, change } = corruption
      const start = mark.left(this)
      if (start >= bytes.length || start + length <= 0) continue
      if ((corruption.link ??= this) !== this) continue
      if (changed === bytes) changed = Buffer.from(bytes)
      for (let index = Math.max(0, -start); index < length && start + index < bytes.length; index++) {
        changed[start + index] = change(bytes[start + index] as number, index)
        stats.corruptedBytes++
      }
      if (start + length <= bytes.length) corruptions.delete(corruption)
    }
    return changed
  }

  #wakeIn(ms: number): void {
    this.#timer = setTimeout(() => this.wake(), Math.ceil(ms))
  }
}

/** What a throttled link passes at a time. */
const slice = (bytesPerSecond: number): number =>
  Math.max(1, Math.floor((bytesPerSecond * THROTTLE_TURN_MS) / 1000))

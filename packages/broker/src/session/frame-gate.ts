import { ByteReader, type FrameSink } from '@hermod/amqp/wire'
import type { Clock } from '@hermod/kernel'
import type { Turn, TurnTask } from './turn.ts'

/** About as long may the frames of all clients together take in a turn; each may have half of what is left. */
const TOGETHER_MS = 20
/** So much is for each at least. */
const LEAST_MS = 2
/** How often the time is looked at: every so many frames. */
const LOOK_EVERY = 32

/** Who frames are for; a heartbeat says nothing but that bytes came. */
export interface GatedSink extends Omit<FrameSink, 'heartbeat'> {
  /** A frame was handled; now is the time to say that the next one has to wait. */
  handled(): void
  /** The gate has shut itself because the frames took long, or is open again. */
  readOrPause(): void
}

/**
 * Stands between the decoder, which hands over every frame of a chunk at once, and a session that may have to stop in the
 * middle of one: a connection that an alarm blocks, or that does not read its answers, is not heard any more, also in
 * what it has sent already. And frames that are dear leave time to other connections.
 */
export class FrameGate implements FrameSink, TurnTask {
  readonly #sink: GatedSink
  readonly #clock: Clock
  readonly #turn: Turn
  /** Copies, in their order: what has come of a chunk or two, for then the link is paused. */
  #waiting: (() => void)[] = []
  #held = false
  #late = false
  #passing = false
  #frames = 0
  #lookedMs = 0
  /** How long its frames may still take in this turn. */
  #leftMs = 0

  constructor(sink: GatedSink, clock: Clock, turn: Turn) {
    this.#sink = sink
    this.#clock = clock
    this.#turn = turn
  }

  /** Whether frames wait, or would. */
  get shut(): boolean {
    return this.#held || this.#late
  }

  /** While true, frames wait; then those that wait are let through, unless one of them shuts the gate again. */
  set held(held: boolean) {
    // The time in which nothing was let through is nobody's.
    if (this.#held && !held) this.begin()
    this.#held = held
    this.#letThrough()
  }

  /** More frames are about to come. */
  begin(): void {
    this.#lookedMs = this.#clock.monotonicMs()
    this.#leftMs = Math.max(LEAST_MS, (TOGETHER_MS - this.#turn.framesMs) / 2)
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = []
  }

  method(channel: number, reader: ByteReader): void {
    if (this.shut) this.#hold(reader, (copy) => this.#sink.method(channel, new ByteReader().reset(copy)))
    else {
      this.#sink.method(channel, reader)
      this.#handled()
    }
  }

  header(channel: number, reader: ByteReader): void {
    if (this.shut) this.#hold(reader, (copy) => this.#sink.header(channel, new ByteReader().reset(copy)))
    else {
      this.#sink.header(channel, reader)
      this.#handled()
    }
  }

  body(channel: number, bytes: Buffer, start: number, end: number): void {
    if (this.shut) {
      const range = { buffer: bytes, offset: start, end }
      this.#hold(range, (copy) => this.#sink.body(channel, copy, 0, copy.length))
    } else {
      this.#sink.body(channel, bytes, start, end)
      this.#handled()
    }
  }

  heartbeat(): void {}

  endOfTurn(): void {
    this.#late = false
    this.begin()
    this.#letThrough()
    this.#sink.readOrPause()
  }

  #letThrough(): void {
    if (this.#passing || this.#waiting.length === 0) return
    this.#passing = true
    // Those that wait are few, but not so few that each may cost the moving of all others.
    let next = 0
    while (!this.shut && next < this.#waiting.length) {
      this.#waiting[next++]?.()
      this.#handled()
    }
    this.#waiting = this.#waiting.slice(next)
    this.#passing = false
  }

  #handled(): void {
    this.#sink.handled()
    if (++this.#frames % LOOK_EVERY !== 0 || this.#late) return
    const nowMs = this.#clock.monotonicMs()
    const tookMs = nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    this.#turn.spend(tookMs)
    this.#leftMs -= tookMs
    if (this.#leftMs >= 0) return
    this.#late = true
    this.#turn.add(this)
    this.#sink.readOrPause()
  }

  #hold(
    { buffer, offset, end }: Pick<ByteReader, 'buffer' | 'offset' | 'end'>,
    handle: (copy: Buffer) => void,
  ): void {
    const copy = Buffer.from(buffer.subarray(offset, end))
    this.#waiting.push(() => handle(copy))
  }
}

import type { Link } from './link.ts'
import type { Turn, TurnTask } from './turn.ts'
import { ByteStringWriter } from './byte-string-codec.ts'

/** A write of this size is large enough to leave before the turn ends. */
const FLUSH_BYTES = 64 * 1024
const SLAB_BYTES = FLUSH_BYTES + 16 * 1024
const SPARE_SLABS = 4
/** From this size on a body is handed to the system as it is: copying it would cost more than the write. */
const BY_REFERENCE_BYTES = 16 * 1024

/** Up to this size, what stands before such a body is copied: a slab for each would be mostly empty. */
const SMALL_BYTES = 1024

/** Up to this length a loop beats a call into the runtime, which makes a view first. */
const HAND_COPIED = 64

/**
 * All that a connection writes: frames gather in one buffer, which leaves at the end of the turn, or when 64 KiB have
 * gathered. A body of 16 KiB or more is not copied into it.
 */
export class Output implements TurnTask {
  /** Where frames are written; call {@link written} after each whole frame. */
  readonly writer: ByteStringWriter = new ByteStringWriter(SLAB_BYTES)
  readonly #link: Link
  readonly #turn: Turn
  readonly #limitBytes: number
  readonly #spare: Buffer[] = []
  readonly #beforeFlush: () => void
  readonly #room: () => void
  readonly #hold: (bytes: number) => void
  /** What the account of memory knows of: all that waits beyond one buffer. */
  #held = 0
  /** Handed to the link and not taken by the system yet. */
  #waitingBytes = 0
  #bytesWritten = 0
  #scheduled = false
  #closed = false
  #full = false

  /**
   * @param limitBytes above this much {@link full} is true.
   * @param beforeFlush appends what is written only once for each flush, such as confirms.
   * @param room called when the output is no longer full.
   * @param hold is told of the memory that waiting output takes, and gives back.
   */
  constructor(
    link: Link,
    turn: Turn,
    limitBytes: number,
    beforeFlush: () => void,
    room: () => void,
    hold: (bytes: number) => void,
  ) {
    this.#hold = hold
    this.#link = link
    this.#turn = turn
    this.#limitBytes = limitBytes
    this.#beforeFlush = beforeFlush
    this.#room = room
  }

  /** Whether the client takes bytes more slowly than they are written, so that nothing more should be delivered. */
  get full(): boolean {
    if (this.#waitingBytes + this.writer.offset <= this.#limitBytes) return false
    this.#full = true
    return true
  }

  /** All bytes that were handed to the link. */
  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** What waits to be taken by the system. */
  get waitingBytes(): number {
    return this.#waitingBytes + this.writer.offset
  }

  /** Whole frames were appended. */
  written(): void {
    if (this.writer.offset >= FLUSH_BYTES) {
      this.#send()
      this.#account()
    } else {
      this.schedule()
    }
  }

  /** Flushes at the end of this turn. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#turn.add(this)
  }

  endOfTurn(): void {
    this.#scheduled = false
    this.flush()
  }

  /** Sends what has gathered, and what waits to be written once. */
  flush(): void {
    if (this.#closed) return
    this.#beforeFlush()
    this.#send()
    this.#account()
  }

  /** Appends bytes of a message: copied, or in their place between what was and what will be appended. */
  bytes(source: Buffer, start: number, end: number): void {
    const length = end - start
    const { writer } = this
    if (length < BY_REFERENCE_BYTES) {
      if (writer.offset >= FLUSH_BYTES) this.#send()
      writer.ensure(length)
      if (length > HAND_COPIED) source.copy(writer.buffer, writer.offset, start, end)
      else copyByHand(source, start, end, writer.buffer, writer.offset)
      writer.offset += length
      return
    }
    if (writer.offset > SMALL_BYTES) this.#send()
    else if (writer.offset > 0) {
      const before = Buffer.from(writer.buffer.subarray(0, writer.offset))
      writer.offset = 0
      this.#write(before, undefined)
    }
    this.#write(source.subarray(start, end), undefined)
  }

  /** No more writes reach the link. */
  close(): void {
    this.#closed = true
    this.writer.offset = 0
    this.#account()
  }

  /** Between frames alone: an alarm that begins here is told to clients, this one perhaps. */
  #account(): void {
    const bytes = this.#closed ? 0 : Math.max(0, this.#waitingBytes - FLUSH_BYTES)
    if (bytes === this.#held) return
    const more = bytes - this.#held
    this.#held = bytes
    this.#hold(more)
  }

  #send(): void {
    const { writer } = this
    if (writer.offset === 0) return
    const slab = writer.buffer
    const bytes = writer.written()
    writer.buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
    writer.offset = 0
    this.#write(bytes, slab)
  }

  #write(bytes: Buffer, slab: Buffer | undefined): void {
    if (this.#closed) return
    const { length } = bytes
    this.#bytesWritten += length
    this.#waitingBytes += length
    this.#link.write(bytes, () => {
      this.#waitingBytes -= length
      this.#account()
      this.#turn.changed()
      if (slab?.length === SLAB_BYTES && this.#spare.length < SPARE_SLABS) this.#spare.push(slab)
      if (this.#full && this.#waitingBytes <= this.#limitBytes / 2) {
        this.#full = false
        if (!this.#closed) this.#room()
      }
    })
  }
}

/** The same as `Buffer.copy`. */
export function copyByHand(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from] as number
}

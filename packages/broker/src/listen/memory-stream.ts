import { Duplex } from 'node:stream'

/**
 * One end of a connection within the process. What is written at one end comes out of the other in a later turn, as a
 * copy: the writer may use its buffer again as soon as it is told that it was taken.
 */
class MemoryStream extends Duplex {
  #other: MemoryStream | undefined
  /** A writer that waits until this end is read from. */
  #waiting: (() => void) | undefined

  join(other: MemoryStream): void {
    this.#other = other
  }

  #arrive(bytes: Buffer | null, taken: () => void): void {
    setImmediate(() => {
      if (this.destroyed || this.readableEnded) return taken()
      // Behind the end nobody reads any more.
      if (this.push(bytes) || bytes === null) taken()
      else this.#waiting = taken
    })
  }

  override _read(): void {
    const taken = this.#waiting
    this.#waiting = undefined
    taken?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#other === undefined) done()
    else this.#other.#arrive(Buffer.from(chunk), done)
  }

  override _final(done: () => void): void {
    if (this.#other === undefined) done()
    else this.#other.#arrive(null, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const other = this.#other
    this.#other = undefined
    this._read()
    // What ends in good order leaves the other end time to read what it has.
    const ended = error === null && this.writableFinished && this.readableEnded
    if (other !== undefined && !ended) setImmediate(() => void other.destroy())
    done(error)
  }
}

/** The two ends of a connection within the process. */
export function memoryStreams(): readonly [near: Duplex, far: Duplex] {
  const near = new MemoryStream()
  const far = new MemoryStream()
  near.join(far)
  far.join(near)
  return [near, far]
}

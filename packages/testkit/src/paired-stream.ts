import { Duplex } from 'node:stream'

/** One end of a connection inside this process. What is written arrives at the other end, in order, some turns later. */
export class PairedStream extends Duplex {
  other: PairedStream | undefined
  #stalled = false
  #held: (() => void)[] = []

  /** While stalled, this end takes no bytes: the writer sees a peer that does not read. */
  set stalled(stalled: boolean) {
    this.#stalled = stalled
    if (stalled) return
    const held = this.#held
    this.#held = []
    for (const deliver of held) deliver()
  }

  /** Called by the other end. */
  arrive(bytes: Buffer | null, taken: () => void): void {
    const deliver = (): void => {
      if (!this.destroyed && !this.readableEnded) this.push(bytes)
      taken()
    }
    if (this.#stalled) this.#held.push(deliver)
    else setImmediate(deliver)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    // The writer may use its buffer again as soon as it is told.
    this.other?.arrive(Buffer.from(chunk), done)
  }

  override _final(done: () => void): void {
    this.other?.arrive(null, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    this.other = undefined
    if (other !== undefined) setImmediate(() => void other.destroy())
    done(error)
  }
}

/** Two streams that are connected to each other. */
export function duplexPair(): [PairedStream, PairedStream] {
  const [near, far] = [new PairedStream(), new PairedStream()]
  near.other = far
  far.other = near
  return [near, far]
}

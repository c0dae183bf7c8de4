/** Bytes that have come and may not go on yet: first they travel, then they are ready, always in order. */
export class HeldBytes {
  #travelling: { readonly bytes: Buffer; readonly dueMs: number }[] = []
  #ready: Buffer[] = []
  #bytes = 0
  #readyBytes = 0
  #readyMs = 0

  /** All of them. */
  get length(): number {
    return this.#bytes
  }

  get readyBytes(): number {
    return this.#readyBytes
  }

  /** Since when some are ready. */
  get readyMs(): number {
    return this.#readyMs
  }

  /** Takes bytes that are ready at a moment, but not before those that came earlier. */
  push(bytes: Buffer, dueMs: number): void {
    this.#travelling.push({ bytes, dueMs: Math.max(dueMs, this.#travelling.at(-1)?.dueMs ?? 0) })
    this.#bytes += bytes.length
  }

  /** Makes ready what is due, or all of it; gives the moment of the next that is not due, where there is one. */
  arrive(nowMs: number, all: boolean): number | undefined {
    for (;;) {
      const [next] = this.#travelling
      if (next === undefined || (next.dueMs > nowMs && !all)) return next?.dueMs
      this.#travelling.shift()
      if (this.#readyBytes === 0) this.#readyMs = nowMs
      this.#ready.push(next.bytes)
      this.#readyBytes += next.bytes.length
    }
  }

  /** The oldest ready bytes: as many as came together, but never more than `most`. */
  takeChunk(most: number): Buffer {
    const [chunk = Buffer.alloc(0)] = this.#ready
    if (chunk.length <= most) this.#ready.shift()
    else this.#ready[0] = chunk.subarray(most)
    return this.#taken(chunk.subarray(0, most))
  }

  /** The oldest ready bytes: `most` where there are as many, whatever they came in. */
  takePiece(most: number): Buffer {
    const parts: Buffer[] = []
    for (let left = Math.min(most, this.#readyBytes); left > 0;) {
      const part = this.takeChunk(left)
      parts.push(part)
      left -= part.length
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }

  /** Forgets all; gives how many there were. */
  discard(): number {
    const bytes = this.#bytes
    this.#travelling = []
    this.#ready = []
    this.#bytes = this.#readyBytes = 0
    return bytes
  }

  #taken(bytes: Buffer): Buffer {
    this.#readyBytes -= bytes.length
    this.#bytes -= bytes.length
    return bytes
  }
}

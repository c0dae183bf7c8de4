import type { ByteReader } from './byte-reader.ts'

/**
 * Reads a short string that is most often the same as the one before, such as the consumer tag, the exchange or the
 * routing key of a delivery: comparing its bytes costs a third of making the string again.
 */
export class RecentString {
  readonly #bytes = Buffer.alloc(255)
  #length = -1
  #text = ''

  /** The next short string of the reader. */
  read(reader: ByteReader): string {
    const { buffer, offset, end } = reader
    if (offset < end) {
      const length = buffer[offset] as number
      if (length === this.#length && offset + 1 + length <= end) {
        let at = 0
        const recent = this.#bytes
        while (at < length && buffer[offset + 1 + at] === recent[at]) at++
        if (at === length) {
          reader.offset = offset + 1 + length
          return this.#text
        }
      }
    }
    this.#text = reader.shortString()
    this.#length = reader.offset - offset - 1
    buffer.copy(this.#bytes, 0, offset + 1, reader.offset)
    return this.#text
  }
}

import { FieldEncodeError } from '@hermod/kernel'
import { ByteReader, ByteWriter } from '@hermod/amqp/wire'

const LONGEST_NAME = 255

/** Reads short strings as the bytes that they are; see `byte-string.ts`. */
export class ByteStringReader extends ByteReader {
  override shortString(): string {
    const length = this.uint8()
    const at = this.offset
    this.skip(length)
    return this.buffer.toString('latin1', at, at + length)
  }
}

/** Writes short strings as the bytes that they are; see `byte-string.ts`. */
export class ByteStringWriter extends ByteWriter {
  override shortString(value: string): void {
    const { length } = value
    if (length > LONGEST_NAME)
      throw new FieldEncodeError(`a short string holds at most 255 bytes, this one has ${length}`)
    this.ensure(1 + length)
    this.buffer[this.offset] = length
    this.buffer.write(value, this.offset + 1, 'latin1')
    this.offset += 1 + length
  }
}

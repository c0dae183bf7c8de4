import { ByteWriter } from '../../src/wire/byte-writer.ts'

/** What `write` writes, starting from a buffer that is too small for anything. */
export function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(0)
  write(writer)
  return Buffer.from(writer.written())
}

import { ByteReader } from '../../src/wire/byte-reader.ts'

/** A reader of `bytes` that lie in the middle of a larger buffer, so that reading beyond them finds something. */
export function reading(bytes: Uint8Array): ByteReader {
  const around = Buffer.alloc(bytes.length + 32, 0x53)
  const inner = around.subarray(5, around.length - 3)
  inner.set(bytes, 8)
  return new ByteReader().reset(inner, 8, 8 + bytes.length)
}

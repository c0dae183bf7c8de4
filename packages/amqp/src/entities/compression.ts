import zlib from 'node:zlib'

/** One way to compress bodies: a name for programs, a label for the header `compression`. */
export interface Compression {
  /** The label in the header, for example `application/x-gzip`. */
  readonly contentType: string
  /** What programs call it; kombu knows these in the header too. */
  readonly aliases: readonly string[]
  /** What it throws rejects the publish. */
  compress(body: Uint8Array): Uint8Array
  /**
   * Must not give more than `maxBytes`, and should notice before it has made them. What it throws makes the message
   * unreadable (`DecodeError`).
   */
  decompress(body: Uint8Array, maxBytes: number): Uint8Array
}

/**
 * kombu's `gzip`: a zlib stream, whatever the label says.
 * @source kombu compression.py: zlib.compress is registered as application/x-gzip
 */
export const zlibCompression: Compression = Object.freeze({
  contentType: 'application/x-gzip',
  aliases: Object.freeze(['gzip', 'zlib']),
  compress: (body: Uint8Array): Uint8Array => zlib.deflateSync(body),
  decompress: (body: Uint8Array, maxBytes: number): Uint8Array =>
    zlib.inflateSync(body, { maxOutputLength: maxBytes }),
})

export const brotliCompression: Compression = Object.freeze({
  contentType: 'application/x-brotli',
  aliases: Object.freeze(['brotli']),
  compress: (body: Uint8Array): Uint8Array => zlib.brotliCompressSync(body),
  decompress: (body: Uint8Array, maxBytes: number): Uint8Array =>
    zlib.brotliDecompressSync(body, { maxOutputLength: maxBytes }),
})

/** What later versions of Node have beside the types that we compile with. */
interface ZstdFunctions {
  readonly zstdCompressSync?: (body: Uint8Array) => Buffer
  readonly zstdDecompressSync?: (body: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer
}

/** Zstandard, where this Node has it (from 22.15 and 23.8 on); undefined elsewhere. */
export const zstdCompression: Compression | undefined = makeZstd(zlib as ZstdFunctions)

function makeZstd({ zstdCompressSync, zstdDecompressSync }: ZstdFunctions): Compression | undefined {
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined
  return Object.freeze({
    contentType: 'application/zstd',
    aliases: Object.freeze(['zstd', 'zstandard']),
    compress: (body: Uint8Array): Uint8Array => zstdCompressSync(body),
    decompress: (body: Uint8Array, maxBytes: number): Uint8Array =>
      zstdDecompressSync(body, { maxOutputLength: maxBytes }),
  })
}

import { ConfigurationError, DecodeError, EncodeError } from '@hermod/kernel'
import { brotliCompression, zlibCompression, zstdCompression, type Compression } from './compression.ts'

/** A body may grow to this when it is decompressed; more is an attack, or a mistake. */
export const MAX_DECOMPRESSED_BYTES: number = 64 * 1024 * 1024

/** The compressions that somebody wants to use, by label and alias. A value, as `SerializerRegistry` is. */
export class CompressionRegistry implements Iterable<Compression> {
  readonly #compressions: readonly Compression[]
  readonly #byName = new Map<string, Compression>()

  /** @throws {ConfigurationError} E_CONFIG when two claim the same label or alias. */
  constructor(compressions: Iterable<Compression>) {
    this.#compressions = [...compressions]
    const issues: string[] = []
    for (const compression of this.#compressions) {
      for (const name of namesOf(compression)) {
        if (this.#byName.has(name)) issues.push(`two compressions are called '${name}'`)
        this.#byName.set(name, compression)
      }
    }
    if (issues.length > 0) throw new ConfigurationError(issues)
  }

  /** The same with one more, which takes the place of those whose label or alias it has. */
  with(compression: Compression): CompressionRegistry {
    const taken = new Set(namesOf(compression))
    const others = this.#compressions.filter((one) => !namesOf(one).some((name) => taken.has(name)))
    return new CompressionRegistry([...others, compression])
  }

  /** The compression of a label or an alias. */
  find(name: string): Compression | undefined {
    return this.#byName.get(name)
  }

  /**
   * The compression to write with.
   * @throws {EncodeError} E_ENCODE when there is none of this label or alias.
   */
  require(name: string): Compression {
    const compression = this.find(name)
    if (compression !== undefined) return compression
    throw new EncodeError(
      `there is no compression '${name.slice(0, 64)}'; there are ${this.names.join(', ')}`,
    )
  }

  /**
   * Undoes the compression of a label.
   * @param maxBytes a body that grows beyond this is refused.
   * @throws {DecodeError} E_DECODE for a label that nobody knows, a damaged body, or one that grows too much.
   */
  decompress(body: Buffer, label: string, maxBytes: number): Buffer {
    const compression = this.find(label)
    if (compression === undefined)
      throw new DecodeError(`a body is compressed as '${label.slice(0, 64)}', which cannot be read here`)
    let plain: Uint8Array
    try {
      plain = compression.decompress(body, maxBytes)
    } catch (cause) {
      throw new DecodeError(`a body compressed as ${compression.contentType} cannot be decompressed`, {
        cause,
      })
    }
    if (plain.byteLength > maxBytes)
      throw new DecodeError(`a body compressed as ${compression.contentType} grows beyond ${maxBytes} bytes`)
    return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
  }

  /** One name of each. */
  get names(): readonly string[] {
    return this.#compressions.map(({ aliases: [alias], contentType }) => alias ?? contentType)
  }

  [Symbol.iterator](): Iterator<Compression> {
    return this.#compressions[Symbol.iterator]()
  }
}

/** zlib (kombu's `gzip`), brotli, and Zstandard where this Node has it. bzip2 and lzma are added by whoever installs them. */
export const DEFAULT_COMPRESSIONS: CompressionRegistry = new CompressionRegistry([
  zlibCompression,
  brotliCompression,
  ...(zstdCompression === undefined ? [] : [zstdCompression]),
])

function namesOf({ contentType, aliases }: Compression): readonly string[] {
  return [contentType, ...aliases]
}

import { ConfigurationError, ContentDisallowedError, DecodeError } from '@hermod/kernel'
import type { Message } from '../client/message.ts'
import {
  DEFAULT_COMPRESSIONS,
  MAX_DECOMPRESSED_BYTES,
  type CompressionRegistry,
} from './compression-registry.ts'
import type { Serializer } from './serializer.ts'
import { DEFAULT_SERIALIZERS, type SerializerRegistry } from './serializer-registry.ts'

/** Which bodies are read, and how. */
export interface ContentOptions {
  /**
   * The content types to read, as names of serializers (`json`, `text`, `raw`) or MIME types. Default `['json']`.
   *
   * Nothing else is read: kombu lets `application/data` and `application/text` (and messages without a content type)
   * through every accept list, so that a handler for objects gets bytes; here they are named or refused.
   */
  readonly accept?: readonly string[] | undefined
  /** Default {@link DEFAULT_SERIALIZERS}. */
  readonly serializers?: SerializerRegistry | undefined
  /** Default {@link DEFAULT_COMPRESSIONS}. */
  readonly compressions?: CompressionRegistry | undefined
  /**
   * A body that grows beyond this when it is decompressed is not read, bytes. Default 64 MiB. Messages wait as they came
   * and are read in their turn, so that a consumer holds at most `concurrency` bodies of this size; without that limit
   * as many as are unsettled.
   */
  readonly maxDecompressedBytes?: number | undefined
}

/** Reads the bodies of messages: decompresses them, and decodes those whose content type is on the accept list. */
export class ContentReader {
  readonly #types: ReadonlySet<string>
  readonly #serializers: SerializerRegistry
  readonly #compressions: CompressionRegistry
  readonly #maxDecompressedBytes: number

  /** @throws {ConfigurationError} E_CONFIG for an unknown entry of the accept list, or a limit that is none. */
  constructor(options: ContentOptions = {}) {
    const { maxDecompressedBytes = MAX_DECOMPRESSED_BYTES } = options
    if (!Number.isInteger(maxDecompressedBytes) || maxDecompressedBytes < 1) {
      throw new ConfigurationError([
        `maxDecompressedBytes is ${maxDecompressedBytes}; it is a whole number from 1 on`,
      ])
    }
    this.#serializers = options.serializers ?? DEFAULT_SERIALIZERS
    this.#compressions = options.compressions ?? DEFAULT_COMPRESSIONS
    this.#types = this.#serializers.contentTypes(options.accept ?? ['json'])
    this.#maxDecompressedBytes = maxDecompressedBytes
  }

  /** The content types that are read. */
  get accepted(): ReadonlySet<string> {
    return this.#types
  }

  /**
   * Reads a message's body.
   * @throws {ContentDisallowedError} E_CONTENT when its content type is not accepted.
   * @throws {DecodeError} E_DECODE when the body is not what its content type, its character set or its compression
   *   says, or too big.
   */
  read(message: Message): unknown {
    // kombu takes a message without a content type for application/data.
    const { contentType = 'application/data', contentEncoding } = message.properties
    if (!this.#types.has(contentType)) throw new ContentDisallowedError(contentType, [...this.#types])
    const serializer = this.#serializers.find(contentType) as Serializer
    const body = decompressedBody(message, this.#compressions, this.#maxDecompressedBytes)
    try {
      return serializer.decode(body, contentEncoding)
    } catch (cause) {
      if (cause instanceof DecodeError) throw cause
      throw new DecodeError(`a body of type ${contentType} cannot be read`, { cause })
    }
  }
}

/**
 * The body as it was before it was compressed, by the `compression` header alone.
 *
 * @param maxBytes a body that grows beyond this is refused. Default 64 MiB.
 * @throws {DecodeError} E_DECODE for another compression, a damaged body, or one that grows too much.
 * @source kombu message.py: the header `compression` names the label
 */
export function decompressedBody(
  message: Message,
  compressions: CompressionRegistry = DEFAULT_COMPRESSIONS,
  maxBytes: number = MAX_DECOMPRESSED_BYTES,
): Buffer {
  const compression = message.properties.headers?.['compression']
  if (compression === undefined || compression === null || compression === '') return message.body
  if (typeof compression !== 'string') throw new DecodeError("the header 'compression' is no text")
  return compressions.decompress(message.body, compression, maxBytes)
}

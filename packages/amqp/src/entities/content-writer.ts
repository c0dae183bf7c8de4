import { ConfigurationError, EncodeError, isHermodError } from '@hermod/kernel'
import type { CompressionRegistry } from './compression-registry.ts'
import { encodeText } from './content-charset.ts'
import type { SerializerRegistry } from './serializer-registry.ts'

/** How one body is written. */
export interface ContentChoice {
  /** Name or content type. Default: bytes as `raw`, text as `text`, everything else as `json`. */
  readonly serializer?: string | undefined
  /** Label or alias of a compression. Default: none. */
  readonly compression?: string | undefined
  /**
   * The body is serialised already, as this MIME type: bytes leave as they are, text is written in the character set
   * `contentEncoding`.
   */
  readonly contentType?: string | undefined
  /** With `contentType` only: the character set, `utf-8` for text and `binary` for bytes where absent. */
  readonly contentEncoding?: string | undefined
}

/** A body as it goes to the broker. */
export interface WrittenContent {
  readonly body: Uint8Array
  readonly contentType: string
  readonly contentEncoding: string
  /** The label for the header `compression`, where the body is compressed. */
  readonly compression: string | undefined
}

/**
 * Serialises and compresses a body by kombu's rules.
 * @throws {EncodeError} E_ENCODE for a value that its serializer cannot write, or an unknown serializer or compression.
 * @throws {ConfigurationError} E_CONFIG for choices that contradict each other.
 * @source kombu messaging.py, Producer._prepare; serialization.py, dumps
 */
export function writeContent(
  value: unknown,
  choice: ContentChoice,
  serializers: SerializerRegistry,
  compressions: CompressionRegistry,
): WrittenContent {
  const serialised =
    choice.contentType === undefined
      ? serialise(value, choice, serializers)
      : labelled(value, choice.contentType, choice)
  if (choice.compression === undefined) return { ...serialised, compression: undefined }
  const compression = compressions.require(choice.compression)
  const body = encoding('compression', compression.contentType, () => compression.compress(serialised.body))
  return { ...serialised, body, compression: compression.contentType }
}

type SerialisedContent = Omit<WrittenContent, 'compression'>

function serialise(
  value: unknown,
  choice: ContentChoice,
  serializers: SerializerRegistry,
): SerialisedContent {
  if (choice.contentEncoding !== undefined) {
    throw new ConfigurationError([
      'contentEncoding is given without contentType; the serializer chooses both, or the caller',
    ])
  }
  const serializer = serializers.require(choice.serializer ?? serializerFor(value))
  const { name, contentType, contentEncoding } = serializer
  return { body: encoding('serializer', name, () => serializer.encode(value)), contentType, contentEncoding }
}

function serializerFor(value: unknown): string {
  if (value instanceof Uint8Array) return 'raw'
  return typeof value === 'string' ? 'text' : 'json'
}

function labelled(value: unknown, contentType: string, choice: ContentChoice): SerialisedContent {
  if (choice.serializer !== undefined) {
    throw new ConfigurationError([
      'both serializer and contentType are given; the serializer writes the body, or the caller has',
    ])
  }
  if (value instanceof Uint8Array)
    return { body: value, contentType, contentEncoding: choice.contentEncoding ?? 'binary' }
  if (typeof value !== 'string') {
    throw new EncodeError(
      `with a contentType the body is bytes or text, not of type ${typeof value}; name a serializer instead`,
    )
  }
  const { contentEncoding = 'utf-8' } = choice
  return { body: encodeText(value, contentEncoding), contentType, contentEncoding }
}

function encoding(what: string, name: string, encode: () => Uint8Array): Uint8Array {
  try {
    return encode()
  } catch (cause) {
    if (isHermodError(cause)) throw cause
    throw new EncodeError(`${what} '${name}' cannot write the body`, { cause })
  }
}

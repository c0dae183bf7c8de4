import { brotliDecompressSync, inflateSync } from 'node:zlib'
import { ConfigurationError, ContentDisallowedError, DecodeError, parsePythonJson } from '@hermod/kernel'
import type { Message } from '../client/message.ts'

/** A content type that bodies are read from. */
interface Decoder {
  readonly name: string
  readonly contentTypes: readonly string[]
  decode(body: Buffer): unknown
}

/** kombu's names; each is accepted under its name or its content type. */
const DECODERS: readonly Decoder[] = [
  // Python writes NaN, Infinity and integers of any size into its JSON.
  {
    name: 'json',
    contentTypes: ['application/json'],
    decode: (body) => parsePythonJson(body.toString('utf8')),
  },
  { name: 'text', contentTypes: ['text/plain'], decode: (body) => body.toString('utf8') },
  { name: 'raw', contentTypes: ['application/data', 'application/octet-stream'], decode: (body) => body },
]

/** A body may grow to this when it is decompressed; more is an attack, or a mistake. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024

/**
 * The body as it was before kombu compressed it, by the `compression` header alone.
 *
 * `application/x-gzip` is a zlib stream: kombu labels the output of zlib.compress so.
 *
 * @throws {DecodeError} E_DECODE for another compression, a damaged body, or one that grows beyond 64 MiB.
 * @source kombu compression.py
 */
export function decompressedBody(message: Message): Buffer {
  const compression = message.properties.headers?.['compression']
  if (compression === undefined || compression === null || compression === '') return message.body
  if (typeof compression !== 'string') throw new DecodeError("the header 'compression' is no text")
  try {
    switch (compression) {
      case 'application/x-gzip':
        return inflateSync(message.body, { maxOutputLength: MAX_DECOMPRESSED_BYTES })
      case 'application/x-brotli':
        return brotliDecompressSync(message.body, { maxOutputLength: MAX_DECOMPRESSED_BYTES })
    }
  } catch (cause) {
    throw new DecodeError(`a body compressed as ${compression} cannot be decompressed`, { cause })
  }
  throw new DecodeError(`a body is compressed as '${compression.slice(0, 64)}', which cannot be read here`)
}

/**
 * Checks an accept list once, at the start.
 * @throws {ConfigurationError} E_CONFIG for a name that nobody knows.
 */
export function acceptedTypes(accept: readonly string[]): ReadonlySet<string> {
  const types = new Set<string>()
  const unknown: string[] = []
  for (const entry of accept) {
    const decoder = DECODERS.find(({ name, contentTypes }) => name === entry || contentTypes.includes(entry))
    if (decoder === undefined) unknown.push(entry)
    else for (const type of decoder.contentTypes) types.add(type)
  }
  if (unknown.length > 0) {
    const known = DECODERS.map(({ name }) => name).join(', ')
    throw new ConfigurationError(
      unknown.map((entry) => `'${entry}' on the accept list is not known; known are ${known}`),
    )
  }
  return types
}

/**
 * Reads a message's body.
 * @param types from {@link acceptedTypes}.
 * @throws {ContentDisallowedError} E_CONTENT when its content type is not accepted.
 * @throws {DecodeError} E_DECODE when the body is not what its content type says.
 */
export function decodeContent(message: Message, types: ReadonlySet<string>): unknown {
  // kombu takes a message without a content type for application/data.
  const contentType = message.properties.contentType ?? 'application/data'
  if (!types.has(contentType)) throw new ContentDisallowedError(contentType, [...types])
  const decoder = DECODERS.find(({ contentTypes }) => contentTypes.includes(contentType)) as Decoder
  return decoder.decode(decompressedBody(message))
}

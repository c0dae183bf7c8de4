import { DEFAULT_COMPRESSIONS, decompressedBody, type Message } from '@hermod/amqp'
import { ContentDisallowedError, type JsonObject } from '@hermod/kernel'
import { MAX_BODY_BYTES, readEnvelope } from '@hermod/messaging'

const JSON_TYPE = 'application/json'
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/**
 * The message inside a body, without its envelope.
 *
 * Python's peers read a body only if its content type is `application/json` to the letter. Here a parameter
 * (`; charset=utf-8`), other case and no content type at all are as good: the body shows what it is.
 *
 * @throws {ContentDisallowedError} E_CONTENT for another content type.
 * @throws {DecodeError} E_DECODE for a body that is no JSON object or in no envelope that can be read; never with a
 *   part of it.
 * @source oslo.messaging _drivers/impl_rabbit.py RabbitMessage, _drivers/common.py deserialize_msg
 */
export function decodeMessage(message: Message): JsonObject {
  const { contentType } = message.properties
  if (contentType !== undefined && contentType !== JSON_TYPE && !isJson(contentType))
    throw new ContentDisallowedError(contentType.slice(0, 64), [JSON_TYPE])
  return readEnvelope(decompressedBody(message, DEFAULT_COMPRESSIONS, MAX_BODY_BYTES)).message
}

function isJson(contentType: string): boolean {
  return (contentType.split(';', 1)[0] as string).trim().toLowerCase() === JSON_TYPE
}

/** The headers of a message that are texts, without that of its compression. */
export function textHeaders(message: Message): Readonly<Record<string, string>> {
  const { headers } = message.properties
  if (headers === undefined) return NO_HEADERS
  const texts = Object.entries(headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== 'compression',
  )
  return texts.length === 0 ? NO_HEADERS : Object.fromEntries(texts)
}

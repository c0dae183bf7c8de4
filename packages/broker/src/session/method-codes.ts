import { decodeMethod, METHOD_CODES, type DecodedMethod } from '@hermod/amqp/wire'
import { AmqpError } from '../amqp-error.ts'
import type { ByteStringReader } from './byte-string-codec.ts'

/** The class of all content. */
export const CLASS_BASIC = 60

/* The methods that come with every message, or that matter in every state: known by their codes. */
export const BASIC_PUBLISH: number = METHOD_CODES['basic.publish']
export const BASIC_ACK: number = METHOD_CODES['basic.ack']
export const BASIC_NACK: number = METHOD_CODES['basic.nack']
export const BASIC_REJECT: number = METHOD_CODES['basic.reject']
export const CHANNEL_OPEN: number = METHOD_CODES['channel.open']
export const CHANNEL_CLOSE: number = METHOD_CODES['channel.close']
export const CHANNEL_CLOSE_OK: number = METHOD_CODES['channel.close-ok']

export const CONNECTION_CLOSE: number = METHOD_CODES['connection.close']
export const CONNECTION_CLOSE_OK: number = METHOD_CODES['connection.close-ok']

const KNOWN: ReadonlySet<number> = new Set(Object.values(METHOD_CODES))

/**
 * Decodes a method whose code was read already; names are byte strings.
 *
 * @throws {AmqpError} 540 for a method that AMQP 0-9-1 does not have.
 * @throws {ProtocolError} E_PROTOCOL for arguments that are none.
 */
export function decodeArguments(reader: ByteStringReader, code: number): DecodedMethod {
  if (!KNOWN.has(code)) throw new AmqpError(540, `unknown method ${code >>> 16}.${code & 0xffff}`)
  reader.offset -= 4
  return decodeMethod(reader)
}

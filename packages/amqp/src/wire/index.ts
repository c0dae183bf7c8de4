/**
 * The codec of AMQP 0-9-1, for whoever speaks it without the client: brokers, proxies, scripted peers. Bytes come
 * out of a `ByteWriter` and go into a `FrameDecoder`; neither keeps any state of a connection.
 *
 * What brokers and clients agree on about values (`FieldTable`, `TypedField`, `BasicProperties`) is in
 * `@hermod/amqp` itself.
 *
 * @packageDocumentation
 */
export { readProperties, writeProperties } from './basic-properties.ts'
export { ByteReader } from './byte-reader.ts'
export { ByteWriter } from './byte-writer.ts'
export { FRAME_MIN_SIZE, PROTOCOL_HEADER, REPLY_CODES } from './constants.ts'
export { FrameDecoder, type FrameSink } from './frame-decoder.ts'
export { writeBody, writeContentHeader, writeHeartbeat, writeMethod } from './frame-encoder.ts'
export {
  decodeMethod,
  METHOD_CODES,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
} from './generated/methods.ts'

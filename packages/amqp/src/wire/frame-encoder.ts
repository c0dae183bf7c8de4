/*
 * frame   := type:u8 channel:u16 size:u32 payload end:0xCE                       (AMQP 0-9-1 §4.2.3)
 * content := method frame, header frame, *body frame                             (AMQP 0-9-1 §4.2.6)
 * header  := class:u16 weight:u16 body-size:u64 property-list
 */
import { ProtocolError } from '@hermod/kernel'
import type { ByteWriter } from './byte-writer.ts'
import { writeProperties, type BasicProperties } from './basic-properties.ts'
import {
  CLASS_BASIC,
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER,
  FRAME_HEADER_BYTES,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  FRAME_MIN_SIZE,
  FRAME_OVERHEAD_BYTES,
} from './constants.ts'
import { encodeMethod, type MethodArguments, type MethodName } from './generated/methods.ts'

/** Starts a frame; give the returned mark to {@link endFrame}. */
export function beginFrame(writer: ByteWriter, type: number, channel: number): number {
  writer.ensure(FRAME_HEADER_BYTES)
  const { buffer } = writer
  buffer[writer.offset++] = type
  buffer[writer.offset++] = channel >>> 8
  buffer[writer.offset++] = channel
  return writer.beginLength()
}

/** Ends the frame begun at `mark`. */
export function endFrame(writer: ByteWriter, mark: number): void {
  writer.endLength(mark)
  writer.uint8(FRAME_END)
}

/**
 * Writes a method frame.
 *
 * @throws {FieldEncodeError} E_FIELD for an argument that AMQP cannot carry. What was written until then stays:
 * whoever goes on with the same writer first puts its offset back.
 */
export function writeMethod<Name extends MethodName>(
  writer: ByteWriter,
  channel: number,
  name: Name,
  args: MethodArguments[Name],
): void {
  const mark = beginFrame(writer, FRAME_METHOD, channel)
  encodeMethod(writer, name, args)
  endFrame(writer, mark)
}

/**
 * Writes a content header frame for a body of `bodyBytes`.
 *
 * @throws {FieldEncodeError} E_FIELD as {@link writeMethod} does.
 */
export function writeContentHeader(
  writer: ByteWriter,
  channel: number,
  bodyBytes: number,
  properties: BasicProperties,
): void {
  const mark = beginFrame(writer, FRAME_HEADER, channel)
  writer.uint16(CLASS_BASIC)
  writer.uint16(0)
  writer.uint64(bodyBytes)
  writeProperties(writer, properties)
  endFrame(writer, mark)
}

/**
 * Writes a body as frames of at most `maxFrameBytes` each, overhead included; an empty body needs none. A limit of
 * 0 is no limit.
 *
 * @throws {ProtocolError} E_PROTOCOL when the limit leaves no room for a body.
 */
export function writeBody(
  writer: ByteWriter,
  channel: number,
  body: Uint8Array,
  maxFrameBytes: number,
): void {
  const most = maxFrameBytes === 0 ? body.length : maxFrameBytes - FRAME_OVERHEAD_BYTES
  if (most < 1 && body.length > 0) {
    throw new ProtocolError(
      `frames of ${maxFrameBytes} bytes have no room for a body; every peer takes ${FRAME_MIN_SIZE}`,
    )
  }
  writer.ensure(body.length + FRAME_OVERHEAD_BYTES * Math.ceil(body.length / Math.max(1, most)))
  for (let at = 0; at < body.length; at += most) {
    const mark = beginFrame(writer, FRAME_BODY, channel)
    writer.bytes(at === 0 && body.length <= most ? body : body.subarray(at, at + most))
    endFrame(writer, mark)
  }
}

/** Writes a heartbeat frame. */
export function writeHeartbeat(writer: ByteWriter): void {
  endFrame(writer, beginFrame(writer, FRAME_HEARTBEAT, 0))
}

import { LimitError } from '@hermod/kernel'
import { FRAME_BODY, FRAME_END, FRAME_OVERHEAD_BYTES } from '../wire/constants.ts'
import { beginFrame, writeBody, writeContentHeader, writeMethod } from '../wire/frame-encoder.ts'
import type { PendingPublish } from './pending-publish.ts'
import type { Session } from './session.ts'

/** A body from this size on is handed to the socket as it is instead of being copied into the output buffer. */
const BY_REFERENCE_BYTES = 32 * 1024

/**
 * Writes a message: method, header, body.
 * @throws {HermodError} when its properties cannot be written; nothing is left of it in the buffer then.
 */
export function writePublish({ output, frameMax }: Session, channel: number, pending: PendingPublish): void {
  const { writer } = output
  const { exchange, routingKey, body, properties, mandatory } = pending
  const start = writer.offset
  try {
    writeMethod(writer, channel, 'basic.publish', { exchange, routingKey, mandatory, immediate: false })
    const header = writer.offset
    writeContentHeader(writer, channel, body.length, properties)
    // Unlike a body, a header cannot be split; the broker would close the connection over it.
    if (writer.offset - header > frameMax) {
      throw new LimitError(
        `the properties need a frame of ${writer.offset - header} bytes; the broker takes ${frameMax}`,
        { frameMax },
      )
    }
  } catch (error) {
    writer.offset = start
    throw error
  }
  if (body.length < BY_REFERENCE_BYTES) {
    writeBody(writer, channel, body, frameMax)
  } else {
    const most = frameMax - FRAME_OVERHEAD_BYTES
    for (let at = 0; at < body.length; at += most) {
      const part = body.subarray(at, at + most)
      const mark = beginFrame(writer, FRAME_BODY, channel)
      writer.buffer.writeUInt32BE(part.length, mark)
      output.sendByReference(part)
      writer.uint8(FRAME_END)
    }
  }
}

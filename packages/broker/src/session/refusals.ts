import type { ByteReader, MethodArguments } from '@hermod/amqp/wire'
import { isHermodError } from '@hermod/kernel'
import { AmqpError } from '../amqp-error.ts'
import { erlangBinary } from '../model/erlang-text.ts'

/** How many bytes of a payload a text shows. */
const SNIPPET_BYTES = 16

/** What clients are told of what is no fault of theirs, or of nothing that RabbitMQ has a text for. */
export const INTERNAL_ERROR = 'INTERNAL_ERROR'

/**
 * How RabbitMQ shows a frame that it cannot use: its type and the first bytes.
 * @source rabbit_reader:payload_snippet
 */
function frameText(type: number, { buffer, offset, end }: ByteReader): string {
  const whole = end - offset <= SNIPPET_BYTES
  const shown = buffer.toString('latin1', offset, whole ? end : offset + SNIPPET_BYTES)
  return `type ${type}, ${whole ? 'all' : 'first 16'} octets = ${erlangBinary(shown)}`
}

/** A frame that never came as far as a method: the close names none. */
export class FrameRefusal extends AmqpError {}

/** A frame that nothing is known to wait for. @source rabbit_reader:unexpected_frame */
export const untimelyFrame = (type: number, payload: ByteReader): AmqpError =>
  new FrameRefusal(505, frameText(type, payload))

/** A frame that is too short for its type. @source rabbit_command_assembler:analyze_frame */
export const unknownFrame = (type: number, payload: ByteReader): AmqpError =>
  new FrameRefusal(501, `${frameText(type, payload)}: unknown_frame`)

/**
 * What RabbitMQ says about bytes that are no frames, from what the codec says about them. Of the payload nothing is
 * repeated: the codec does not keep it.
 * @source rabbit_reader:handle_input
 */
export function framingError(error: unknown): unknown {
  if (!isHermodError(error) || error.code !== 'E_PROTOCOL') return error
  const { fault, type, size, limit, end } = error.details
  const frame = `type ${String(type)}, all octets = <<>>`
  // The codec's limit is eight bytes above frame_max and counts the overhead, of eight bytes too.
  if (fault === 'too-large')
    return new AmqpError(501, `${frame}: {frame_too_large,${String(size)},${Number(limit) - 16}}`)
  if (fault === 'end') return new AmqpError(501, `${frame}: {invalid_frame_end_marker,${String(end)}}`)
  if (fault === 'heartbeat-channel') return new AmqpError(505, frame)
  return new AmqpError(501, `${frame}: unknown_frame`)
}

/** What to tell a client about anything that was thrown while its frame was handled. */
export function refusalOf(error: unknown, frame: ByteReader | undefined): AmqpError {
  if (error instanceof AmqpError) return error
  if (!isHermodError(error) || error.code !== 'E_PROTOCOL') return new AmqpError(541, '')
  // What a method cannot be read from is a fault of its frame. @source rabbit_misc:frame_error
  const bytes =
    frame === undefined ? [] : frame.buffer.subarray(Math.min(frame.offset + 4, frame.end), frame.end)
  return new AmqpError(501, `cannot decode <<${bytes.join(',')}>>`)
}

/** Class and method id at the start of a frame; 0 where there is none. */
export const codeOf = (frame: ByteReader | undefined): number =>
  frame === undefined || frame.left < 4 ? 0 : frame.buffer.readUInt32BE(frame.offset)

export const closeArguments = (
  { replyCode, replyText }: AmqpError,
  method: number,
): MethodArguments['channel.close'] => ({
  replyCode,
  replyText,
  classId: method >>> 16,
  methodId: method & 0xffff,
})

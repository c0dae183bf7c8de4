/*
 * content := method frame, header frame, *body frame                             (AMQP 0-9-1 §4.2.6)
 */
import { METHOD_CODES } from '@hermod/amqp/wire'
import type { Message } from '../model/message.ts'
import { copyByHand, type Output } from './output.ts'

const FRAME_OVERHEAD_BYTES = 8
const DELIVER = METHOD_CODES['basic.deliver']

/** Writes header and body of a message, in frames of at most `frameMax` bytes; 0 is no limit. */
export function writeContent(output: Output, channel: number, frameMax: number, message: Message): void {
  const { writer } = output
  const headerBytes = message.headerEnd - message.headerStart
  writer.ensure(headerBytes + FRAME_OVERHEAD_BYTES)
  frameStart(writer.buffer, writer.offset, 2, channel, headerBytes)
  writer.offset += 7
  output.bytes(message.header, message.headerStart, message.headerEnd)
  frameEnd(output)
  if (message.bodySize === 0) return
  const most = frameMax === 0 ? message.bodySize : frameMax - FRAME_OVERHEAD_BYTES
  if (message.more === null && message.bodySize <= most)
    writeFrame(output, channel, message.body, message.bodyStart, message.bodyEnd)
  else writePieces(output, channel, most, message)
}

function writeFrame(output: Output, channel: number, bytes: Buffer, start: number, end: number): void {
  const { writer } = output
  writer.ensure(FRAME_OVERHEAD_BYTES)
  frameStart(writer.buffer, writer.offset, 3, channel, end - start)
  writer.offset += 7
  output.bytes(bytes, start, end)
  frameEnd(output)
}

/** Frames need not end where pieces end: every frame but the last is as large as it may be. */
function writePieces(output: Output, channel: number, most: number, message: Message): void {
  let left = message.bodySize
  let room = 0
  const open = (): void => {
    const { writer } = output
    room = Math.min(most, left)
    writer.ensure(FRAME_OVERHEAD_BYTES)
    frameStart(writer.buffer, writer.offset, 3, channel, room)
    writer.offset += 7
  }
  const append = (bytes: Buffer, start: number, end: number): void => {
    for (let at = start; at < end;) {
      if (room === 0) open()
      const taken = Math.min(room, end - at)
      output.bytes(bytes, at, at + taken)
      at += taken
      room -= taken
      left -= taken
      if (room === 0) frameEnd(output)
    }
  }
  append(message.body, message.bodyStart, message.bodyEnd)
  for (const piece of message.more ?? []) append(piece, 0, piece.length)
}

function frameStart(buffer: Buffer, at: number, type: number, channel: number, size: number): void {
  buffer[at] = type
  buffer[at + 1] = channel >>> 8
  buffer[at + 2] = channel
  buffer[at + 3] = size >>> 24
  buffer[at + 4] = size >>> 16
  buffer[at + 5] = size >>> 8
  buffer[at + 6] = size
}

function frameEnd({ writer }: Output): void {
  writer.ensure(1)
  writer.buffer[writer.offset++] = 0xce
}

/**
 * Writes the `basic.deliver` of one consumer. Nearly all deliveries of a consumer have the same exchange and routing
 * key: the frame is kept, and only tag and flag are written into the copy.
 */
export class DeliveryFrames {
  readonly #output: Output
  readonly #channel: number
  readonly #frameMax: number
  readonly #consumerTag: string
  #exchange: string | undefined
  #routingKey = ''
  #frame: Buffer = Buffer.alloc(0)
  #tagAt = 0

  constructor(output: Output, channel: number, frameMax: number, consumerTag: string) {
    this.#output = output
    this.#channel = channel
    this.#frameMax = frameMax
    this.#consumerTag = consumerTag
  }

  write(message: Message, deliveryTag: number, redelivered: boolean): void {
    if (message.exchange !== this.#exchange || message.routingKey !== this.#routingKey) this.#make(message)
    const { writer } = this.#output
    const frame = this.#frame
    writer.ensure(frame.length)
    const { buffer } = writer
    copyByHand(frame, 0, frame.length, buffer, writer.offset)
    const at = writer.offset + this.#tagAt
    const high = deliveryTag < 0x1_0000_0000 ? 0 : Math.floor(deliveryTag / 0x1_0000_0000)
    buffer[at] = 0
    buffer[at + 1] = high >>> 16
    buffer[at + 2] = high >>> 8
    buffer[at + 3] = high
    buffer[at + 4] = deliveryTag >>> 24
    buffer[at + 5] = deliveryTag >>> 16
    buffer[at + 6] = deliveryTag >>> 8
    buffer[at + 7] = deliveryTag
    buffer[at + 8] = redelivered ? 1 : 0
    writer.offset += frame.length
    writeContent(this.#output, this.#channel, this.#frameMax, message)
    this.#output.written()
  }

  #make({ exchange, routingKey }: Message): void {
    this.#exchange = exchange
    this.#routingKey = routingKey
    const tag = this.#consumerTag
    const size = 4 + 1 + tag.length + 9 + 1 + exchange.length + 1 + routingKey.length
    const frame = Buffer.alloc(size + FRAME_OVERHEAD_BYTES)
    frameStart(frame, 0, 1, this.#channel, size)
    let at = frame.writeUInt32BE(DELIVER, 7)
    at = shortString(frame, at, tag)
    this.#tagAt = at
    at = shortString(frame, at + 9, exchange)
    at = shortString(frame, at, routingKey)
    frame[at] = 0xce
    this.#frame = frame
  }
}

function shortString(buffer: Buffer, at: number, text: string): number {
  buffer[at] = text.length
  return at + 1 + buffer.write(text, at + 1, 'latin1')
}

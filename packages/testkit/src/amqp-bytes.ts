import type { BasicProperties } from '@hermod/amqp'
import {
  ByteWriter,
  FRAME_MIN_SIZE,
  writeBody,
  writeContentHeader,
  writeMethod,
  type MethodArguments,
  type MethodName,
} from '@hermod/amqp/wire'

/** What `write` writes, for example one or more whole frames. */
export function frameBytes(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter()
  write(writer)
  return writer.written()
}

/** The bytes of a method. */
export function methodBytes<Name extends MethodName>(
  channel: number,
  name: Name,
  args: MethodArguments[Name],
): Buffer {
  return frameBytes((writer) => writeMethod(writer, channel, name, args))
}

/** The bytes of a method with content: `basic.publish`, `basic.deliver`, `basic.get-ok` or `basic.return`. */
export function contentBytes<Name extends MethodName>(
  channel: number,
  name: Name,
  args: MethodArguments[Name],
  properties: BasicProperties,
  body: string | Uint8Array,
): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return frameBytes((writer) => {
    writeMethod(writer, channel, name, args)
    writeContentHeader(writer, channel, bytes.length, properties)
    writeBody(writer, channel, bytes, FRAME_MIN_SIZE)
  })
}

/** The bytes of a `basic.deliver` from the default exchange, with the routing key `key` and no properties. */
export function deliveryBytes(
  channel: number,
  consumerTag: string,
  deliveryTag: number,
  body: string | Uint8Array = '',
  redelivered = false,
): Buffer {
  const args = { consumerTag, deliveryTag, redelivered, exchange: '', routingKey: 'key' }
  return contentBytes(channel, 'basic.deliver', args, {}, body)
}

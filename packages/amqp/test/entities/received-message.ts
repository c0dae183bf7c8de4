import { Message } from '../../src/client/message.ts'
import { writeProperties, type BasicProperties } from '../../src/wire/basic-properties.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'

/** A message as it comes from a broker, without one. */
export function receivedMessage(body: string | Uint8Array, properties: BasicProperties): Message {
  const writer = new ByteWriter()
  writeProperties(writer, properties)
  const bytes = Buffer.concat([writer.written(), Buffer.from(body as Uint8Array)])
  return new Message('tag', 1, false, 'exchange', 'key', bytes, 0, writer.offset, bytes.length, undefined)
}

/** A frame as bytes, right or wrong. */
export function frame(type: number, channel: number, payload: Uint8Array, end = 0xce): Buffer {
  const header = Buffer.alloc(7)
  header[0] = type
  header.writeUInt16BE(channel, 1)
  header.writeUInt32BE(payload.length, 3)
  return Buffer.concat([header, payload, Buffer.of(end)])
}

/** The payload of a method frame. */
export function methodPayload(classId: number, methodId: number, args: Uint8Array = Buffer.alloc(0)): Buffer {
  const ids = Buffer.alloc(4)
  ids.writeUInt16BE(classId, 0)
  ids.writeUInt16BE(methodId, 2)
  return Buffer.concat([ids, args])
}

/** The payload of a content header frame. */
export function headerPayload(bodyBytes: number | bigint, options: HeaderOptions = {}): Buffer {
  const { classId = 60, weight = 0, properties = Buffer.of(0, 0) } = options
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16BE(classId, 0)
  fixed.writeUInt16BE(weight, 2)
  fixed.writeBigUInt64BE(BigInt(bodyBytes), 4)
  return Buffer.concat([fixed, properties])
}

/** What is odd about a content header. */
export interface HeaderOptions {
  readonly classId?: number | undefined
  readonly weight?: number | undefined
  /** Flags and values. */
  readonly properties?: Buffer | undefined
}

/** A short string on the wire. */
export const shortString = (text: string): Buffer =>
  Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)])

/** A long string, a table or an array on the wire: its length and its bytes. */
export function long(bytes: string | Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length, 0)
  return Buffer.concat([length, Buffer.from(bytes)])
}

/** A `queue.declare` of `q` whose arguments are these bytes. */
export function declareWithArguments(channel: number, args: Uint8Array): Buffer {
  return frame(
    1,
    channel,
    methodPayload(50, 10, Buffer.concat([Buffer.of(0, 0), shortString('q'), Buffer.of(0), args])),
  )
}

/** A `basic.publish` to the default exchange, without the content that must follow. */
export const publishMethod = (channel: number, routingKey = 'q'): Buffer =>
  frame(
    1,
    channel,
    methodPayload(60, 40, Buffer.concat([Buffer.of(0, 0, 0), shortString(routingKey), Buffer.of(0)])),
  )

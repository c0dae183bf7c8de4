import type { Serializer } from '@hermod/amqp'

/** Enough of MessagePack for a test: what a program would otherwise bring along. Small values only. */
export const msgpack: Serializer = {
  name: 'msgpack',
  contentType: 'application/x-msgpack',
  contentEncoding: 'binary',
  encode: (value) => Buffer.concat(write(value)),
  decode: (body) => read(body, 0)[0],
}

function write(value: unknown): Buffer[] {
  if (value === null) return [Buffer.of(0xc0)]
  if (typeof value === 'boolean') return [Buffer.of(value ? 0xc3 : 0xc2)]
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 128)
    return [Buffer.of(value)]
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return [Buffer.of(0xd9, text.length), text]
  }
  if (value instanceof Uint8Array) return [Buffer.of(0xc4, value.length), Buffer.from(value)]
  if (Array.isArray(value)) return [Buffer.of(0x90 + value.length), ...value.flatMap(write)]
  if (typeof value === 'object') {
    const entries = Object.entries(value)
    return [Buffer.of(0x80 + entries.length), ...entries.flat().flatMap(write)]
  }
  throw new TypeError(`no MessagePack here for a ${typeof value}`)
}

function read(body: Buffer, at: number): [value: unknown, end: number] {
  const code = body.readUInt8(at)
  const start = at + 1
  if (code < 0x80) return [code, start]
  if (code < 0x90) {
    const [members, end] = readMany(body, start, (code - 0x80) * 2)
    const pairs = members.flatMap((name, index) =>
      index % 2 === 0 ? [[name as string, members[index + 1]]] : [],
    )
    return [Object.fromEntries(pairs) as unknown, end]
  }
  if (code < 0xa0) return readMany(body, start, code - 0x90)
  if (code < 0xc0) return [body.toString('utf8', start, start + code - 0xa0), start + code - 0xa0]
  if (code === 0xc0) return [null, start]
  if (code === 0xc2 || code === 0xc3) return [code === 0xc3, start]
  const length = body.readUInt8(start)
  const end = start + 1 + length
  if (code === 0xc4) return [body.subarray(start + 1, end), end]
  if (code === 0xd9) return [body.toString('utf8', start + 1, end), end]
  throw new TypeError(`MessagePack type ${code} is not read here`)
}

function readMany(body: Buffer, start: number, count: number): [values: unknown[], end: number] {
  const values: unknown[] = []
  let at = start
  while (values.length < count) {
    const [value, end] = read(body, at)
    values.push(value)
    at = end
  }
  return [values, at]
}

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { DEFAULT_COMPRESSIONS, type BasicProperties } from '@hermod/amqp'
import {
  decodeMethod,
  FrameDecoder,
  readProperties,
  type ByteReader,
  type DecodedMethod,
} from '@hermod/amqp/wire'

/** Something that a client sent: a method, with the content that belongs to it. */
export interface TappedMethod {
  readonly method: DecodedMethod
  readonly properties?: BasicProperties
  /** Decompressed. */
  readonly body?: string
}

const PROTOCOL_HEADER_BYTES = 8
const LONGEST_BODY = 1 << 24

/** A TCP proxy on loopback that notes what its clients send to an AMQP broker. */
export interface FrameTap extends AsyncDisposable {
  /** A URL that leads through it and is otherwise the same. */
  urlFor(url: string): string
  /** In the order in which they were complete, over all connections. */
  readonly methods: readonly TappedMethod[]
}

/** Starts one on a free port. */
export async function startFrameTap(target: {
  readonly host: string
  readonly port: number
}): Promise<FrameTap> {
  const methods: TappedMethod[] = []
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const broker = connect(target.port, target.host)
    const decode = decoderOf((method) => methods.push(method))
    client.on('data', decode)
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      open.add(one)
      one.setNoDelay(true)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    methods,
    urlFor: (url) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

interface OpenContent {
  readonly method: DecodedMethod
  properties?: BasicProperties
  left: number
  readonly parts: Buffer[]
}

function decoderOf(tapped: (method: TappedMethod) => void): (chunk: Buffer) => void {
  const contents = new Map<number, OpenContent>()
  const endOf = (channel: number, { method, properties = {}, parts, left }: OpenContent): void => {
    if (left > 0) return
    contents.delete(channel)
    const label = properties.headers?.['compression']
    const bytes = Buffer.concat(parts)
    const plain =
      typeof label === 'string' ? DEFAULT_COMPRESSIONS.decompress(bytes, label, LONGEST_BODY) : bytes
    tapped({ method, properties, body: plain.toString() })
  }
  const frames = new FrameDecoder(
    {
      method(channel, reader) {
        const method = decodeMethod(reader)
        if (method.name === 'basic.publish') contents.set(channel, { method, left: 0, parts: [] })
        else tapped({ method })
      },
      header(channel, reader: ByteReader) {
        const content = contents.get(channel)
        if (content === undefined) throw new Error('a content header without its method')
        reader.skip(4)
        content.left = Number(reader.uint64())
        content.properties = readProperties(reader)
        endOf(channel, content)
      },
      body(channel, bytes, start, end) {
        const content = contents.get(channel)
        if (content === undefined) throw new Error('a body without its method')
        content.parts.push(Buffer.from(bytes.subarray(start, end)))
        content.left -= end - start
        endOf(channel, content)
      },
      heartbeat() {},
    },
    0,
  )
  let skipped = 0
  return (chunk) => {
    const skip = Math.min(PROTOCOL_HEADER_BYTES - skipped, chunk.length)
    skipped += skip
    frames.push(chunk.subarray(skip))
  }
}

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { Connection } from '@hermod/amqp'
import { decodeMethod, FrameDecoder, PROTOCOL_HEADER, type MethodName } from '@hermod/amqp/wire'
import { describe, expect, it } from 'vitest'
import { contentBytes, frameBytes, methodBytes } from '../src/amqp-bytes.ts'
import { eventually } from '../src/eventually.ts'
import { nextEvent, ScriptedBroker, SILENT } from '../src/scripted-broker.ts'

const publish = { exchange: 'x', routingKey: 'k', mandatory: false, immediate: false }

describe('a scripted broker', () => {
  it('takes a client in process, and keeps a record of what it says', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    const { queue } = await channel.declareQueue('', { exclusive: true })
    await channel.publish('', queue, Buffer.from('body'), { properties: { type: 't' } })
    expect(queue).toBe('amq.gen-1')
    expect(broker.link.all('queue.declare')).toMatchObject([{ args: { queue: '', exclusive: true } }])
    expect(broker.link.publishes).toMatchObject([
      { channel: channel.number, tag: 1, routingKey: queue, properties: { type: 't' }, frames: [4] },
    ])
  })

  it('answers in the way of the test, and in the usual one again', async () => {
    const broker = new ScriptedBroker()
    broker.on('queue.declare', ({ channel }, link) => {
      link.closeChannel(channel, 403, 'ACCESS_REFUSED - no', 50, 10)
      return SILENT
    })
    await using connection = await broker.connect()
    const channel = await connection.openChannel()
    await expect(channel.declareQueue('mine')).rejects.toMatchObject({ code: 'E_CHANNEL' })
    broker.off('queue.declare')
    await eventually(() => channel.declareQueue('mine'))
  })

  it('takes a client over TCP, breaks it, and takes it again', async () => {
    const broker = new ScriptedBroker({ tune: { heartbeat: 0 } })
    await using listener = await broker.listen()
    await using connection = await Connection.connect(listener.url, { reconnect: { initialMs: 1 } })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(broker.links).toHaveLength(2)
    await eventually(() => broker.links[0]?.gone === true)
    const again = nextEvent(connection, 'restored')
    listener.reset()
    await again
    const channel = await connection.openChannel()
    const received = new Promise<string>((resolve) => {
      void channel.consume('queue', { noAck: true }, ({ body }) => resolve(body.toString()))
    })
    const { args } = await broker.link.method('basic.consume')
    broker.link.deliver(channel.number, args.consumerTag, 1, 'delivered')
    expect(await received).toBe('delivered')
  })

  it('does not read from a client while it is stalled', async () => {
    const broker = new ScriptedBroker()
    await using listener = await broker.listen()
    await using connection = await Connection.connect(listener.url)
    const channel = await connection.openChannel()
    broker.link.stalled = true
    const published = channel.publish('', 'queue', Buffer.alloc(16 * 1024 * 1024))
    await using probe = await Connection.connect(listener.url)
    expect(probe.state).toBe('open')
    expect(broker.links[0]?.publishes).toEqual([])
    ;(broker.links[0] as (typeof broker.links)[number]).stalled = false
    await published
    expect(broker.links[0]?.publishes).toHaveLength(1)
  })
})

describe('what a scripted broker says to other clients than ours', () => {
  /** A client that speaks by hand. */
  async function byHand(
    socket: Socket,
  ): Promise<{ readonly names: MethodName[]; readonly say: (bytes: Uint8Array) => void }> {
    const names: MethodName[] = []
    const decoder = new FrameDecoder(
      {
        method: (_, reader) => void names.push(decodeMethod(reader).name),
        header: () => {},
        body: () => {},
        heartbeat: () => {},
      },
      0,
    )
    socket.on('data', (chunk: Buffer) => decoder.push(chunk))
    await once(socket, 'connect')
    socket.write(PROTOCOL_HEADER)
    return { names, say: (bytes) => socket.write(bytes) }
  }

  it('confirms only where it was asked to, and answers only who waits', async () => {
    const broker = new ScriptedBroker()
    await using listener = await broker.listen()
    const socket = connect(listener.port, listener.host)
    const { names, say } = await byHand(socket)
    const message = contentBytes(1, 'basic.publish', publish, {}, 'body')
    say(methodBytes(1, 'channel.open', {}))
    say(message)
    say(methodBytes(1, 'queue.purge', { queue: 'q', noWait: true }))
    say(methodBytes(1, 'confirm.select', { noWait: false }))
    say(message)
    say(methodBytes(1, 'basic.consume', { ...consume, noWait: false }))
    await eventually(() => names.includes('basic.consume-ok'))
    socket.destroy()
    expect(names).toEqual([
      'connection.start',
      'channel.open-ok',
      'confirm.select-ok',
      'basic.ack',
      'basic.consume-ok',
    ])
    expect(broker.link.publishes).toHaveLength(2)
  })

  it('writes several methods as one piece of bytes', () => {
    const [open, flow] = [
      methodBytes(1, 'channel.open', {}),
      methodBytes(1, 'channel.flow', { active: true }),
    ]
    const both = frameBytes((writer) => {
      writer.bytes(open)
      writer.bytes(flow)
    })
    expect(both).toEqual(Buffer.concat([open, flow]))
  })
})

const consume = { queue: 'q', consumerTag: '', noLocal: false, noAck: false, exclusive: false, arguments: {} }

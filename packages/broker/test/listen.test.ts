import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { Connection } from '@hermod/amqp'
import { ConfigurationError, ConnectionClosedError, ConnectionError } from '@hermod/kernel'
import { eventually, ManualClock, methodBytes } from '@hermod/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createBroker, type Broker, type BrokerOptions } from '../src/index.ts'
import { FrameClient } from './frame-client.ts'
import { consumeFrom, queueNamed } from './session/session-fixture.ts'

const brokers: Broker[] = []
const start = (options: BrokerOptions = {}): Broker => {
  const broker = createBroker(options)
  brokers.push(broker)
  return broker
}
const dial = async (port: number): Promise<Socket> => {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

describe('a broker that listens', () => {
  it('serves clients on a port of its own', async () => {
    const { url, port } = await start().listen()
    expect(url).toBe(`amqp://guest:guest@127.0.0.1:${port}`)
    const connection = await Connection.connect(url)
    const channel = await connection.openChannel()
    await channel.declareQueue('q')
    await channel.publish('', 'q', Buffer.from('x'))
    expect((await connection.queueStatus('q'))?.messageCount).toBe(1)
    await connection.close()
  })

  it('shows queues whose names are no text, and deletes them by what it shows', async () => {
    const broker = start()
    const client = await new FrameClient(broker.connect()).open()
    await client.call(1, 'channel.open', {})
    const declare = methodBytes(1, 'queue.declare', queueNamed('q~'))
    const at = declare.indexOf('~')
    for (const byte of [0xff, 0xfe]) {
      declare[at] = byte
      client.raw(Buffer.from(declare))
      await client.expect('queue.declare-ok')
    }
    expect(broker.queues().map(({ name }) => name)).toEqual(['q\uFFFD', 'q\uFFFD'])
    expect([1, 2, 3].map(() => broker.deleteQueue('q\uFFFD'))).toEqual([true, true, false])
    expect(broker.queues()).toEqual([])
    client.stream.destroy()
  })

  it('closes every client with 320 and frees the port', async () => {
    const broker = start()
    const { port } = await broker.listen()
    const client = await new FrameClient(await dial(port)).open()
    const closed = broker.close()
    expect((await client.expect('connection.close')).args).toMatchObject({ replyCode: 320 })
    client.send(0, 'connection.close-ok', {})
    await closed
    await start().listen({ port })
    expect(() => broker.connect()).toThrow(ConnectionClosedError)
  })

  it('leaves no port open that was being opened when it was closed', async () => {
    const { port } = await start().listen()
    await brokers.pop()?.close()
    const broker = start()
    const listening = broker.listen({ port })
    await Promise.all([expect(listening).rejects.toThrow(ConnectionClosedError), broker.close()])
    await start().listen({ port })
  })

  it('does not wait for clients that say nothing to its close', async () => {
    const broker = start()
    const { port } = await broker.listen()
    await new FrameClient(await dial(port)).open()
    await broker.close()
    expect(broker.connections()).toEqual([])
  })

  it('resets a client that has fallen silent and does not read, which would not see an end', async () => {
    const clock = new ManualClock()
    const broker = start({ clock })
    const { port } = await broker.listen()
    const publisher = await new FrameClient(await dial(port)).open()
    await publisher.call(1, 'channel.open', {})
    await publisher.call(1, 'queue.declare', queueNamed('q'))
    for (let i = 0; i < 300; i++) publisher.publish(1, '', 'q', 'x'.repeat(100_000))
    const socket = await dial(port)
    const client = await new FrameClient(socket).open({ heartbeat: 10 })
    await client.call(1, 'channel.open', {})
    socket.pause()
    client.send(1, 'basic.consume', consumeFrom('q', 'c', { noAck: true }))
    // Both kernels are full when nothing leaves any more.
    let written = -1
    await eventually(
      () => {
        const before = written
        written = broker.connections().at(-1)?.bytesWritten ?? 0
        expect([written, written > 2_000_000]).toEqual([before, true])
      },
      { intervalMs: 100 },
    )
    clock.advance(30_000)
    await eventually(() => expect(broker.connections().length).toBe(1))
    // Node may see an error first, or find the end without one.
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    await ended
    // An end would come behind all that is on its way.
    expect(socket.bytesRead).toBeLessThan(written / 2)
  })

  it('breaks a connection with a reset', async () => {
    const broker = start()
    const { port } = await broker.listen()
    const socket = await dial(port)
    const failed = once(socket, 'error')
    await new FrameClient(socket).open()
    broker.connections()[0]?.drop()
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
  })

  it('lets a client see the close that answers what it is still sending', async () => {
    const broker = start()
    const { port } = await broker.listen()
    const client = await new FrameClient(await dial(port)).open()
    await client.call(1, 'channel.open', {})
    client.publish(1, '', 'q', 'x'.repeat(1_000_000))
    client.raw(Buffer.alloc(1_000_000, 0xff))
    expect((await client.expect('connection.close')).args).toMatchObject({ replyCode: 501 })
  })

  it('keeps nothing of a client that vanished in the middle of a frame', async () => {
    const broker = start()
    const { port } = await broker.listen()
    const socket = await dial(port)
    const client = await new FrameClient(socket).open()
    await client.call(1, 'channel.open', {})
    client.raw(Buffer.from([1, 0, 1, 0, 0, 1]))
    socket.resetAndDestroy()
    await eventually(() => expect(broker.connections()).toEqual([]))
  })

  it('says which port it cannot have, and which address it must not', async () => {
    const broker = start()
    const { port } = await broker.listen()
    await expect(broker.listen({ port })).rejects.toThrow(ConnectionError)
    await expect(broker.listen({ host: '0.0.0.0' })).rejects.toThrow(ConfigurationError)
    await expect(broker.listen({ port: 70_000 })).rejects.toThrow(ConfigurationError)
  })

  it('says which certificates are none', async () => {
    const broker = start()
    for (const tls of [{ cert: 'none', key: 'none' }, { cert: '', key: '' }, {}])
      await expect(broker.listen({ tls })).rejects.toThrow(ConfigurationError)
  })

  it('bounds those who begin with TLS and say nothing, and keeps none of them', async () => {
    const most = 3
    const broker = start({ limits: { maxUnauthenticatedPerAddress: most } })
    // Its certificate is looked for when a client asks for it.
    const { port } = await broker.listen({ tls: { SNICallback: () => {} } })
    const sockets = await Promise.all(Array.from({ length: most + 5 }, () => dial(port)))
    const open = new Set(sockets)
    for (const socket of sockets) socket.on('close', () => open.delete(socket)).resume()
    await eventually(() => expect(open.size).toBe(most))
    for (const socket of [...open].slice(1)) socket.destroy()
    await eventually(() => expect(open.size).toBe(1))
    // Their places are free again.
    const late = await dial(port)
    late.on('close', () => open.delete(late)).resume()
    open.add(late)
    late.write('\x16\x03\x01')
    await broker.close()
    await eventually(() => expect(open.size).toBe(0))
  })
})

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startScriptedPeer } from '../src/scripted-peer.ts'

describe('a scripted peer', () => {
  it('plays its script byte by byte, however the bytes arrive', async () => {
    await using peer = await startScriptedPeer(async (conversation) => {
      await conversation.expect(Buffer.from('hello'))
      const count = (await conversation.take(1))[0] ?? 0
      await conversation.send(Buffer.from(`got ${count} and ${String(await conversation.take(2))}`))
      conversation.close()
    })
    const socket = connect(peer.port, peer.host)
    socket.setNoDelay(true)
    for (const byte of Buffer.from('hello\x07xyrest')) socket.write(Buffer.of(byte))
    const received: Buffer[] = []
    for await (const chunk of socket) received.push(chunk as Buffer)
    expect(Buffer.concat(received).toString()).toBe('got 7 and xy')
    expect(peer.accepted).toBe(1)
  })

  it('can break a connection', async () => {
    await using peer = await startScriptedPeer(async (conversation, index) => {
      if (index === 0) conversation.reset()
      await conversation.hungUp()
    })
    const socket = connect(peer.port, peer.host)
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })

  it('fails the test whose client says something else', async () => {
    const peer = await startScriptedPeer((conversation) => conversation.expect(Buffer.from('AMQP')))
    const socket = connect(peer.port, peer.host)
    socket.write('HTTP')
    await once(socket, 'close')
    await expect(peer[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'E_PROTOCOL',
      message: 'awaited the bytes 414d5150, got 48545450',
    })
  })

  it('fails the test whose client hangs up too soon', async () => {
    const peer = await startScriptedPeer(async (conversation) => {
      await conversation.take(4)
    })
    const socket = connect(peer.port, peer.host)
    socket.end('AM')
    await once(socket, 'close')
    await expect(peer[Symbol.asyncDispose]()).rejects.toMatchObject({
      code: 'E_CONN_LOST',
      message: 'the other side hung up after 2 of 4 awaited bytes',
    })
  })

  it('does not blame a script that the end of the test cut short', async () => {
    const peer = await startScriptedPeer(async (conversation) => {
      await conversation.take(1)
    })
    const socket = connect(peer.port, peer.host)
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await peer[Symbol.asyncDispose]()
    await closed
    expect(peer.accepted).toBe(1)
  })
})

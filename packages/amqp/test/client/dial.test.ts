import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAmqpUrl } from '../../src/client/broker-address.ts'
import { dial, dialInPlace } from '../../src/client/dial.ts'

describe('a dialled stream', () => {
  let server: Server
  let near: Duplex
  let far: Socket
  const open = async (how: typeof dial): Promise<void> => {
    const accepted = once(server, 'connection')
    const { port } = server.address() as AddressInfo
    const address = parseAmqpUrl(`amqp://127.0.0.1:${port}`)
    near = await how(address, { signal: new AbortController().signal })
    far = ((await accepted) as [Socket])[0]
  }
  const say = (text: string): Promise<void> => new Promise((done) => void far.write(text, () => done()))

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    near.destroy()
    far.destroy()
    server.close()
  })

  test('read in place hands over what came before anybody listened, in order', async () => {
    await open(dialInPlace)
    await say('one ')
    await new Promise((done) => setTimeout(done, 50))
    let heard = ''
    near.on('data', (bytes: Buffer) => (heard += bytes.toString()))
    await say('two')
    await expect.poll(() => heard).toBe('one two')
  })

  test('read in place stops reading while it is paused, and ends', async () => {
    await open(dialInPlace)
    let heard = 0
    near.on('data', (bytes: Buffer) => (heard += bytes.length))
    near.pause()
    far.write(Buffer.alloc(1 << 20))
    await new Promise((done) => setTimeout(done, 50))
    const early = heard
    near.resume()
    await expect.poll(() => heard).toBe(1 << 20)
    expect(early).toBe(0)
    const ended = once(near, 'end')
    far.end()
    await ended
  })

  test('as others may wrap it hands over bytes that can be kept', async () => {
    await open(dial)
    const kept: Buffer[] = []
    near.on('data', (bytes: Buffer) => kept.push(bytes))
    for (const text of ['one ', 'two']) {
      await say(text)
      await expect.poll(() => Buffer.concat(kept).toString().endsWith(text)).toBe(true)
    }
    expect(Buffer.concat(kept).toString()).toBe('one two')
  })
})

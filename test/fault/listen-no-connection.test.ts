import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import {
  eventually,
  findBroker,
  freePort,
  needs,
  startBroker,
  startScriptedPeer,
  type BrokerFixture,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startListen } from '../e2e/running-listen.ts'

const gate = needs(findBroker('administer'))

const PASSWORD = 'hunter2-Pa55'

/** Expects one line and status 4, and gives the line. */
async function refusal(url: string, ...args: string[]): Promise<string> {
  await using listen = startListen(args, { url })
  const { code } = await listen.ended
  expect(listen.lines).toEqual([])
  expect(listen.said).toHaveLength(1)
  expect(listen.output).not.toContain(PASSWORD)
  expect(listen.output).not.toContain(encodeURIComponent(PASSWORD))
  expect(code).toBe(4)
  return listen.said[0] as string
}

describe.skipIf(gate.skip)(`hermod listen that a broker refuses${gate.note}`, () => {
  let broker: BrokerFixture
  beforeAll(async () => {
    broker = await startBroker()
    await broker.createVhost('cloud')
    await broker.addUser('operator', PASSWORD, ['/'])
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  it('names the user whose password is wrong', async () => {
    const url = broker.urlFor({ user: 'operator', password: `${PASSWORD}-wrong` })
    expect(await refusal(url)).toMatch(/refused user name or password of 'operator'/)
  })

  it('names the virtual host that is not there, or not for this user', async () => {
    const login = { user: 'operator', password: PASSWORD }
    expect(await refusal(broker.urlFor({ ...login, vhost: 'nowhere' }))).toMatch(/virtual host 'nowhere'/)
    expect(await refusal(broker.urlFor({ ...login, vhost: 'cloud' }))).toMatch(
      /virtual host 'cloud' to user 'operator'/,
    )
  })

  it('says that TLS was asked of a plain port', async () => {
    const url = broker.urlFor({ user: 'operator', password: PASSWORD }).replace('amqp:', 'amqps:')
    expect(await refusal(url)).toMatch(/TLS/)
  })

  it('warns of a password on the command line, and of that alone', async () => {
    await using listen = startListen([
      '--url',
      broker.urlFor({ user: 'operator', password: PASSWORD, vhost: 'no' }),
    ])
    expect((await listen.ended).code).toBe(4)
    expect(listen.said).toEqual([
      expect.stringContaining('the password in --url can be read') as string,
      expect.stringContaining("refused the virtual host 'no'") as string,
    ])
    expect(listen.output).not.toContain(PASSWORD)
  })

  it('takes the first of several brokers that answers', async () => {
    const dead = `127.0.0.1:${await freePort()}`
    const url = `rabbit://operator:${PASSWORD}@${dead},operator:${PASSWORD}@${broker.host}:${broker.port}//`
    for (const _ of [1, 2, 3]) {
      await using listen = startListen(['--for', '1ms'], { url })
      expect((await listen.ended).code).toBe(0)
      expect(listen.output).not.toContain(PASSWORD)
    }
  })
})

describe('hermod listen without a broker', () => {
  const login = `operator:${PASSWORD}`

  it('names the address that nobody listens on', async () => {
    const port = await freePort()
    expect(await refusal(`amqp://${login}@127.0.0.1:${port}/`)).toMatch(
      new RegExp(`127\\.0\\.0\\.1:${port}.*(refused|ECONNREFUSED)`),
    )
  })

  it('names every address that nobody listens on', async () => {
    const ports = [await freePort(), await freePort()]
    const line = await refusal(`rabbit://${ports.map((port) => `${login}@127.0.0.1:${port}`).join(',')}/`)
    for (const port of ports) expect(line).toContain(`127.0.0.1:${port}`)
  })

  it('names the host that does not resolve', async () => {
    expect(await refusal(`amqp://${login}@no-such-host.invalid/`, '--connect-timeout', '20s')).toMatch(
      /no-such-host\.invalid.*(found|resolve|ENOTFOUND|EAI_AGAIN)/i,
    )
  })

  it('says that something else than a broker answers', async () => {
    await using peer = await startScriptedPeer(async (conversation) => {
      await conversation.take(8)
      await conversation.send(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
      conversation.close()
    })
    expect(await refusal(`amqp://${login}@127.0.0.1:${peer.port}/`)).toMatch(/AMQP 0-9-1/)
  })

  it('says that a server hung up, or spoke another version', async () => {
    await using mute = await startScriptedPeer(async (conversation) => {
      await conversation.take(8)
      conversation.close()
    })
    expect(await refusal(`amqp://${login}@127.0.0.1:${mute.port}/`)).toMatch(/hung up/)
    await using newer = await startScriptedPeer(async (conversation) => {
      await conversation.take(8)
      await conversation.send(Buffer.of(0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0))
      conversation.close()
    })
    expect(await refusal(`amqp://${login}@127.0.0.1:${newer.port}/`)).toMatch(/AMQP/)
  })

  it('gives up on a server that says nothing', async () => {
    await using peer = await startScriptedPeer((conversation) => conversation.hungUp())
    expect(await refusal(`amqp://${login}@127.0.0.1:${peer.port}/`, '--connect-timeout', '300ms')).toMatch(
      /did not answer within 300 ms/,
    )
  })

  it('ends at once on Ctrl-C while it waits for an answer', async () => {
    await using peer = await startScriptedPeer((conversation) => conversation.hungUp())
    await using listen = startListen([], { url: `amqp://${login}@127.0.0.1:${peer.port}/` })
    await eventually(() => peer.accepted === 1)
    listen.signal('SIGINT')
    expect(await listen.ended).toEqual({ code: 130, signal: null })
    expect(listen.output).toBe('')
  })

  it('says that a TLS port was asked for plain AMQP', async () => {
    const server = createTlsServer({}, (socket: TLSSocket) => socket.destroy())
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      expect(await refusal(`amqp://${login}@127.0.0.1:${port}/`)).toMatch(/AMQP 0-9-1/)
    } finally {
      server.close()
    }
  })
})

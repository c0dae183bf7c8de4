import { createServer as createHttpServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import { ConnectionError, createDeferred, type HermodError } from '@hermod/kernel'
import {
  freePort,
  ManualClock,
  methodBytes,
  nextEvent,
  ScriptedBroker,
  SILENT,
  startScriptedPeer,
} from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Connection, CONNECTION_DEFAULTS } from '../../src/index.ts'
import { ByteReader } from '../../src/wire/byte-reader.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'
import { FRAME_MIN_SIZE, PROTOCOL_HEADER } from '../../src/wire/constants.ts'
import { readTable } from '../../src/wire/field-table.ts'

const failure = async (work: Promise<unknown>): Promise<HermodError> => {
  const error = await work.then(
    () => new TypeError('it succeeded'),
    (reason: unknown) => reason as HermodError,
  )
  expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toContain('sesame')
  return error as HermodError
}

const CLOSE = { replyCode: 320, replyText: 'CONNECTION_FORCED - shutdown', classId: 0, methodId: 0 }
/** What a client gets in one read from a broker that is shut down at that moment. */
const OPENED_AND_CLOSED = Buffer.concat([
  methodBytes(0, 'connection.open-ok', {}),
  methodBytes(0, 'connection.close', CLOSE),
])

describe('the handshake', () => {
  it('says who we are, agrees on the smaller limits and opens the virtual host', async () => {
    const broker = new ScriptedBroker({
      tune: { channelMax: 100, frameMax: 8192, heartbeat: 60 },
      serverProperties: { product: 'RabbitMQ', version: '4.1.0' },
    })
    const connection = await Connection.connect('amqp://user:sesame@broker:99/v%2Fh', {
      dial: broker.dial,
      name: 'the name',
      clientProperties: { product: 'Other', room: 7 },
    })
    const { link } = broker
    const { args } = await link.method('connection.start-ok')
    expect(args).toMatchObject({ mechanism: 'PLAIN', locale: 'en_US' })
    expect(String(args.response)).toBe('\0user\0sesame')
    expect(args.clientProperties).toMatchObject({
      product: 'Other',
      room: 7,
      connection_name: 'the name',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      capabilities: {
        publisher_confirms: true,
        consumer_cancel_notify: true,
        'connection.blocked': true,
        authentication_failure_close: true,
      },
    })
    expect(link.all('connection.tune-ok')[0]?.args).toEqual({
      channelMax: 100,
      frameMax: 8192,
      heartbeat: 20,
    })
    expect(link.all('connection.open')[0]?.args.virtualHost).toBe('v/h')
    expect(connection.state).toBe('open')
    expect(connection.server).toMatchObject({
      address: 'broker:99',
      virtualHost: 'v/h',
      product: 'RabbitMQ',
      version: '4.1.0',
    })
    await connection.close()
    expect(link.all('connection.close')).toHaveLength(1)
    expect(await connection.closed).toEqual({})
  })

  it.each([
    {
      theirs: { frameMax: 0, channelMax: 0, heartbeat: 0 },
      agreed: { frameMax: 131_072, channelMax: 2047, heartbeat: 20 },
    },
    {
      theirs: { frameMax: 4096, channelMax: 1, heartbeat: 5 },
      agreed: { frameMax: 4096, channelMax: 1, heartbeat: 5 },
    },
    {
      theirs: { frameMax: 1_000_000, channelMax: 65_535, heartbeat: 600 },
      agreed: { frameMax: 131_072, channelMax: 2047, heartbeat: 20 },
    },
  ])('agrees on $agreed when the broker proposes $theirs', async ({ theirs, agreed }) => {
    const broker = new ScriptedBroker({ tune: theirs })
    const connection = await broker.connect({ heartbeatMs: CONNECTION_DEFAULTS.heartbeatMs })
    expect(broker.link.all('connection.tune-ok')[0]?.args).toEqual(agreed)
    await connection.close()
  })

  it('wants no heartbeats when told so, whatever the broker proposes', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker({ tune: { heartbeat: 1 } })
    const connection = await broker.connect({ heartbeatMs: 0, clock })
    expect(broker.link.all('connection.tune-ok')[0]?.args.heartbeat).toBe(0)
    clock.advance(3_600_000)
    expect(connection.state).toBe('open')
    expect(broker.link.heartbeats).toBe(0)
    await connection.close()
  })

  it('sends AMQPLAIN as the fields of a table', async () => {
    const broker = new ScriptedBroker({ mechanisms: 'EXTERNAL AMQPLAIN' })
    const connection = await broker.connect()
    const { mechanism, response } = broker.link.all('connection.start-ok')[0]?.args ?? {}
    expect(mechanism).toBe('AMQPLAIN')
    const writer = new ByteWriter()
    writer.longString(response ?? '') // the length that a table has and the response lacks
    expect(readTable(new ByteReader().reset(writer.written()))).toEqual({ LOGIN: 'user', PASSWORD: 'sesame' })
    await connection.close()
  })

  it.each([
    { mechanisms: 'EXTERNAL GSSAPI', wanted: undefined, words: 'none of PLAIN, AMQPLAIN' },
    { mechanisms: 'EXTERNAL PLAIN', wanted: 'AMQPLAIN', words: 'none of AMQPLAIN' },
    { mechanisms: 'XPLAIN', wanted: 'PLAIN', words: 'none of PLAIN' },
  ] as const)(
    'gives up when it shares no mechanism with $mechanisms',
    async ({ mechanisms, wanted, words }) => {
      const broker = new ScriptedBroker({ mechanisms })
      const error = await failure(broker.connect({ mechanism: wanted }))
      expect(error).toMatchObject({ code: 'E_CONN', phase: 'sasl', retryable: false })
      expect(error.message).toContain(words)
      await broker.link.until(() => broker.link.gone, 'the end')
    },
  )

  it('gives up when it is asked for a second answer', async () => {
    const broker = new ScriptedBroker().on('connection.start-ok', (_, link) => {
      link.send(0, 'connection.secure', { challenge: 'and?' })
      return SILENT
    })
    expect(await failure(broker.connect())).toMatchObject({ code: 'E_CONN', phase: 'sasl' })
  })

  it('tells refused credentials from a refused virtual host', async () => {
    const login = 'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.'
    const refusal = new ScriptedBroker().on('connection.start-ok', (_, link) => {
      link.closeConnection(403, login)
      return SILENT
    })
    const refused = await failure(refusal.connect())
    expect(refused).toMatchObject({ code: 'E_AUTH', retryable: false })
    expect(refused.message).toBe(`broker:5672 refused user name or password of 'user': ${login}`)
    await refusal.link.method('connection.close-ok')

    const vhost = new ScriptedBroker().on('connection.open', (_, link) => {
      link.closeConnection(530, 'NOT_ALLOWED - vhost v not found')
      return SILENT
    })
    const elsewhere = await failure(vhost.connect())
    expect(elsewhere).toMatchObject({ code: 'E_ACCESS', retryable: false })
    expect(elsewhere.message).toContain("refused the virtual host '/' to user 'user'")
  })

  it.each([
    "NOT_ALLOWED - access to vhost 'v' refused for user 'user': vhost 'v' is down",
    "NOT_ALLOWED - access to vhost 'v' refused for user 'user': connection limit (5) is reached",
    "NOT_ALLOWED - connection refused for user 'user': user connection limit (5) is reached",
  ])('takes "%s" for something that passes', async (text) => {
    const broker = new ScriptedBroker().on('connection.open', (_, link) => {
      link.closeConnection(530, text)
      return SILENT
    })
    expect(await failure(broker.connect())).toMatchObject({ code: 'E_ACCESS', retryable: true })
  })

  it('takes a hang-up after the credentials for a refusal of an older broker', async () => {
    const broker = new ScriptedBroker().on('connection.start-ok', (_, link) => {
      link.end()
      return SILENT
    })
    const error = await failure(broker.connect())
    expect(error).toMatchObject({ code: 'E_AUTH', retryable: true })
    expect(error.message).toContain("credentials of 'user': most likely they are wrong")
  })

  it.each([
    ['another version of AMQP', Buffer.from('AMQP\0\0\x09\x01', 'latin1')],
    ['AMQP 1.0', Buffer.from('AMQP\0\x01\0\0', 'latin1')],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['TLS', Buffer.from('15030100020228', 'hex')],
    ['SSH', Buffer.from('SSH-2.0-x\r\n')],
    ['noise', Buffer.alloc(64, 0xff)],
  ])('says that a server which answers with %s is no AMQP broker', async (_, answer) => {
    await using peer = await startScriptedPeer(async (conversation) => {
      await conversation.expect(PROTOCOL_HEADER)
      await conversation.send(answer)
      conversation.close()
    })
    const error = await failure(Connection.connect(`amqp://u:sesame@${peer.host}:${peer.port}`))
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'handshake' })
    expect(error.message).toContain(`${peer.host}:${peer.port}`)
    expect(error.message).toContain('AMQP 0-9-1')
  })

  it('is not fooled by a real HTTP server', async () => {
    const server = createHttpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const error = await failure(Connection.connect(`amqp://u:sesame@127.0.0.1:${port}`))
      expect(error).toMatchObject({ code: 'E_CONN', phase: 'handshake' })
    } finally {
      server.close()
    }
  })

  it('says when nobody listens, and when the name is unknown', async () => {
    const port = await freePort()
    const refused = await failure(Connection.connect(`amqp://u:sesame@127.0.0.1:${port}`))
    expect(refused).toMatchObject({ code: 'E_CONN', phase: 'tcp', retryable: true })
    expect(refused.message).toBe(`no connection to 127.0.0.1:${port}: connection refused`)
    const unknown = await failure(Connection.connect('amqp://u:sesame@nowhere.invalid'))
    expect(unknown).toMatchObject({ code: 'E_CONN', phase: 'dns' })
  })

  it.each([
    ['in the middle of the handshake', 'tune'],
    ['at once', 'none'],
  ])('waits for a server that falls silent %s no longer than connectTimeoutMs', async (_, silentAt) => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    if (silentAt === 'none') broker.onLink = () => false
    broker.on('connection.tune-ok', (received, link) => {
      link.mute = true
      return received
    })
    let settled = false
    const attempt = broker.connect({ clock, connectTimeoutMs: 3000 }).finally(() => (settled = true))
    const link = await broker.linked(0)
    await link.method(silentAt === 'none' ? 'connection.start' : 'connection.open')
    clock.advance(2999)
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    clock.advance(1)
    const error = await failure(attempt)
    expect(error).toMatchObject({ code: 'E_CONN', retryable: true })
    expect(error.message).toBe('broker:5672 did not answer within 3000 ms')
    await link.until(() => link.gone, 'the end')
    expect(clock.armed).toBe(0)
  })

  it('rejects with the reason of the signal, whenever it aborts, and leaves no connection behind', async () => {
    const reason = new RangeError('enough')
    const broker = new ScriptedBroker()
    await expect(broker.connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(broker.links).toHaveLength(0)
    for (const name of ['connection.start', 'connection.start-ok', 'connection.open'] as const) {
      const controller = new AbortController()
      broker.on(name, () => {
        controller.abort(reason)
        return SILENT
      })
      await expect(broker.connect({ signal: controller.signal })).rejects.toBe(reason)
      const { link } = broker
      await link.until(() => link.gone, 'the end')
      broker.off(name)
    }
  })

  it('refuses a frame limit below what every peer must take', async () => {
    const broker = new ScriptedBroker({ tune: { frameMax: FRAME_MIN_SIZE - 1 } })
    const error = await failure(broker.connect())
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'tune' })
    expect(error.message).toContain('4095')
  })

  it('survives the end of the connection in the same breath as its opening', async () => {
    const broker = new ScriptedBroker().on('connection.open', (_, link) => {
      link.raw(OPENED_AND_CLOSED)
      return SILENT
    })
    const error = await failure(broker.connect())
    expect(error).toMatchObject({ code: 'E_CONN_LOST', retryable: true })
  })

  it('gives errors of a custom dial a name', async () => {
    const cause = Object.assign(new Error('the tunnel is shut'), { code: 'ETUNNEL' })
    const error = await failure(
      Connection.connect('amqp://u:sesame@broker', { dial: () => Promise.reject(cause) }),
    )
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'tcp', cause })
  })

  it('closes what a dial brings after the time is over', async () => {
    const clock = new ManualClock()
    const dialled = createDeferred<Duplex>()
    const dial = (): Promise<Duplex> => dialled.promise
    const attempt = Connection.connect('amqp://u:sesame@broker', { dial, clock, connectTimeoutMs: 100 })
    clock.advance(100)
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done: () => void) => done() })
    dialled.resolve(stream)
    expect(await failure(attempt)).toMatchObject({ code: 'E_CONN' })
    expect(stream.destroyed).toBe(true)
  })

  it('tries every server, and shows why each one failed', async () => {
    const good = new ScriptedBroker()
    const bad = new ScriptedBroker().on('connection.start-ok', (_, link) => {
      link.closeConnection(403, 'ACCESS_REFUSED')
      return SILENT
    })
    const dial: typeof good.dial = (address, options) =>
      address.hostname === 'good' ? good.dial(address, options) : bad.dial(address, options)
    for (let time = 0; time < 8; time++) {
      const connection = await Connection.connect(['amqp://bad', 'amqp://good', 'amqp://worse'], { dial })
      expect(connection.server.address).toBe('good:5672')
      await connection.close()
    }
    expect(good.links).toHaveLength(8)
    const error = await failure(Connection.connect(['amqp://bad', 'amqp://worse'], { dial }))
    expect(error.code).toBe('E_AUTH')
    expect((error.cause as Error).message).toMatch(/bad:5672 .*worse:5672|worse:5672 .*bad:5672/)
  })

  it('checks its options, all of them', async () => {
    const options = { frameMax: 100, channelMax: 1.5, heartbeatMs: -1, operationTimeoutMs: Number.NaN }
    const error = await failure(Connection.connect([], options))
    expect(error.code).toBe('E_CONFIG')
    for (const word of ['no server', ...Object.keys(options)]) expect(error.message).toContain(word)
  })
})

describe('reconnecting', () => {
  it.each([
    { code: 403, at: 'connection.start-ok', expected: 'E_AUTH' },
    { code: 530, at: 'connection.open', expected: 'E_ACCESS' },
  ] as const)('ends for good when the broker now answers $code', async ({ code, at, expected }) => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const channel = await connection.openChannel()
    broker.on(at, (_, link) => {
      link.closeConnection(code, 'no')
      return SILENT
    })
    broker.link.drop()
    expect((await connection.closed).error).toMatchObject({ code: expected })
    expect((await channel.closed).error).toMatchObject({ code: expected })
    expect(connection.state).toBe('closed')
    expect(broker.links).toHaveLength(2)
    await expect(connection.openChannel()).rejects.toMatchObject({ code: 'E_CONN_CLOSED' })
  })

  it('goes on after everything else', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    const retries: string[] = []
    connection.on('retry', ({ error }) => retries.push(error.code))
    broker.onLink = (link, index) => {
      if (index < 4) link.raw(index === 1 ? Buffer.alloc(8, 0xff) : Buffer.alloc(0))
      if (index < 4) link.drop()
    }
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    expect((await restored).awayMs).toBeGreaterThan(0)
    expect(connection.state).toBe('open')
    expect(retries).toHaveLength(4)
    expect(broker.links).toHaveLength(5)
    expect(connection.stats().reconnects).toBe(1)
    await connection.close()
  })

  it('does not mistake a connection that ends while it opens for an open one', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect()
    let left = 3
    broker.on('connection.open', (_, link) => {
      if (left-- <= 0) return
      link.raw(OPENED_AND_CLOSED)
      return SILENT
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    const channel = await connection.openChannel()
    await channel.publish('', 'q', Buffer.from('x'))
    expect(broker.links).toHaveLength(5)
    await connection.close()
  })

  it('does not reconnect when told so', async () => {
    const broker = new ScriptedBroker()
    const connection = await broker.connect({ reconnect: false })
    const states: string[] = []
    connection.on('state', ({ state }) => states.push(state))
    broker.link.closeConnection(320, 'CONNECTION_FORCED - tidying up')
    const { error } = await connection.closed
    expect(error).toMatchObject({ code: 'E_CONN_LOST' })
    expect(error?.message).toContain('tidying up')
    expect(states).toEqual(['closed'])
    expect(broker.links).toHaveLength(1)
  })

  it('keeps the process alive through an error of a custom dial', async () => {
    const broker = new ScriptedBroker()
    let fail = false
    const connection = await broker.connect({
      dial: (address, options) => {
        if (fail) return Promise.reject(new Error('the tunnel is shut'))
        return broker.dial(address, options)
      },
    })
    connection.on('retry', ({ attempt }) => {
      if (attempt === 3) fail = false
    })
    fail = true
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(connection.stats().reconnects).toBe(1)
    await connection.close()
  })
})

import { ConnectionError } from '@hermod/kernel'
import { ManualClock, nextEvent, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { Connection, type Credentials, type CredentialsSource } from '../../src/index.ts'

const logins = (broker: ScriptedBroker): string[] =>
  broker.links.flatMap((link) =>
    link.all('connection.start-ok').map(({ args }) => args.response.toString().replaceAll('\0', '/')),
  )

const refuseLogins = (broker: ScriptedBroker, words = 'ACCESS_REFUSED - Login was refused'): void =>
  void broker.on('connection.start-ok', (_, link) => {
    link.closeConnection(403, words)
    return SILENT
  })

/** What a caller without types may give. */
const untyped = (value: unknown): CredentialsSource => (() => value) as unknown as CredentialsSource

describe('a callback for credentials', () => {
  it('is asked before each attempt, with the server and without its password', async () => {
    const broker = new ScriptedBroker()
    const asked: unknown[] = []
    await using connection = await broker.connect({
      credentials: (server, { signal }) => {
        asked.push({ ...server, aborted: signal.aborted })
        return { password: `token ${asked.length}` }
      },
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(logins(broker)).toEqual(['/user/token 1', '/user/token 2'])
    const server = { hostname: 'broker', port: 5672, username: 'user', virtualHost: '/', aborted: false }
    expect(asked).toEqual([server, server])
  })

  it('may name the user, and may take its time', async () => {
    const broker = new ScriptedBroker()
    const credentials = async (): Promise<Credentials> => {
      await new Promise((resolve) => setImmediate(resolve))
      return { username: 'other', password: 'token' }
    }
    await using connection = await broker.connect({ credentials })
    expect(logins(broker)).toEqual(['/other/token'])
    expect(connection.server.address).toBe('broker:5672')
  })

  it.each([
    [
      'throws',
      (): never => {
        throw new TypeError('vault: the secret is hunter2')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('hunter2'))],
  ])('that %s fails the attempt, and its words are not in the text', async (_, credentials) => {
    const broker = new ScriptedBroker()
    const error = await broker.connect({ credentials }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'sasl', retryable: true })
    expect((error as Error).message).not.toContain('hunter2')
    expect((error as Error).cause).toBeInstanceOf(Error)
    expect(broker.links).toHaveLength(0)
  })

  it('passes an error of ours on', async () => {
    const broker = new ScriptedBroker()
    const own = new ConnectionError('sasl', 'the vault is sealed', { retryable: false })
    const credentials = (): Promise<Credentials> => Promise.reject(own)
    await expect(broker.connect({ credentials })).rejects.toBe(own)
  })

  it.each([undefined, null, 'token', {}, { password: undefined }, { password: 7 }])(
    'that gives %o fails the attempt and ends no process, also when it did better before',
    async (value) => {
      const broker = new ScriptedBroker()
      await expect(broker.connect({ credentials: untyped(value) })).rejects.toMatchObject({
        code: 'E_CONN',
        phase: 'sasl',
        message: expect.stringContaining('no password') as string,
      })
      let times = 0
      await using connection = await broker.connect({
        credentials: (...args) => (++times === 2 ? untyped(value)(...args) : { password: `token ${times}` }),
      })
      const restored = nextEvent(connection, 'restored')
      broker.link.drop()
      await restored
      expect(logins(broker)).toEqual(['/user/token 1', '/user/token 3'])
    },
  )

  it('that never answers is given up with the attempt', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    let given: AbortSignal | undefined
    const connected = broker.connect({
      clock,
      connectTimeoutMs: 700,
      credentials: (_, { signal }) => {
        given = signal
        return new Promise(() => {})
      },
    })
    const outcome = connected.catch((reason: unknown) => reason)
    await clock.pass(700)
    expect(await outcome).toMatchObject({
      code: 'E_CONN',
      message: expect.stringContaining('700 ms') as string,
    })
    expect(given?.aborted).toBe(true)
  })

  it('is asked again after a refusal, which need not last: the fifth in a row ends the connection', async () => {
    const broker = new ScriptedBroker()
    let asked = 0
    await using connection = await broker.connect({ credentials: () => ({ password: String(++asked) }) })
    let refusals = 4
    broker.on('connection.start-ok', (_, link) => {
      if (refusals-- <= 0) return undefined
      link.closeConnection(403, 'ACCESS_REFUSED - Login was refused')
      return SILENT
    })
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await restored
    expect(asked).toBe(6)
    // A success counts: five more refusals are needed now.
    refusals = Infinity
    broker.link.drop()
    expect((await connection.closed).error).toMatchObject({ code: 'E_AUTH' })
    expect(asked).toBe(11)
  })

  it('is not needed: without it a refused password ends the connection at once', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    refuseLogins(broker)
    broker.link.drop()
    expect((await connection.closed).error).toMatchObject({ code: 'E_AUTH', retryable: false })
    expect(broker.links).toHaveLength(2)
  })

  it('never shows its password, also when the broker repeats it', async () => {
    const broker = new ScriptedBroker()
    refuseLogins(broker, "ACCESS_REFUSED - user 'user' may not log in with 'correct horse'")
    const error = await broker
      .connect({ credentials: () => ({ password: 'correct horse' }) })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_AUTH' })
    expect(JSON.stringify(error) + (error as Error).message).not.toContain('correct horse')
  })
})

describe('the login mechanism', () => {
  it('is EXTERNAL only where it is asked for, by option or URL, and then shows neither user nor password', async () => {
    const broker = new ScriptedBroker({ mechanisms: 'EXTERNAL AMQPLAIN PLAIN' })
    const { dial } = broker
    const options = { dial, heartbeatMs: 0 }
    const url = 'amqp://user:sesame@broker'
    for (const connection of [
      await Connection.connect(url, options),
      await Connection.connect(url, { ...options, mechanism: 'EXTERNAL' }),
      await Connection.connect(`${url}?auth_mechanism=external`, options),
      await Connection.connect(`${url}?auth_mechanism=external`, { ...options, mechanism: 'AMQPLAIN' }),
    ])
      await connection.close()
    const started = broker.links.map((link) => link.all('connection.start-ok')[0]?.args)
    expect(started.map((args) => args?.mechanism)).toEqual(['PLAIN', 'EXTERNAL', 'EXTERNAL', 'AMQPLAIN'])
    expect(started.slice(1, 3).map((args) => args?.response.length)).toEqual([0, 0])
  })

  it('that the broker does not offer is an error that names both sides, and is not tried again', async () => {
    const broker = new ScriptedBroker()
    const error = await broker.connect({ mechanism: 'EXTERNAL' }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_CONN', phase: 'sasl', retryable: false })
    expect((error as Error).message).toContain('PLAIN AMQPLAIN, none of EXTERNAL')
  })

  it('refused with EXTERNAL blames the certificate and no password', async () => {
    const broker = new ScriptedBroker({ mechanisms: 'EXTERNAL' })
    refuseLogins(broker)
    const error = await broker.connect({ mechanism: 'EXTERNAL' }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_AUTH' })
    expect((error as Error).message).toContain('certificate')
    expect((error as Error).message).not.toContain("'user'")
  })
})

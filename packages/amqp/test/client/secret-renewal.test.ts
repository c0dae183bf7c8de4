import { ManualClock, nextEvent, ScriptedBroker, settled, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import type { ConnectionStatus, Credentials } from '../../src/index.ts'

const secrets = (broker: ScriptedBroker): string[] =>
  broker.links.flatMap((link) =>
    link.all('connection.update-secret').map(({ args }) => args.newSecret.toString()),
  )

/** A source whose tokens are good for a while. */
function tokens(validForMs: number): { source: () => Credentials; asked: () => number } {
  let asked = 0
  return { source: () => ({ password: `token ${++asked}`, validForMs }), asked: () => asked }
}

describe('credentials that expire', () => {
  it('are renewed on the living connection when four fifths of their time are over', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { source } = tokens(100_000)
    const seen: ConnectionStatus['type'][] = []
    await using connection = await broker.connect({
      clock,
      credentials: source,
      onStatus: ({ type }) => seen.push(type),
    })
    await clock.pass(79_999)
    expect(secrets(broker)).toEqual([])
    await clock.pass(1)
    await settled()
    expect(secrets(broker)).toEqual(['token 2'])
    await clock.pass(80_000)
    await settled()
    expect(secrets(broker)).toEqual(['token 2', 'token 3'])
    expect(seen).toEqual(['state', 'secret-updated', 'secret-updated'])
    expect(connection.state).toBe('open')
  })

  it('are not renewed when they are good for ever', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ clock, credentials: () => ({ password: 'p' }) })
    expect([clock.armed, connection.state]).toEqual([0, 'open'])
  })

  it.each([0, -5, Number.NaN, 0.001])('and are over already (%d ms) keep nobody busy', async (validForMs) => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { source, asked } = tokens(validForMs)
    await using connection = await broker.connect({ clock, credentials: source })
    for (let second = 0; second < 10; second++) await clock.pass(1_000)
    expect(asked()).toBeLessThanOrEqual(11)
    expect(connection.state).toBe('open')
  })

  it('that cannot be had are asked for again, with growing waits, and reported', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    let fail = false
    let asked = 0
    await using connection = await broker.connect({
      clock,
      credentials: () => {
        asked++
        if (fail) throw new TypeError('no vault')
        return { password: `token ${asked}`, validForMs: 10_000 }
      },
    })
    fail = true
    const delays: number[] = []
    connection.on('secret-error', ({ error, delayMs }) => {
      expect(error).toMatchObject({ code: 'E_CONN', phase: 'sasl' })
      delays.push(delayMs)
    })
    for (let second = 0; second < 60; second++) await clock.pass(1_000)
    expect(delays.length).toBeGreaterThan(3)
    expect(delays.length).toBeLessThan(15)
    fail = false
    const updated = nextEvent(connection, 'secret-updated')
    for (let second = 0; second < 60; second++) await clock.pass(1_000)
    await updated
    expect(secrets(broker).length).toBeGreaterThan(0)
  })

  it('that the broker refuses end the session, and the next one logs in with newer ones', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { source, asked } = tokens(10_000)
    broker.on('connection.update-secret', (_, link) => {
      link.closeConnection(530, 'NOT_ALLOWED - New secret was refused by one of the backends')
      return SILENT
    })
    await using connection = await broker.connect({ clock, credentials: source })
    const lost = nextEvent(connection, 'lost')
    await clock.pass(8_000)
    expect(await lost).toMatchObject({ error: { code: 'E_CONN_LOST', details: { replyCode: 530 } } })
    const restored = nextEvent(connection, 'restored')
    await clock.pass(10)
    await restored
    expect(asked()).toBe(3)
    expect(broker.links).toHaveLength(2)
  })

  it('are watched over in the session of now alone', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { source } = tokens(10_000)
    await using connection = await broker.connect({ clock, credentials: source })
    await clock.pass(5_000)
    const restored = nextEvent(connection, 'restored')
    broker.link.drop()
    await clock.pass(10)
    await restored
    await clock.pass(4_000)
    expect(secrets(broker)).toEqual([])
    await clock.pass(4_100)
    await settled()
    expect(secrets(broker)).toEqual(['token 3'])
    await connection.close()
    expect(clock.armed).toBe(0)
  })

  it('whose renewal the broker does not answer are renewed again, and nothing waits for ever', async () => {
    const clock = new ManualClock()
    const broker = new ScriptedBroker()
    const { source } = tokens(10_000)
    broker.on('connection.update-secret', () => SILENT)
    await using connection = await broker.connect({ clock, credentials: source })
    const failed = nextEvent(connection, 'secret-error')
    for (let second = 0; second < 50; second++) await clock.pass(1_000)
    expect(await failed).toMatchObject({ error: { code: 'E_TIMEOUT' } })
    expect(secrets(broker)).toEqual(['token 2', 'token 3'])
    const updated = nextEvent(connection, 'secret-updated')
    broker.link.send(0, 'connection.update-secret-ok', {})
    broker.link.send(0, 'connection.update-secret-ok', {})
    await updated
  })
})

describe('connection.updateSecret', () => {
  it('gives the broker a new password and resolves with its answer', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const updated = nextEvent(connection, 'secret-updated')
    await connection.updateSecret('new', 'rotated')
    await updated
    expect(broker.link.all('connection.update-secret')[0]?.args).toEqual({
      newSecret: Buffer.from('new'),
      reason: 'rotated',
    })
  })

  it('rejects when the broker refuses, or the connection is away or closed', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect({ reconnect: { initialMs: 60_000 } })
    broker.on('connection.update-secret', (_, link) => {
      link.closeConnection(530, "NOT_ALLOWED - 'new secret' is no good")
      return SILENT
    })
    const error = await connection.updateSecret('new secret').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_CONN_LOST', details: { replyCode: 530 } })
    expect(`${JSON.stringify(error)}${(error as Error).message}`).not.toContain('new secret')
    await expect(connection.updateSecret('new')).rejects.toMatchObject({
      code: 'E_CONN_CLOSED',
      retryable: true,
    })
    await connection.close()
    await expect(connection.updateSecret('new')).rejects.toMatchObject({
      code: 'E_CONN_CLOSED',
      retryable: false,
    })
  })

  it('answers each of several in their order', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    broker.on('connection.update-secret', () => SILENT)
    const order: number[] = []
    const both = [1, 2].map((n) => connection.updateSecret(`${n}`).then(() => order.push(n)))
    await broker.link.method('connection.update-secret', 1)
    broker.link.send(0, 'connection.update-secret-ok', {})
    await both[0]
    expect(order).toEqual([1])
    broker.link.send(0, 'connection.update-secret-ok', {})
    await both[1]
  })
})

describe('connection.update-secret-ok that nobody asked for', () => {
  it('ends the session of an open connection, which comes back', async () => {
    const broker = new ScriptedBroker()
    await using connection = await broker.connect()
    const [lost, restored] = [nextEvent(connection, 'lost'), nextEvent(connection, 'restored')]
    broker.link.send(0, 'connection.update-secret-ok', {})
    expect(await lost).toMatchObject({ error: { code: 'E_PROTOCOL' } })
    await restored
  })

  it('ends a handshake', async () => {
    const broker = new ScriptedBroker()
    broker.on('connection.start-ok', (_, link) => link.send(0, 'connection.update-secret-ok', {}))
    await expect(broker.connect()).rejects.toMatchObject({ code: 'E_CONN', phase: 'sasl' })
  })
})
